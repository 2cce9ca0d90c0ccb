import { localBus, type Bus } from "../platform/bus.ts";
import { deliverEnvelope, Outgoing } from "../platform/bus-wire.ts";

/** Buses of several servers in one process, joined as over NATS, that can be cut off. */
export interface JoinedBuses {
  bus(node: string): Bus;
  /** Cuts a server off from the others, or joins it again. */
  cut(node: string, off: boolean): void;
}

/** Messages arrive at once, in the form in which they travel. */
export function joinedBuses(nodes: string[], onError: (error: unknown) => void): JoinedBuses {
  const locals = new Map(nodes.map((node) => [node, localBus(onError, node)]));
  const off = new Set<string>();
  const reach = (from: string, to: string) => from === to || (!off.has(from) && !off.has(to));
  const tell = (from: string, outgoing: Outgoing) => {
    for (const message of outgoing.take())
      for (const [to, local] of locals) if (reach(from, to)) deliverEnvelope(message, to, local);
  };
  const of = (node: string): Bus => {
    const local = locals.get(node);
    if (local === undefined) throw new Error(`there is no server ${node}`);
    return local;
  };
  return {
    bus(node) {
      const local = of(node);
      const outgoing = new Outgoing(node);
      return {
        ...local,
        publish(topic, event) {
          local.publish(topic, event);
          if (outgoing.note(topic, event)) tell(node, outgoing);
        },
        async request(to, topic, request) {
          return reach(node, to) && locals.has(to) && (await of(to).request(to, topic, request));
        },
        cutOffSince: () => (off.has(node) ? 0 : null),
      };
    },
    cut(node, cutOff) {
      if (cutOff) off.add(node);
      else off.delete(node);
      of(node).publish("bus.changed", { cutOff });
      if (cutOff) return;
      of(node).publish("bus.resync", {});
      const outgoing = new Outgoing(node);
      outgoing.resync();
      tell(node, outgoing);
    },
  };
}
