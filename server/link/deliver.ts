import type { RepositoryCredentials } from "@restic-manager/protocol/config";
import type { Epoch, HostId, JobId } from "@restic-manager/protocol/ids";
import { instant, type Clock } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { cancelsDue, queuedOf, takeDeliverable } from "./store.ts";
import { claimTurns } from "./turns.ts";

/** A command that was sent and not answered for so long is sent again; the agent knows it by its id. */
export const RESEND_MS = 30_000;

/** Hosts whose jobs are marked as sent together: one commit for many. */
const HOSTS_AT_ONCE = 64;

export interface DeliveryParts {
  db: Database;
  clock: Clock;
  /** This server. */
  node: string;
  hub: Hub;
  /** Sends the agent its configuration if it has not the newest. */
  configure: (hostId: HostId) => Promise<void>;
  /** What may delete in a host's repository; undefined when the host has none. For jobs that say that they need it, each time anew. */
  adminFor: (hostId: HostId, jobIds: readonly JobId[]) => Promise<RepositoryCredentials | undefined>;
  onError: (error: unknown) => void;
}

type Deliverable = Awaited<ReturnType<typeof takeDeliverable>>[number];

/** What is delivered. */
interface Wish {
  /** Also what was sent a moment ago, as after a reconnect. */
  resend?: boolean;
  /** Something may need its repository for itself: asking whose turn it is there is a statement of its own. */
  turn: boolean;
}

/** A connection that jobs are looked up for. */
interface Recipient extends Required<Wish> {
  connection: Connection;
  epoch: Epoch;
}

/** What goes out to one connection. */
interface Delivered {
  connection: Connection;
  jobs: Deliverable[];
  cancels: JobId[];
}

/**
 * Sends waiting jobs to hosts connected here: marked as sent and committed first, then sent. Never twice at once for one host; hosts
 * that ask while others are served are served together, since a commit for each would keep a bulk of jobs waiting for the disk.
 */
export class Delivery {
  readonly #parts: DeliveryParts;
  #waiting = new Map<HostId, Required<Wish>>();
  #running: Promise<void> | undefined;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /** Delivers what waits for `hostId`. */
  to(hostId: HostId, { resend = false, turn }: Wish): void {
    const asked = this.#waiting.get(hostId);
    this.#waiting.set(hostId, {
      resend: resend || asked?.resend === true,
      turn: turn || asked?.turn === true,
    });
    this.#running ??= this.#drain();
  }

  /** Resolves when nothing is being delivered. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #drain(): Promise<void> {
    // Whoever tells of many hosts goes on first.
    await Promise.resolve();
    try {
      while (this.#waiting.size > 0) {
        const some = [...this.#waiting.entries().take(HOSTS_AT_ONCE)];
        for (const [hostId] of some) this.#waiting.delete(hostId);
        await this.#deliver(some).catch(this.#parts.onError);
      }
    } finally {
      this.#running = undefined;
    }
  }

  async #deliver(some: [HostId, Required<Wish>][]): Promise<void> {
    const { db } = this.#parts;
    const ready = await Promise.all(some.map(([hostId, wish]) => this.#prepare(hostId, wish)));
    // On PostgreSQL whoever writes rows of several hosts takes them in the same order.
    const recipients = ready
      .filter((one) => one !== undefined)
      .toSorted((a, b) => (a.connection.hostId < b.connection.hostId ? -1 : 1));
    const [first, ...others] = recipients;
    if (first === undefined) return;
    const { clock } = this.#parts;
    await claimTurns(
      db,
      recipients.filter(({ turn }) => turn).map(({ connection }) => connection.hostId),
      clock.now(),
    );
    const delivered =
      others.length === 0
        ? [await this.#take(db, first)]
        : await db.transaction().execute(async (trx) => {
            const all: Delivered[] = [];
            for (const recipient of recipients) all.push(await this.#take(trx, recipient));
            return all;
          });
    for (const { connection, jobs, cancels } of delivered) {
      await this.#send(connection, jobs);
      for (const jobId of cancels) connection.send({ type: "command.cancel", job_id: jobId, now: false });
    }
  }

  /**
   * Sends commands once more that an agent has taken and lost a part of: what is never written down. What is no longer to be begun it
   * is told to let go.
   */
  async again(connections: Iterable<Connection>): Promise<void> {
    for (const connection of connections) {
      const ids = connection.commandsNeeded;
      if (ids.length === 0) continue;
      const jobs = await queuedOf(this.#parts.db, connection.hostId, ids);
      await this.#send(connection, jobs);
      const queued = new Set(jobs.map((job) => job.id));
      for (const job_id of ids)
        if (!queued.has(job_id)) connection.send({ type: "command.cancel", job_id, now: false });
      connection.commandsNeeded = [];
    }
  }

  async #send(connection: Connection, jobs: readonly Deliverable[]): Promise<void> {
    const commands = jobs.map((job) => ({ job, input: JSON.parse(job.input) as Record<string, unknown> }));
    const deleting = commands.filter(({ input }) => input["use_admin"] === true).map(({ job }) => job.id);
    // Those go without when it cannot be read, and fail with words; the others must not wait for it.
    const admin =
      deleting.length === 0
        ? undefined
        : await this.#parts.adminFor(connection.hostId, deleting).catch((error: unknown) => {
            this.#parts.onError(error);
            return undefined;
          });
    for (const { job, input } of commands) {
      connection.send({
        type: "command.run",
        job_id: job.id,
        kind: job.kind,
        input,
        actor_kind: job.actor_kind,
        created_at: instant(job.created_at),
        ...(admin === undefined || input["use_admin"] !== true ? {} : { admin }),
      });
    }
  }

  /** Before the jobs the configuration: one that proves new credentials must not run with the old ones. */
  async #prepare(hostId: HostId, wish: Required<Wish>): Promise<Recipient | undefined> {
    const { hub, configure, onError } = this.#parts;
    const connection = hub.current(hostId);
    const epoch = connection?.greeted?.epoch;
    if (connection !== undefined && epoch === undefined) connection.missed = true;
    if (connection === undefined || epoch === undefined) return undefined;
    try {
      await configure(hostId);
    } catch (error) {
      onError(error);
      return undefined;
    }
    return hub.isCurrent(connection) ? { connection, epoch, ...wish } : undefined;
  }

  /**
   * Only while the store says that this connection is the host's one: a newer one may be of another life, or at another server, and
   * a job marked as sent to this one would wait there for an agent that never got it.
   */
  async #take(db: Database | Trx, { connection, epoch, resend }: Recipient): Promise<Delivered> {
    const { clock, node } = this.#parts;
    const { hostId } = connection;
    const now = clock.now();
    const link = { node, connection: connection.number, epoch };
    const resendBefore = resend ? now : now - RESEND_MS;
    const jobs = await takeDeliverable(db, hostId, link, { now, resendBefore });
    return { connection, jobs, cancels: await cancelsDue(db, hostId) };
  }
}
