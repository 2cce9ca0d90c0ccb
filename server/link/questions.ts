import type { HostId } from "@restic-manager/protocol/ids";
import type { TreeAnswer, TreeQuestion } from "@restic-manager/protocol/tree";
import { BROWSING_SINCE } from "@restic-manager/protocol/version";
import type { Answered, Bus, NodeRequests } from "../platform/bus.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { nodesOf } from "./presence-store.ts";

/** An agent keeps to the deadline itself; its answer needs a moment to come. */
const GRACE_MS = 2_000;

/** Most questions that one server has open at one agent: whoever asks more is turned away at once. */
const MOST_OPEN = 16;

/** A question without the parts that the link adds. */
export type Question = TreeQuestion extends infer Q
  ? Q extends TreeQuestion
    ? Omit<Q, "request_id" | "deadline_ms">
    : never
  : never;

export interface QuestionParts {
  db: Database;
  clock: Clock;
  bus: Bus;
  hub: Hub;
  /** This server. */
  node: string;
  /** Lets work go on by itself. */
  aside: (doing: string, work: Promise<void>) => void;
}

interface Open {
  hostId: HostId;
  /** The connection that was asked, here; none when another server asks it. */
  connection: Connection | undefined;
  settle: (answered: Answered) => void;
}

/**
 * Questions to agents and their answers, here or through the server that has the agent. Nothing is kept: an answer that is lost is asked
 * for again by whoever still wants it.
 */
export class Questions {
  readonly #parts: QuestionParts;
  readonly #open = new Map<string, Open>();

  constructor(parts: QuestionParts) {
    this.#parts = parts;
  }

  /** How many wait for an answer. */
  get open(): number {
    return this.#open.size;
  }

  /** Asks a host's agent. Never throws but for the store; a `cancel` is passed on to the agent. */
  async ask(
    hostId: HostId,
    question: Question,
    options: { deadlineMs: number; cancel?: AbortSignal },
  ): Promise<Answered> {
    const { clock, hub, db, node } = this.#parts;
    if (options.cancel?.aborted === true) return { ok: false, why: "cancelled" };
    if (this.#isBusy(hostId)) return { ok: false, why: "agent_busy" };
    const request_id = crypto.randomUUID();
    const whole = { ...question, request_id, deadline_ms: options.deadlineMs } as TreeQuestion;
    const { promise, resolve } = Promise.withResolvers<Answered>();
    const ends: Cancel[] = [];
    const settle = (answered: Answered): void => {
      if (!this.#open.delete(request_id)) return;
      for (const end of ends) end();
      resolve(answered);
    };
    const open: Open = { hostId, connection: hub.current(hostId), settle };
    this.#open.set(request_id, open);
    ends.push(clock.after(options.deadlineMs + GRACE_MS, () => settle({ ok: false, why: "timed_out" })));
    let tellCancel = (): void => {};
    const cancelled = (): void => {
      tellCancel();
      settle({ ok: false, why: "cancelled" });
    };
    options.cancel?.addEventListener("abort", cancelled, { once: true });
    ends.push(() => options.cancel?.removeEventListener("abort", cancelled));
    if (open.connection !== undefined) {
      tellCancel = () => this.#leave(hostId, request_id);
      this.#tell(open, whole);
      return await promise;
    }
    const [there] = await nodesOf(db, [hostId]).catch((error: unknown) => {
      settle({ ok: false, why: "host_offline" });
      throw error;
    });
    if (there === undefined || there.node === node) settle({ ok: false, why: "host_offline" });
    else {
      tellCancel = () => this.#request(there.node, "link.leave", { hostId, requestId: request_id });
      const request = { hostId, from: node, question: whole };
      const taken = await this.#parts.bus.request(there.node, "link.ask", request).catch(() => false);
      // Nobody there: its agents are on their way to another server.
      if (!taken) settle({ ok: false, why: "host_offline" });
    }
    return await promise;
  }

  /** An agent answered on this server. */
  answered(hostId: HostId, answer: TreeAnswer): void {
    const open = this.#open.get(answer.request_id);
    // Only the host that was asked may answer.
    if (open?.hostId === hostId) open.settle({ ok: true, answer });
  }

  /** A connection ended: nothing more comes from it. */
  left(connection: Connection): void {
    for (const open of this.#open.values())
      if (open.connection === connection) open.settle({ ok: false, why: "host_offline" });
  }

  /** Does what other servers ask. Returns what ends it. */
  follow(): (() => void)[] {
    const { bus, hub, clock } = this.#parts;
    return [
      bus.respond("link.ask", ({ hostId, from, question }) => {
        const { request_id } = question;
        // The bus asks again when it is not sure that it was heard.
        if (this.#open.has(request_id)) return;
        const settle = (answered: Answered): void => {
          if (!this.#open.delete(request_id)) return;
          end();
          this.#request(from, "link.answer", { hostId, requestId: request_id, answered });
        };
        const end = clock.after(question.deadline_ms + GRACE_MS, () =>
          settle({ ok: false, why: "timed_out" }),
        );
        const open = { hostId, connection: hub.current(hostId), settle };
        const busy = this.#isBusy(hostId);
        this.#open.set(request_id, open);
        if (busy) settle({ ok: false, why: "agent_busy" });
        else this.#tell(open, question);
      }),
      bus.respond("link.answer", ({ hostId, requestId, answered }) => {
        const open = this.#open.get(requestId);
        if (open?.hostId === hostId) open.settle(answered);
      }),
      bus.respond("link.leave", ({ hostId, requestId }) => {
        if (this.#open.get(requestId)?.hostId === hostId) this.#leave(hostId, requestId);
      }),
    ];
  }

  #isBusy(hostId: HostId): boolean {
    let open = 0;
    for (const one of this.#open.values()) if (one.hostId === hostId) open += 1;
    return open >= MOST_OPEN;
  }

  #tell({ connection, settle }: Open, question: TreeQuestion): void {
    if (connection?.greeted === undefined) settle({ ok: false, why: "host_offline" });
    else if (connection.protocol < BROWSING_SINCE) settle({ ok: false, why: "agent_outdated" });
    else if (!connection.send(question)) settle({ ok: false, why: "host_offline" });
  }

  #leave(hostId: HostId, requestId: string): void {
    this.#parts.hub.current(hostId)?.send({ type: "tree.cancel", request_id: requestId });
  }

  #request<T extends "link.answer" | "link.leave">(node: string, topic: T, request: NodeRequests[T]): void {
    this.#parts.aside(
      "tell another server of a question",
      this.#parts.bus.request(node, topic, request).then(() => {}),
    );
  }
}
