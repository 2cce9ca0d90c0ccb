import { parseAgentFrame, type AgentFrame } from "@restic-manager/protocol/frame";
import type { Hello } from "@restic-manager/protocol/hello";
import type { HostId } from "@restic-manager/protocol/ids";
import { OFFLINE_AFTER_MS, WINDOW_FRAMES } from "@restic-manager/protocol/limits";
import type { TransientMessage } from "@restic-manager/protocol/messages";
import { judgeProtocol, PROTOCOL_VERSION } from "@restic-manager/protocol/version";
import { storeTime } from "../platform/db/store-time.ts";
import { Configurer } from "./configure.ts";
import { Connection, type Greeted } from "./connection.ts";
import { Delivery, RESEND_MS } from "./deliver.ts";
import { Downloads } from "./downloads.ts";
import { Greeter } from "./greeter.ts";
import { welcome, type Arrival, type Greeting } from "./greet.ts";
import { HelloDeadline } from "./hello-deadline.ts";
import { sendAway } from "./drain.ts";
import { Hub } from "./hub.ts";
import { Ingest } from "./ingest.ts";
import type { LinkSocket } from "./socket.ts";
import type { NodeParts } from "./nodes.ts";
import { followOrders } from "./orders.ts";
import { ScheduleSender } from "./schedule-sender.ts";
import type { LinkParts } from "./link-parts.ts";
import { Questions } from "./questions.ts";
import { Presence } from "./presence.ts";
import { reconcile } from "./reconcile.ts";
import { Refusals } from "./refusals.ts";
import { Router } from "./route.ts";
import * as store from "./store.ts";
import { oneAtATime } from "./tick.ts";
import { StoreTrouble } from "./trouble.ts";
import { publishTouched, type Touched } from "./touched.ts";

/** How often silent connections are looked for. */
const SWEEP_MS = 10_000;
/** How often the last sign of life of connected hosts is written down. */
const SEEN_MS = 5 * 60_000;

/** The server's end of the link: who is connected, what they say, what they are told. link.md, the server's rules. */
export class Link {
  readonly hub = new Hub();
  /** What is asked of agents and answered at once. */
  readonly questions: Questions;
  /** What agents send to browsers. */
  readonly downloads: Downloads;
  readonly #parts: LinkParts;
  readonly #ingest: Ingest;
  readonly #delivery: Delivery;
  readonly #configurer: Configurer;
  readonly #schedules: ScheduleSender;
  readonly #presence: Presence;
  readonly #router: Router;
  readonly #refusals: Refusals;
  readonly #trouble: StoreTrouble;
  readonly #nodes: NodeParts;
  readonly #greeter: Greeter;
  readonly #deadline: HelloDeadline;
  readonly #endings: (() => void)[] = [];
  readonly #background = new Set<Promise<void>>();
  #opened = 0;
  /** The server stops: its agents are told, and count as connected until another server or the next start judges them. */
  #leaving = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    const { db, clock } = parts;
    this.#nodes = parts.nodes ?? {
      node: "alone",
      alone: true,
      live: () => ["alone"],
      time: storeTime(db, clock),
    };
    const { node, alone, live, time } = this.#nodes;
    this.#trouble = new StoreTrouble(parts);
    this.#deadline = new HelloDeadline(clock);
    this.#greeter = new Greeter({
      ...parts,
      node,
      live,
      isCurrent: (connection) => this.hub.isCurrent(connection),
      greeted: (arrival, greeting, now) => this.#greeted(arrival, greeting, now),
      failed: (connections, error) => this.#notGreeted(connections, error),
    });
    this.#configurer = new Configurer({ ...parts, hub: this.hub });
    this.#schedules = new ScheduleSender({ ...parts, hub: this.hub });
    const configure = (hostId: HostId) => this.#configurer.send(hostId);
    const schedule = (hostId: HostId) => this.#schedules.send(hostId);
    this.#presence = new Presence({ ...parts, hub: this.hub, node, time, configure, schedule });
    this.#router = new Router({
      ...parts,
      node,
      alone,
      onError: (e) => parts.onError(e, "tell another server of what waits for an agent"),
    });
    const aside = (doing: string, work: Promise<void>) => this.#aside(doing, work);
    this.questions = new Questions({ ...parts, node, hub: this.hub, aside });
    this.downloads = new Downloads({ ...parts, node, hub: this.hub, aside });
    this.#refusals = new Refusals({ ...parts, aside });
    this.#delivery = new Delivery({
      ...parts,
      node,
      hub: this.hub,
      configure,
      onError: (e) => parts.onError(e, "deliver jobs"),
    });
    this.#ingest = new Ingest({
      ...parts,
      node,
      isCurrent: (connection) => this.hub.isCurrent(connection),
      // In one order, as everybody who locks several hosts on PostgreSQL.
      settle: (trx, touched) => parts.refreshHosts(trx, [...touched.hosts].toSorted()),
      committed: (touched, connections) => this.#committed(touched, connections),
      trouble: (error) => this.#trouble.note(error),
    });
  }

  /** Begins to watch the clock and the bus. */
  start(): void {
    const { clock } = this.#parts;
    const deliver = oneAtATime(() => this.#deliverAll());
    const seen = oneAtATime(() => this.#presence.writeSeen());
    const catchUp = oneAtATime(() => this.#catchUp());
    this.#endings.push(
      ...this.questions.follow(),
      ...this.downloads.follow(),
      ...followOrders({
        ...this.#parts,
        hub: this.hub,
        router: this.#router,
        deliver: (hostId, turn) => this.#delivery.to(hostId, { turn }),
        configure: (hostId) => this.#configurer.send(hostId),
        schedule: (hostId) => this.#schedules.send(hostId),
        catchUp,
        aside: (doing, work) => this.#aside(doing, work),
      }),
      clock.every(SWEEP_MS, () => this.#sweep()),
      clock.every(RESEND_MS, () => this.#aside("deliver jobs", deliver())),
      clock.every(SEEN_MS, () => this.#aside("write last seen", seen())),
      // Whoever was connected before a restart gets the time to come back before it counts as offline.
      clock.after(OFFLINE_AFTER_MS, () => this.judgeAbsent()),
    );
  }

  /** Looks for hosts that count as connected and are not. */
  judgeAbsent(): void {
    this.#aside("mark hosts offline", this.#presence.forgetAbsent());
  }

  /**
   * Sends every agent away in small steps, so that they come to the other servers one after the other, and lets no new one in. Then
   * call `stop`.
   */
  async drain(): Promise<void> {
    this.#leaving = true;
    await this.#presence.writeSeen().catch((error: unknown) => this.#parts.onError(error, "write last seen"));
    await sendAway(this.hub.all(), this.#parts.clock);
  }

  /** Closes every socket with "restarting"; what was taken is committed first. */
  async stop(): Promise<void> {
    this.#leaving = true;
    for (const end of this.#endings.splice(0)) end();
    const connections = this.hub.all();
    await this.#ingest.stop();
    await this.#delivery.settled();
    await this.#router.settled();
    for (const connection of connections) connection.close("restarting");
    await this.#greeter.settled();
    await Promise.allSettled(this.#background);
  }

  /** Resolves when everything taken so far is committed, delivered and answered. */
  async settled(): Promise<void> {
    for (;;) {
      await this.#greeter.settled();
      await Promise.all(this.#background);
      await this.#ingest.settled();
      await this.#delivery.settled();
      await this.#router.settled();
      if (this.#background.size === 0) return;
    }
  }

  /** A socket whose bearer was found good. The first frame must be a hello. */
  opened(hostId: HostId, socket: LinkSocket, address: string | null): Connection {
    this.#opened += 1;
    const connection = new Connection({
      hostId,
      socket,
      address,
      clock: this.#parts.clock,
      number: this.#opened,
    });
    if (this.#leaving) {
      connection.close("restarting");
      return connection;
    }
    this.#deadline.begin(connection);
    return connection;
  }

  /** One frame, as it came. */
  received(connection: Connection, data: string | Uint8Array): void {
    if (connection.closed) return;
    const now = this.#parts.clock.now();
    connection.heard(this.#parts.clock);
    const frame = parseAgentFrame(data);
    switch (frame.type) {
      case "hello":
        return this.#hello(connection, frame.hello);
      case "foreign_hello":
        return this.#refusals.foreign(connection, frame.protocol_version);
      case "transient":
        return this.#transient(connection, frame.message);
      case "malformed":
        connection.complain(now, frame.reason);
        if (frame.seq !== undefined) this.#durable(connection, frame.seq, frame, data);
        return;
      case "download":
        if (connection.greeted !== undefined && this.hub.isCurrent(connection))
          this.downloads.chunk(connection, frame.header, frame.chunk);
        return;
      case "durable":
        return this.#durable(connection, frame.seq, frame, data);
    }
  }

  /** The socket is gone, whoever closed it. */
  async closed(connection: Connection): Promise<void> {
    connection.closed = true;
    this.#deadline.end(connection);
    this.questions.left(connection);
    this.downloads.left(connection);
    if (this.hub.leave(connection) && !this.#leaving) await this.#presence.left(connection);
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
        this.#aside("note what an agent applied", store.writeApplied(this.#parts, hostId, message));
        return;
      case "tree.list.result":
      case "tree.search.result":
      case "tree.versions.result":
      case "tree.failed":
        return this.questions.answered(hostId, message);
      case "download.end":
      case "download.failed":
        return this.downloads.ended(connection, message);
    }
  }

  #hello(connection: Connection, hello: Hello): void {
    if (judgeProtocol(hello.protocol_version) !== "served")
      return this.#refusals.foreign(connection, hello.protocol_version);
    // A second one would let numbers be taken again that still wait for the store.
    if (connection.greeted !== undefined || this.#greeter.has(connection))
      return connection.complain(this.#parts.clock.now(), "hello was said before on this connection");
    const other = this.hub.current(connection.hostId);
    const alive = other !== undefined && this.#parts.clock.elapsed() - other.heardAt < OFFLINE_AFTER_MS;
    if (other !== undefined && other !== connection && alive && other.machineId !== hello.machine_id) {
      return this.#refusals.clone(connection, hello);
    }
    connection.machineId = hello.machine_id;
    connection.protocol = hello.protocol_version;
    // Newest first: from here on frames of an older connection are ignored, so `last_seq` stands still while we look.
    this.hub.enter(connection);
    this.#greeter.take({ connection, hello });
  }

  #notGreeted(connections: Connection[], error: unknown): void {
    this.#parts.onError(error, "answer a hello");
    if (this.#parts.isStoreTrouble(error)) this.#trouble.note(error);
    for (const connection of connections) connection.close("store");
  }

  #greeted({ connection, hello }: Arrival, greeting: Greeting, now: number): void {
    const { hostId } = connection;
    // It was written: what an earlier hello met is over. Without this an agent with nothing more to say would leave the alarm on.
    this.#trouble.note(undefined);
    if (!this.hub.isCurrent(connection)) {
      if (greeting.verdict === "open" && !this.#leaving)
        this.#aside("mark a host offline", this.#presence.left(connection));
      return;
    }
    if (greeting.verdict === "clone") {
      // It never was the host's connection: its end is not the host's.
      this.hub.leave(connection);
      return this.#refusals.clone(connection, hello);
    }
    if (greeting.verdict === "unknown_host") {
      return connection.refuse("revoked", "revoked", "This machine was removed from restic-manager.");
    }
    this.#deadline.end(connection);
    if (greeting.verdict === "new_epoch")
      return void connection.send(welcome(PROTOCOL_VERSION, now, greeting.lastSeq, "new_epoch"));
    const { former, greeted, next, awaited, turn } = greeting;
    if (former !== undefined) {
      const replaced = this.#router.replaced(former.node, [{ hostId, connection: former.connection }]);
      this.#aside("tell a server that its agent is here", replaced);
    }
    connection.greeted = greeted;
    connection.send(welcome(PROTOCOL_VERSION, now, greeted.committed, next));
    connection.holds(hello, next);
    this.#parts.bus.publish("host.changed", { hostId });
    this.#aside("send commands once more", this.#delivery.again([connection]));
    if (greeted.reconciliation !== undefined)
      this.#aside("finish lost jobs", reconcile(this.#parts, [connection]));
    // Most agents come back to nothing new, and then nothing is asked for.
    if (awaited || connection.missed)
      this.#delivery.to(hostId, { resend: true, turn: turn || connection.missed });
    else if (greeting.configVersion !== connection.configVersion)
      this.#aside("send an agent its configuration", this.#configurer.send(hostId));
    if (connection.missed || greeting.scheduleVersion !== connection.scheduleVersion)
      this.#aside("send an agent its schedules", this.#schedules.send(hostId));
  }

  #committed(touched: Touched, connections: Connection[]): void {
    publishTouched(this.#parts.bus, touched);
    for (const unfit of touched.unfit) this.#parts.onUnfit?.(unfit);
    for (const [jobId, hostId] of touched.letGo) {
      this.hub.current(hostId)?.send({ type: "command.cancel", job_id: jobId, now: false });
    }
    this.#aside("finish lost jobs", reconcile(this.#parts, connections));
  }

  /** Lets work go on by itself; `stop` waits for it, and its errors are told. */
  #aside(doing: string, work: Promise<void>): void {
    const watched = work
      .catch((error: unknown) => this.#parts.onError(error, doing))
      .finally(() => this.#background.delete(watched));
    this.#background.add(watched);
  }

  #sweep(): void {
    // Not by the clock on the wall: set ahead it would throw every agent out at once, set back keep dead ones for hours.
    const now = this.#parts.clock.elapsed();
    for (const connection of this.hub.all()) {
      if (now - connection.heardAt < OFFLINE_AFTER_MS) continue;
      connection.close("silent");
      this.#aside("mark a host offline", this.closed(connection));
    }
  }

  /** What other servers told while they could not be heard is in the store. */
  async #catchUp(): Promise<void> {
    await this.#presence.compare();
    await this.#deliverAll();
  }

  async #deliverAll(): Promise<void> {
    await reconcile(this.#parts, this.hub.all());
    await this.#delivery.again(this.hub.all());
    for (const { hostId, turn } of await store.hostsWithWaitingJobs(this.#parts.db, this.#nodes.node))
      if (this.hub.current(hostId) !== undefined) this.#delivery.to(hostId, { turn });
  }
}
