import { encodeDurable } from "@restic-manager/protocol/frame";
import { JobId, type HostId } from "@restic-manager/protocol/ids";
import type { DurableMessage } from "@restic-manager/protocol/messages";
import type { ServerMessage } from "@restic-manager/protocol/server-message";
import { Link } from "../link/link.ts";
import type { LinkParts } from "../link/link-parts.ts";
import { localBus } from "../platform/bus.ts";
import type { Database } from "../platform/db/schema.ts";
import { testClock, type TestClock } from "./clock.ts";

/** The epoch that a test's agent speaks of unless told otherwise. */
export const EPOCH = "0123456789abcdef0123456789abcdef";
const JOB = JobId.parse("01JD0000000000000000000000");
export const gap = (n: number): DurableMessage => ({ type: "log.gap", job_id: JOB, first_line: n, count: 1 });

/** A link over a real store, with sockets that only remember. */
export function linkWorld(db: Database, given: Partial<LinkParts> & { clock?: TestClock } = {}) {
  const clock = given.clock ?? testClock();
  const errors: unknown[] = [];
  const applied: number[] = [];
  const bus = given.bus ?? localBus((error) => errors.push(error));
  const link = new Link({
    db,
    publicAddress: async () => "https://backup.example.org",
    apply: async (_trx, _from, durable) => {
      if (durable.type === "message" && durable.message.type === "log.gap")
        applied.push(durable.message.first_line);
    },
    applyLogs: async () => {},
    refreshHosts: async () => {},
    finishLost: async () => {},
    configFor: async () => undefined,
    adminFor: async () => undefined,
    schedulesFor: async () => undefined,
    progress: () => {},
    arrived: async () => {},
    isStoreTrouble: () => false,
    onError: (error) => errors.push(error),
    ...given,
    clock,
    bus,
  });
  link.start();
  const dial = (hostId: HostId) => {
    const said: ServerMessage[] = [];
    let closed: number | undefined;
    const socket = {
      send: (text: string) => {
        said.push(JSON.parse(text) as ServerMessage);
        return true;
      },
      close: (code: number) => void (closed = code),
    };
    const connection = link.opened(hostId, socket, "192.0.2.7");
    const send = async (data: string | Uint8Array) => {
      link.received(connection, data);
      await link.settled();
    };
    return {
      connection,
      said,
      send,
      closed: () => closed,
      hello: (change: Record<string, unknown> = {}) =>
        send(
          JSON.stringify({
            type: "hello",
            protocol_version: 1,
            machine_id: "m1",
            epoch: EPOCH,
            outbox: { lowest: 1, highest: 0 },
            jobs: [],
            ...change,
          }),
        ),
      durable: (seq: number) => send(encodeDurable(seq, gap(seq))),
      acks: () => said.flatMap((message) => (message.type === "ack" ? [message.seq] : [])),
    };
  };
  return { link, clock, bus, errors, applied, dial };
}
