import { parseAgentFrame, type AgentFrame } from "@restic-manager/protocol/frame";
import type { Hello } from "@restic-manager/protocol/hello";
import type { AgentConfig } from "@restic-manager/protocol/config";
import type { HostId } from "@restic-manager/protocol/ids";
import type { ScheduleSet } from "@restic-manager/protocol/schedule";
import { HELLO_DEADLINE_MS, OFFLINE_AFTER_MS, WINDOW_FRAMES } from "@restic-manager/protocol/limits";
import type { TransientMessage } from "@restic-manager/protocol/messages";
import { judgeProtocol, PROTOCOL_HELP_PATH, PROTOCOL_VERSION } from "@restic-manager/protocol/version";
import type { Bus } from "../platform/bus.ts";
import { instant, type Cancel, type Clock } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { Configurer } from "./configure.ts";
import { Connection, type Greeted, type Reconciliation } from "./connection.ts";
import { Delivery, RESEND_MS } from "./deliver.ts";
import { greet, welcome } from "./greet.ts";
import { Hub } from "./hub.ts";
import { Ingest, type ApplyDurable } from "./ingest.ts";
import { ScheduleSender } from "./schedule-sender.ts";
import { foreignWords, type LinkSocket } from "./socket.ts";
import { Presence } from "./presence.ts";
import * as store from "./store.ts";
import { oneAtATime } from "./tick.ts";
import { nothingTouched, type Touched } from "./touched.ts";

/** How often silent connections are looked for. */
const SWEEP_MS = 10_000;
/** How often the last sign of life of connected hosts is written down. */
const SEEN_MS = 5 * 60_000;

export interface LinkParts {
  db: Database;
  clock: Clock;
  bus: Bus;
  /** The address people use; help links in errors begin with it. */
  publicAddress: () => Promise<string>;
  apply: ApplyDurable;
  /** Recomputes what is derived from hosts' facts, inside the same transaction. */
  refreshHosts: (trx: Trx, hostIds: HostId[]) => Promise<void>;
  /** Finishes jobs that an agent came back without. */
  finishLost: (trx: Trx, lost: Reconciliation["lost"], touched: Touched) => Promise<void>;
  /** What the agent should hold; the reading of its secrets is audited by whoever provides this. */
  configFor: (hostId: HostId) => Promise<AgentConfig | undefined>;
  /** What the agent should fire by itself. */
  schedulesFor: (hostId: HostId) => Promise<ScheduleSet | undefined>;
  progress: (hostId: HostId, message: Extract<TransientMessage, { type: "job.progress" }>) => void;
  /** After every hello that was taken: starts what a host needs at once, such as opening its repository. */
  arrived: (trx: Trx, hostId: HostId) => Promise<void>;
  isStoreTrouble: (error: unknown) => boolean;
  onError: (error: unknown, doing: string) => void;
  /** Hears of events that did not fit their job's state and changed nothing. */
  onUnfit?: (unfit: Touched["unfit"][number]) => void;
  mostWaitingBytes?: number;
}

/** The server's end of the link: who is connected, what they say, what they are told. link.md, the server's rules. */
export class Link {
  readonly hub = new Hub();
  readonly #parts: LinkParts;
  readonly #ingest: Ingest;
  readonly #delivery: Delivery;
  readonly #configurer: Configurer;
  readonly #schedules: ScheduleSender;
  readonly #presence: Presence;
  readonly #greeting = new Map<Connection, Promise<void>>();
  readonly #deadlines = new Map<Connection, Cancel>();
  readonly #endings: (() => void)[] = [];
  readonly #background = new Set<Promise<void>>();
  #failing: string | undefined;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#configurer = new Configurer({ ...parts, hub: this.hub });
    this.#schedules = new ScheduleSender({ ...parts, hub: this.hub });
    this.#presence = new Presence({ ...parts, hub: this.hub });
    this.#delivery = new Delivery({
      ...parts,
      hub: this.hub,
      configure: (hostId) => this.#configurer.send(hostId),
      onError: (e) => parts.onError(e, "deliver jobs"),
    });
    this.#ingest = new Ingest({
      ...parts,
      isCurrent: (connection) => this.hub.isCurrent(connection),
      settle: (trx, touched) => parts.refreshHosts(trx, [...touched.hosts]),
      committed: (touched, connections) => this.#committed(touched, connections),
      trouble: (error) => this.#storeTrouble(error),
    });
  }

  /** Begins to watch the clock and the bus. */
  start(): void {
    const { clock, bus } = this.#parts;
    const deliver = oneAtATime(() => this.#deliverAll());
    const seen = oneAtATime(() => this.#presence.writeSeen());
    this.#endings.push(
      bus.subscribe("job.queued", ({ hostId }) => this.#delivery.to(hostId, false)),
      bus.subscribe("job.cancel", ({ hostId, jobId, now }) => {
        this.hub.current(hostId)?.send({ type: "command.cancel", job_id: jobId, now });
      }),
      bus.subscribe("config.changed", ({ hostId }) =>
        this.#aside("send an agent its configuration", this.#configurer.send(hostId)),
      ),
      bus.subscribe("schedules.changed", ({ hostId }) =>
        this.#aside("send an agent its schedules", this.#schedules.send(hostId)),
      ),
      bus.subscribe("host.removed", ({ hostId }) => {
        const words = "This machine was removed from restic-manager.";
        this.hub.current(hostId)?.refuse("revoked", "revoked", words);
      }),
      clock.every(SWEEP_MS, () => this.#sweep()),
      clock.every(RESEND_MS, () => this.#aside("deliver jobs", deliver())),
      clock.every(SEEN_MS, () => this.#aside("write last seen", seen())),
      // Whoever was connected before a restart gets the time to come back before it counts as offline.
      clock.after(OFFLINE_AFTER_MS, () => this.#aside("mark hosts offline", this.#presence.forgetAbsent())),
    );
  }

  /** Closes every socket with "restarting"; what was taken is committed first. */
  async stop(): Promise<void> {
    for (const end of this.#endings.splice(0)) end();
    const connections = this.hub.all();
    await this.#ingest.stop();
    await this.#delivery.settled();
    for (const connection of connections) connection.close("restarting");
    await Promise.allSettled([...this.#greeting.values(), ...this.#background]);
  }

  /** Resolves when everything taken so far is committed, delivered and answered. */
  async settled(): Promise<void> {
    for (;;) {
      await Promise.all([...this.#greeting.values(), ...this.#background]);
      await this.#ingest.settled();
      await this.#delivery.settled();
      if (this.#greeting.size + this.#background.size === 0) return;
    }
  }

  /** A socket whose bearer was found good. The first frame must be a hello. */
  opened(hostId: HostId, socket: LinkSocket, address: string | null): Connection {
    const connection = new Connection({ hostId, socket, address, now: this.#parts.clock.now() });
    const late = this.#parts.clock.after(HELLO_DEADLINE_MS, () => connection.close("hello_late"));
    this.#deadlines.set(connection, late);
    return connection;
  }

  /** One frame, as it came. */
  received(connection: Connection, data: string | Uint8Array): void {
    if (connection.closed) return;
    const now = this.#parts.clock.now();
    connection.lastFrameAt = now;
    const frame = parseAgentFrame(data);
    switch (frame.type) {
      case "hello":
        return this.#hello(connection, frame.hello);
      case "foreign_hello":
        return this.#foreign(connection, frame.protocol_version);
      case "transient":
        return this.#transient(connection, frame.message);
      case "malformed":
        connection.complain(now, frame.reason);
        if (frame.seq !== undefined) this.#durable(connection, frame.seq, frame, data);
        return;
      case "durable":
        return this.#durable(connection, frame.seq, frame, data);
    }
  }

  /** The socket is gone, whoever closed it. */
  async closed(connection: Connection): Promise<void> {
    connection.closed = true;
    this.#deadlines.get(connection)?.();
    this.#deadlines.delete(connection);
    if (this.hub.leave(connection))
      await this.#presence.markOffline(connection.hostId, connection.lastFrameAt);
  }

  #durable(connection: Connection, seq: number, frame: AgentFrame, data: string | Uint8Array): void {
    const { greeted } = connection;
    if (greeted === undefined || !this.hub.isCurrent(connection)) return;
    if (seq <= greeted.committed) {
      connection.send({ type: "ack", seq: greeted.committed });
      return;
    }
    if (seq <= greeted.received) return;
    if (seq > greeted.received + 1) return connection.close("gap");
    // An agent that ignores its window would fill our memory.
    if (connection.waiting >= 4 * WINDOW_FRAMES) return connection.close("gap");
    if (this.#ingest.full) return connection.close("store");
    greeted.received = seq;
    this.#noteResync(connection, greeted);
    const bytes = data.length;
    if (frame.type === "durable")
      this.#ingest.take({ type: "durable", connection, seq, bytes, durable: frame.durable });
    else if (frame.type === "malformed") {
      const body = typeof data === "string" ? data : "(binary)";
      this.#ingest.take({ type: "unreadable", connection, seq, bytes, reason: frame.reason, body });
    }
  }

  /** Whatever an agent sends after it was welcomed, it sends after it has written down all that it must tell again. */
  #noteResync({ hostId }: Connection, greeted: Greeted): void {
    if (!greeted.resyncing) return;
    greeted.resyncing = false;
    this.#aside(
      "note that an agent tells its state",
      store.writeEpoch(this.#parts.db, hostId, greeted.epoch),
    );
  }

  #transient(connection: Connection, message: TransientMessage): void {
    const { greeted, hostId } = connection;
    if (greeted === undefined || !this.hub.isCurrent(connection)) return;
    this.#noteResync(connection, greeted);
    switch (message.type) {
      case "heartbeat":
        connection.send({ type: "ack", seq: greeted.committed });
        return;
      case "job.progress":
        return this.#parts.progress(hostId, message);
      case "config.applied":
      case "schedule.ack":
        this.#aside("note what an agent applied", this.#applied(hostId, message));
    }
  }

  #foreign(connection: Connection, version: number): void {
    const verdict = judgeProtocol(version);
    if (verdict === "served")
      return connection.complain(this.#parts.clock.now(), "hello lacks epoch, outbox or jobs");
    const words = foreignWords(verdict, version);
    const refuse = async (): Promise<void> => {
      await this.#remember(connection.hostId, verdict, words);
      connection.refuse(
        "protocol",
        verdict,
        words,
        `${await this.#parts.publicAddress()}${PROTOCOL_HELP_PATH}`,
      );
    };
    this.#aside("refuse a protocol", refuse());
  }

  #hello(connection: Connection, hello: Hello): void {
    if (judgeProtocol(hello.protocol_version) !== "served")
      return this.#foreign(connection, hello.protocol_version);
    // A second one would let numbers be taken again that still wait for the store.
    if (connection.greeted !== undefined || this.#greeting.has(connection))
      return connection.complain(this.#parts.clock.now(), "hello was said before on this connection");
    const other = this.hub.current(connection.hostId);
    const alive = other !== undefined && this.#parts.clock.now() - other.lastFrameAt < OFFLINE_AFTER_MS;
    if (other !== undefined && other !== connection && alive && other.machineId !== hello.machine_id) {
      const words = `Another machine (${hello.hostname}, ${connection.address ?? "address unknown"}) tried to connect with this host's bearer while it is connected. Was it cloned? Enrol the other machine by itself.`;
      this.#aside("note a refused connection", this.#remember(connection.hostId, "clone", words));
      return connection.refuse(
        "clone",
        "clone",
        "Another machine is connected with this bearer. Enrol this one by itself.",
      );
    }
    connection.machineId = hello.machine_id;
    // Newest first: from here on frames of an older connection are ignored, so `last_seq` stands still while we look.
    this.hub.enter(connection);
    const done = this.#greet(connection, hello)
      .catch((error: unknown) => {
        this.#parts.onError(error, "answer a hello");
        if (this.#parts.isStoreTrouble(error)) this.#storeTrouble(error);
        connection.close("store");
      })
      .finally(() => this.#greeting.delete(connection));
    this.#greeting.set(connection, done);
  }

  async #greet(connection: Connection, hello: Hello): Promise<void> {
    const { db, clock, bus } = this.#parts;
    const { hostId } = connection;
    const now = clock.now();
    const greeting = await db.transaction().execute(async (trx) => {
      const verdict = await greet(trx, connection, hello, now);
      if (verdict.verdict === "open") {
        await this.#parts.arrived(trx, hostId);
        await this.#parts.refreshHosts(trx, [hostId]);
      }
      return verdict;
    });
    // It was written: what an earlier hello met is over. Without this an agent with nothing more to say would leave the alarm on.
    this.#storeTrouble(undefined);
    if (!this.hub.isCurrent(connection)) {
      if (greeting.verdict === "open") await this.#presence.markOffline(hostId, connection.lastFrameAt);
      return;
    }
    if (greeting.verdict === "unknown_host") {
      return connection.refuse("revoked", "revoked", "This machine was removed from restic-manager.");
    }
    this.#deadlines.get(connection)?.();
    if (greeting.verdict === "new_epoch") {
      connection.send(welcome(PROTOCOL_VERSION, now, greeting.lastSeq, "new_epoch"));
      return;
    }
    connection.greeted = greeting.greeted;
    connection.send(welcome(PROTOCOL_VERSION, now, greeting.greeted.committed, greeting.next));
    // A server that went back in time may give a number again that stands for something else.
    const resync = greeting.next === "resync";
    connection.configVersion = resync ? -1 : hello.config_version;
    connection.scheduleVersion = resync ? -1 : hello.schedule_version;
    // What it has to report must come in even when its own secrets cannot be opened here.
    await this.#configurer
      .send(hostId)
      .catch((error: unknown) => this.#parts.onError(error, "send an agent its configuration"));
    this.#aside("send an agent its schedules", this.#schedules.send(hostId));
    bus.publish("host.changed", { hostId });
    await this.#reconcile([connection]);
    this.#delivery.to(hostId, true);
  }

  #committed(touched: Touched, connections: Connection[]): void {
    this.#publish(touched);
    for (const unfit of touched.unfit) this.#parts.onUnfit?.(unfit);
    for (const [jobId, hostId] of touched.letGo) {
      this.hub.current(hostId)?.send({ type: "command.cancel", job_id: jobId, now: false });
    }
    this.#aside("finish lost jobs", this.#reconcile(connections));
  }

  /** Finishes lost jobs of connections that have now committed all that their agents had to say at their hello. */
  async #reconcile(connections: Connection[]): Promise<void> {
    for (const { greeted, hostId } of connections) {
      const due = greeted?.reconciliation;
      if (greeted === undefined || due === undefined || greeted.committed < due.upTo) continue;
      greeted.reconciliation = undefined;
      try {
        const touched = await this.#parts.db.transaction().execute(async (trx) => {
          const now = nothingTouched();
          await this.#parts.finishLost(trx, due.lost, now);
          await this.#parts.refreshHosts(trx, [hostId]);
          return now;
        });
        this.#publish(touched);
      } catch (error) {
        // Tried again with the next tick, or those jobs would be stuck until the agent's next hello.
        greeted.reconciliation = due;
        throw error;
      }
    }
  }

  #publish(touched: Touched): void {
    const { bus } = this.#parts;
    for (const [jobId, hostId] of touched.jobs) bus.publish("job.changed", { jobId, hostId });
    for (const jobId of touched.logs) bus.publish("job.log", { jobId });
    for (const hostId of touched.hosts) bus.publish("host.changed", { hostId });
    for (const hostId of touched.snapshots) bus.publish("snapshots.changed", { hostId });
  }

  async #applied(hostId: HostId, message: store.Applied): Promise<void> {
    await store.writeApplied(this.#parts.db, hostId, message);
    this.#parts.bus.publish("host.changed", { hostId });
  }

  async #remember(hostId: HostId, code: string, message: string): Promise<void> {
    const { db, clock, bus } = this.#parts;
    const problem = { code, message, at: instant(clock.now()) };
    await db.transaction().execute((trx) => store.writeProblem(trx, hostId, problem));
    bus.publish("host.changed", { hostId });
  }

  /** Lets work go on by itself; `stop` waits for it, and its errors are told. */
  #aside(doing: string, work: Promise<void>): void {
    const watched = work
      .catch((error: unknown) => this.#parts.onError(error, doing))
      .finally(() => this.#background.delete(watched));
    this.#background.add(watched);
  }

  #sweep(): void {
    const now = this.#parts.clock.now();
    for (const connection of this.hub.all()) {
      if (now - connection.lastFrameAt < OFFLINE_AFTER_MS) continue;
      connection.close("silent");
      this.#aside("mark a host offline", this.closed(connection));
    }
  }

  async #deliverAll(): Promise<void> {
    await this.#reconcile(this.hub.all());
    for (const hostId of await store.hostsWithWaitingJobs(this.#parts.db)) {
      if (this.hub.current(hostId) !== undefined) this.#delivery.to(hostId, false);
    }
  }

  #storeTrouble(error: unknown): void {
    const known = error instanceof Error ? error.message : "unknown error";
    const message = error === undefined ? undefined : known;
    if (message === this.#failing) return;
    const changed = (message === undefined) !== (this.#failing === undefined);
    this.#failing = message;
    if (error !== undefined) this.#parts.onError(error, "commit what agents report");
    if (changed)
      this.#parts.bus.publish("store.changed", { failing: message !== undefined, message: message ?? null });
  }
}
