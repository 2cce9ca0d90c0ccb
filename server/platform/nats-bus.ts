import { connect, RequestError, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { BusAwayError, localBus, type Bus, type BusTopic, type NodeTopic } from "./bus.ts";
import { deliverEnvelope, Outgoing, RequestOnTheWire } from "./bus-wire.ts";
import type { Clock } from "./clock.ts";
import type { NatsAddress } from "./nats-address.ts";

/** Events are gathered so long before they go out together: pages gather twice as long again. */
const GATHER_MS = 50;
/** How long another server may take to answer before it is asked again. */
const ANSWER_MS = 2_000;
/** How long a request is tried while NATS is away. */
const TRY_MS = 10_000;
/** How often a request looks whether NATS is back. */
const LOOK_MS = 100;
/** How often NATS is asked whether it lives; silent twice, it is gone. */
const PING_MS = 10_000;
/** The client is silent about a first connection that does not come: after so long somebody should hear of it. */
const FIRST_MS = 5_000;
/** Between two attempts to reach NATS again; up to as much again is chance. */
const RECONNECT_MS = 500;

export interface NatsBusParts {
  address: NatsAddress;
  clock: Clock;
  /** What this server is called. */
  node: string;
  /** The installation: several may share one NATS. */
  instance: string;
  onError: (error: unknown, topic: BusTopic | NodeTopic | "nats") => void;
}

/**
 * A bus between servers over NATS. It does not wait for NATS: without it this server goes on alone, says so by `bus.changed`, and
 * after NATS has come (back) tells everybody by `bus.resync` that events may have been missed.
 */
export function natsBus({ address, clock, node, instance, onError }: NatsBusParts): Bus {
  const local = localBus(onError, node);
  const outgoing = new Outgoing(node);
  const events = `rm.${instance}.events`;
  const nodeSubject = (name: string) => `rm.${instance}.node.${name}`;
  let connection: NatsConnection | null = null;
  let cutOff: number | null = clock.now();
  let gathering: (() => void) | null = null;
  let closed = false;

  const flush = () => {
    gathering = null;
    if (connection === null || cutOff !== null) return;
    for (const message of outgoing.take()) connection.publish(events, message);
  };
  const lost = () => {
    if (cutOff !== null || closed) return;
    cutOff = clock.now();
    local.publish("bus.changed", { cutOff: true });
  };
  const found = () => {
    if (cutOff === null || closed) return;
    cutOff = null;
    local.publish("bus.changed", { cutOff: false });
    // What the others said meanwhile was not heard here, and what was said here not there.
    local.publish("bus.resync", {});
    outgoing.resync();
    flush();
  };
  const heard = (message: Msg) => {
    try {
      deliverEnvelope(message.string(), node, local);
    } catch (error) {
      onError(error, "nats");
    }
  };
  const asked = (message: Msg) => {
    try {
      const { topic, request } = RequestOnTheWire.parse(message.json());
      // Answered before it is done: the caller only wants to know that somebody will.
      message.respond();
      void local.request(node, topic, request);
    } catch (error) {
      onError(error, "nats");
    }
  };
  const watch = async (nats: NatsConnection) => {
    for await (const status of nats.status()) {
      if (status.type === "disconnect" || status.type === "staleConnection") lost();
      else if (status.type === "reconnect") found();
      else if (status.type === "error") onError(status.error, "nats");
    }
  };
  const endFirst = clock.after(FIRST_MS, () => {
    const words = "not reached yet: check RM_NATS_URL, its user and password or token, and its certificate";
    if (connection === null && !closed) onError(new Error(words), "nats");
  });
  const { tls, ...where } = address;
  const opening = connect({
    ...where,
    ...(tls ? { tls: {} } : {}),
    name: `restic-manager ${node}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_MS,
    reconnectJitterTLS: RECONNECT_MS,
    waitOnFirstConnect: true,
    // A password that is wrong now may be put right there.
    ignoreAuthErrorAbort: true,
    pingInterval: PING_MS,
    noEcho: true,
  })
    .then(async (nats) => {
      connection = nats;
      endFirst();
      if (closed) return await nats.close();
      nats.subscribe(events, {
        callback: (error, message) => (error ? onError(error, "nats") : heard(message)),
      });
      nats.subscribe(nodeSubject(node), {
        callback: (error, message) => (error ? onError(error, "nats") : asked(message)),
      });
      // Until NATS knows of the subscriptions, others would find nobody here.
      await nats.flush();
      found();
      await watch(nats);
    })
    .catch((error: unknown) => {
      if (!closed) onError(error, "nats");
    });

  /** One attempt; undefined when it must be made again. */
  const attempt = async (
    nats: NatsConnection,
    subject: string,
    body: string,
  ): Promise<boolean | undefined> => {
    try {
      await nats.request(subject, body, { timeout: ANSWER_MS });
      return true;
    } catch (error) {
      return error instanceof RequestError && error.isNoResponders() ? false : undefined;
    }
  };

  return {
    publish(topic, event) {
      local.publish(topic, event);
      if (cutOff === null && !closed && outgoing.note(topic, event))
        gathering ??= clock.after(GATHER_MS, flush);
    },
    subscribe: (topic, handle) => local.subscribe(topic, handle),
    respond: (topic, handle) => local.respond(topic, handle),
    async request(to, topic, request) {
      if (to === node) return await local.request(to, topic, request);
      const body = JSON.stringify({ topic, request });
      const until = clock.elapsed() + TRY_MS;
      while (!closed && clock.elapsed() < until) {
        if (connection !== null && cutOff === null) {
          const answer = await attempt(connection, nodeSubject(to), body);
          if (answer !== undefined) return answer;
        }
        // Also after a failed attempt: one that failed because NATS had gone must not spin until that is noticed.
        await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve));
      }
      throw new BusAwayError(`server ${to} could not be asked: NATS is away, or it does not answer`);
    },
    cutOffSince: () => cutOff,
    async close() {
      flush();
      closed = true;
      gathering?.();
      endFirst();
      // One that never came up keeps trying until the process ends; nothing waits for it.
      if (connection === null) return;
      // What was sent is sent; without NATS, or with one that does not answer, there is nothing to wait for.
      if (cutOff === null)
        await Promise.race([
          connection.drain().catch(() => undefined),
          new Promise<void>((resolve) => void clock.after(ANSWER_MS, resolve)),
        ]);
      await connection.close();
      await opening;
    },
  };
}
