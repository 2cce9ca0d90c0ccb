import type { Hello } from "@restic-manager/protocol/hello";
import { instant } from "../platform/clock.ts";
import type { Trx } from "../platform/db/schema.ts";
import type { Connection, Greeted } from "./connection.ts";
import {
  adopt,
  beginEpoch,
  believedHeld,
  NO_EPOCH,
  standing,
  takeLink,
  writeHello,
  type Holder,
} from "./store.ts";

/** What a hello comes to. */
export type Greeting =
  | { verdict: "unknown_host" }
  /** Another machine is connected to another server with the same bearer. */
  | { verdict: "clone" }
  /** The agent's state is older than what was committed: it must start a new numbering and say hello again. */
  | { verdict: "new_epoch"; lastSeq: number }
  | { verdict: "open"; next: "continue" | "resync"; greeted: Greeted; former: Holder | undefined };

/** The server that takes the hello, and which others live: only a living one can still have the host's former connection. */
export interface Surroundings {
  node: string;
  live: readonly string[];
}

/**
 * Compares what an agent says of itself with what the server has committed, and writes down the result. link.md, the
 * server's rules 5, 6, 7 and 10.
 */
export async function greet(
  trx: Trx,
  connection: Connection,
  hello: Hello,
  now: number,
  { node, live }: Surroundings,
): Promise<Greeting> {
  const { hostId } = connection;
  const { epoch } = hello;
  const { lowest, highest } = hello.outbox;
  const before = await standing(trx, hostId);
  if (before === undefined) return { verdict: "unknown_host" };
  const former = formerHolder(before, node, live);
  if (former !== undefined && before.machine_id !== null && before.machine_id !== hello.machine_id)
    return { verdict: "clone" };
  const holder = { node, connection: connection.number };
  const committed = await takeLink(trx, hostId, epoch, holder);
  if (committed !== undefined && highest < committed) return { verdict: "new_epoch", lastSeq: committed };
  // An epoch that begins above 1 was known to a server that has been restored from an older copy since.
  const known = committed ?? 0;
  const forgotten = lowest > known + 1;
  const lastSeq = forgotten ? lowest - 1 : known;
  if (committed === undefined || forgotten) await beginEpoch(trx, hostId, epoch, lastSeq, { now, holder });

  const held = new Set(hello.jobs.map((job) => job.id));
  const believed = await believedHeld(trx, hostId);
  await adopt(
    trx,
    believed.filter((job) => held.has(job.id) && job.sentEpoch !== epoch).map((job) => job.id),
    epoch,
  );
  const lost = believed.flatMap((job) => {
    if (held.has(job.id)) return [];
    if (job.sentEpoch !== epoch) return { jobId: job.id, why: "agent_state_lost" as const };
    return job.accepted ? { jobId: job.id, why: "agent_lost_job" as const } : [];
  });
  // Another life of the agent's state than the one whose reports are here: it tells everything anew (rule 6). What is noted as
  // known stays behind until the agent has answered, so that a connection that breaks in between only asks again.
  const resyncing = forgotten || (before.epoch !== null && before.epoch !== epoch);
  const knownEpoch = resyncing ? NO_EPOCH : epoch;
  await writeHello(trx, hostId, hello, { now, address: connection.address, epoch: knownEpoch, holder });
  return {
    verdict: "open",
    former,
    next: resyncing ? "resync" : "continue",
    greeted: {
      epoch,
      received: lastSeq,
      committed: lastSeq,
      reconciliation: lost.length === 0 ? undefined : { upTo: highest, lost },
      resyncing,
    },
  };
}

/** The connection that another living server has of this host, as far as the store knows. */
function formerHolder(
  { online, link_node, link_connection }: NonNullable<Awaited<ReturnType<typeof standing>>>,
  node: string,
  live: readonly string[],
): Holder | undefined {
  if (online === 0 || link_node === null || link_node === node || !live.includes(link_node)) return undefined;
  return { node: link_node, connection: link_connection ?? 0 };
}

/** The frame that answers a hello which was taken. */
export function welcome(
  protocolVersion: number,
  now: number,
  lastSeq: number,
  next: "continue" | "new_epoch" | "resync",
) {
  return {
    type: "welcome" as const,
    protocol_version: protocolVersion,
    server_time: instant(now),
    last_seq: lastSeq,
    next,
  };
}
