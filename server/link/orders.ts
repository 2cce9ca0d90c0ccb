import type { HostId } from "@restic-manager/protocol/ids";
import { isExclusive } from "@restic-manager/protocol/jobs/exclusive";
import type { Bus, BusEvents } from "../platform/bus.ts";
import type { Clock } from "../platform/clock.ts";
import type { Hub } from "./hub.ts";
import type { Router } from "./route.ts";

/** While other servers cannot tell of what waits for agents here, the store is looked at so often. */
const CUT_OFF_MS = 5_000;

export interface OrderParts {
  clock: Clock;
  bus: Bus;
  hub: Hub;
  router: Router;
  /** Delivers what waits for an agent here. `turn`: it may be something that needs the repository for itself. */
  deliver: (hostId: HostId, turn: boolean) => void;
  configure: (hostId: HostId) => Promise<void>;
  /** Sends an agent here what it fires by itself. */
  schedule: (hostId: HostId) => Promise<void>;
  /** Reads what other servers told while they could not be heard. */
  catchUp: () => Promise<void>;
  /** Lets work go on by itself. */
  aside: (doing: string, work: Promise<void>) => void;
}

/** Does what rooms and other servers want of the agents here, and passes on what is for an agent elsewhere. Returns what ends it. */
export function followOrders(parts: OrderParts): (() => void)[] {
  const { clock, bus, hub, router, deliver, aside } = parts;
  const cancel = ({ hostId, jobId, now }: BusEvents["job.cancel"]): boolean => {
    const connection = hub.current(hostId);
    connection?.send({ type: "command.cancel", job_id: jobId, now });
    return connection !== undefined;
  };
  const catchUp = () => aside("catch up with other servers", parts.catchUp());
  return [
    bus.subscribe("job.queued", ({ hostId, kind }) => {
      const turn = kind === undefined || isExclusive(kind);
      if (hub.current(hostId) === undefined) router.deliver(hostId, turn);
      else deliver(hostId, turn);
    }),
    bus.subscribe("job.cancel", (request) => {
      if (!cancel(request)) aside("cancel a job elsewhere", router.cancel(request));
    }),
    bus.subscribe("config.changed", ({ hostId }) =>
      aside("send an agent its configuration", parts.configure(hostId)),
    ),
    bus.subscribe("schedules.changed", ({ hostId }) =>
      aside("send an agent its schedules", parts.schedule(hostId)),
    ),
    bus.subscribe("host.removed", ({ hostId }) => {
      const words = "This machine was removed from restic-manager.";
      hub.current(hostId)?.refuse("revoked", "revoked", words);
    }),
    bus.respond("link.deliver", ({ hostIds, turns = hostIds }) => {
      const needed = new Set(turns);
      for (const hostId of hostIds) deliver(hostId, needed.has(hostId));
    }),
    bus.respond("link.cancel", (request) => void cancel(request)),
    bus.respond("link.replaced", ({ hosts }) => {
      for (const { hostId, connection: last } of hosts) {
        const connection = hub.current(hostId);
        if (connection !== undefined && connection.number <= last) connection.close("replaced");
      }
    }),
    bus.subscribe("bus.resync", catchUp),
    clock.every(CUT_OFF_MS, () => {
      if (bus.cutOffSince() !== null) catchUp();
    }),
  ];
}
