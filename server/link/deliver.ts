import type { HostId } from "@restic-manager/protocol/ids";
import { instant, type Clock } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import type { Hub } from "./hub.ts";
import { cancelsDue, takeDeliverable } from "./store.ts";

/** A command that was sent and not answered for so long is sent again; the agent knows it by its id. */
export const RESEND_MS = 30_000;

/**
 * Sends waiting jobs to hosts connected here: marked as sent and committed first, then sent. Never twice at once for one host.
 */
export class Delivery {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #node: string;
  readonly #hub: Hub;
  readonly #configure: (hostId: HostId) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  readonly #running = new Map<HostId, { again: "no" | "new" | "resend"; done: Promise<void> }>();

  /** `configure`: sends the agent its configuration if it has not the newest. */
  constructor(parts: {
    db: Database;
    clock: Clock;
    node: string;
    hub: Hub;
    configure: (hostId: HostId) => Promise<void>;
    onError: (error: unknown) => void;
  }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
    this.#node = parts.node;
    this.#hub = parts.hub;
    this.#configure = parts.configure;
    this.#onError = parts.onError;
  }

  /** Delivers what waits for `hostId`. `resend`: also what was sent a moment ago, as after a reconnect. */
  to(hostId: HostId, resend: boolean): void {
    const running = this.#running.get(hostId);
    if (running !== undefined) {
      if (resend || running.again === "no") running.again = resend ? "resend" : "new";
      return;
    }
    const entry: { again: "no" | "new" | "resend"; done: Promise<void> } = {
      again: "no",
      done: Promise.resolve(),
    };
    this.#running.set(hostId, entry);
    entry.done = this.#deliver(hostId, resend)
      .catch(this.#onError)
      .then(() => {
        this.#running.delete(hostId);
        if (entry.again !== "no") this.to(hostId, entry.again === "resend");
      });
  }

  /** Resolves when nothing is being delivered. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map((entry) => entry.done));
  }

  async #deliver(hostId: HostId, resend: boolean): Promise<void> {
    const connection = this.#hub.current(hostId);
    const epoch = connection?.greeted?.epoch;
    if (connection !== undefined && epoch === undefined) connection.missed = true;
    if (connection === undefined || epoch === undefined) return;
    // Before the jobs: one that proves new credentials must not run with the old ones.
    await this.#configure(hostId);
    if (!this.#hub.isCurrent(connection)) return;
    const now = this.#clock.now();
    // Only while the store says that this connection is the host's one: a newer one may be of another life, or at another server,
    // and a job marked as sent to this one would wait there for an agent that never got it.
    const link = { node: this.#node, connection: connection.number, epoch };
    const resendBefore = resend ? now : now - RESEND_MS;
    const jobs = await takeDeliverable(this.#db, hostId, link, { now, resendBefore });
    const cancels = await cancelsDue(this.#db, hostId);
    for (const job of jobs) {
      connection.send({
        type: "command.run",
        job_id: job.id,
        kind: job.kind,
        input: JSON.parse(job.input) as Record<string, unknown>,
        actor_kind: job.actor_kind,
        created_at: instant(job.created_at),
      });
    }
    for (const jobId of cancels) connection.send({ type: "command.cancel", job_id: jobId, now: false });
  }
}
