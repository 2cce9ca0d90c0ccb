import type { Hello } from "@restic-manager/protocol/hello";
import type { HostId } from "@restic-manager/protocol/ids";
import { isExclusive } from "@restic-manager/protocol/jobs/exclusive";
import { instant } from "../platform/clock.ts";
import type { Trx } from "../platform/db/schema.ts";
import type { Connection, Greeted } from "./connection.ts";
import {
  activeJobs,
  adopt,
  lockEpochs,
  standings,
  takeLinks,
  writeMachine,
  writePresent,
  type ActiveJob,
  type HostStanding,
} from "./greet-store.ts";
import { beginEpoch, NO_EPOCH, type Holder } from "./store.ts";

/** A hello and the connection it was said on. */
export interface Arrival {
  connection: Connection;
  hello: Hello;
}

/** What a hello comes to. */
export type Greeting =
  | { verdict: "unknown_host" }
  /** Another machine is connected to another server with the same bearer. */
  | { verdict: "clone" }
  /** The agent's state is older than what was committed: it must start a new numbering and say hello again. */
  | { verdict: "new_epoch"; lastSeq: number }
  | {
      verdict: "open";
      next: "continue" | "resync";
      greeted: Greeted;
      former: Holder | undefined;
      /** Version of the configuration that the agent should have. */
      configVersion: number;
      /** The same for what it should fire by itself. */
      scheduleVersion: number;
      /** There is something to deliver. */
      awaited: boolean;
      /** Something of it may need the repository for itself. */
      turn: boolean;
    };

export interface GreetParts {
  now: number;
  /** The server that takes the hellos, and which others live: only a living one can still have a host's former connection. */
  node: string;
  live: readonly string[];
  /** Starts what hosts need at once. */
  arrived: (trx: Trx, hostIds: HostId[]) => Promise<void>;
  /** Recomputes what is derived from hosts' facts. */
  refreshHosts: (trx: Trx, hostIds: HostId[]) => Promise<void>;
}

/**
 * Compares what agents say of themselves with what the server has committed, and writes down the result. link.md, the server's
 * rules 5, 6, 7 and 10. All of them in a few statements: a fleet that comes back at once is written in the time of some hundred
 * transactions and not of ten thousand.
 *
 * @param arrivals at most one of each host.
 */
export async function greetAll(
  trx: Trx,
  arrivals: readonly Arrival[],
  parts: GreetParts,
): Promise<Map<Connection, Greeting>> {
  const { now, node } = parts;
  const greetings = new Map<Connection, Greeting>();
  const all = arrivals.map(({ connection }) => connection.hostId);
  const lives = await lockEpochs(trx, all);
  const committedOf = new Map(lives.map((row) => [`${row.host_id} ${row.epoch}`, row.last_seq]));
  const known = await standings(trx, all);
  const comers = arrivals.flatMap(({ connection, hello }) => {
    const before = known.get(connection.hostId);
    const former = before === undefined ? undefined : formerHolder(before, parts);
    const clone =
      former !== undefined && before?.machine_id !== null && before?.machine_id !== hello.machine_id;
    if (before !== undefined && !clone) return { connection, hello, before, former };
    greetings.set(connection, { verdict: before === undefined ? "unknown_host" : "clone" });
    return [];
  });
  const holderOf = (connection: Connection): Holder => ({ node, connection: connection.number });
  await takeLinks(
    trx,
    comers.map(({ connection }) => ({ hostId: connection.hostId, holder: holderOf(connection) })),
  );
  const open = [];
  for (const comer of comers) {
    const { connection, hello } = comer;
    const { lowest, highest } = hello.outbox;
    const committed = committedOf.get(`${connection.hostId} ${hello.epoch}`);
    if (committed !== undefined && highest < committed) {
      greetings.set(connection, { verdict: "new_epoch", lastSeq: committed });
      continue;
    }
    // An epoch that begins above 1 was known to a server that has been restored from an older copy since.
    const forgotten = lowest > (committed ?? 0) + 1;
    const lastSeq = forgotten ? lowest - 1 : (committed ?? 0);
    if (committed === undefined || forgotten) {
      const facts = { now, holder: holderOf(connection) };
      await beginEpoch(trx, connection.hostId, hello.epoch, lastSeq, facts);
    }
    open.push({ ...comer, lastSeq, forgotten });
  }
  const hostIds = open.map(({ connection }) => connection.hostId);
  await writePresent(
    trx,
    open.map(({ connection: { hostId, number }, hello }) => ({
      hostId,
      connection: number,
      skew: Number.isFinite(hello.clock) ? Math.round(hello.clock - now) : null,
    })),
    parts,
  );
  await parts.arrived(trx, hostIds);
  const jobs = Map.groupBy(await activeJobs(trx, hostIds), (job) => job.host_id);
  const changed: HostId[] = [];
  for (const { connection, hello, before, former, lastSeq, forgotten } of open) {
    const { hostId, address } = connection;
    const { epoch } = hello;
    const active = jobs.get(hostId) ?? [];
    // Another life of the agent's state than the one whose reports are here: it tells everything anew (rule 6). What is noted as
    // known stays behind until the agent has answered, so that a connection that breaks in between only asks again.
    const resyncing = forgotten || (before.epoch !== null && before.epoch !== epoch);
    await writeMachine(trx, before, hello, { address, epoch: resyncing ? NO_EPOCH : epoch });
    const lost = await judgeJobs(trx, hello, active);
    // Nothing else that a status follows from is in a hello.
    if (before.online === 0 || before.restic_state !== hello.restic.state) changed.push(hostId);
    greetings.set(connection, {
      verdict: "open",
      former,
      next: resyncing ? "resync" : "continue",
      configVersion: before.config_version,
      scheduleVersion: before.schedule_version,
      awaited: active.some(
        (job) => job.cancel_requested_at !== null || (job.state === "queued" && job.accepted_at === null),
      ),
      turn: active.some((job) => job.accepted_at === null && isExclusive(job.kind)),
      greeted: {
        epoch,
        received: lastSeq,
        committed: lastSeq,
        reconciliation: lost.length === 0 ? undefined : { upTo: hello.outbox.highest, lost },
        resyncing,
      },
    });
  }
  await parts.refreshHosts(trx, changed);
  return greetings;
}

/** Which jobs the server believes an agent to have (accepted or running, or sent to an earlier life of it) and it has not. */
async function judgeJobs(trx: Trx, hello: Hello, active: readonly ActiveJob[]) {
  const { epoch } = hello;
  const held = new Set(hello.jobs.map((job) => job.id));
  const believed = active.filter((job) => job.sent_at !== null);
  await adopt(
    trx,
    believed.filter((job) => held.has(job.id) && job.sent_epoch !== epoch).map((job) => job.id),
    epoch,
  );
  return believed.flatMap((job) => {
    if (held.has(job.id)) return [];
    if (job.sent_epoch !== epoch) return { jobId: job.id, why: "agent_state_lost" as const };
    const accepted = job.accepted_at !== null || job.state === "running";
    return accepted ? { jobId: job.id, why: "agent_lost_job" as const } : [];
  });
}

/** The connection that another living server has of this host, as far as the store knows. */
function formerHolder(
  { online, link_node, link_connection }: HostStanding,
  { node, live }: Pick<GreetParts, "node" | "live">,
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
