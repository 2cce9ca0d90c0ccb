import { sql, type ExpressionBuilder, type SqlBool } from "kysely";
import type { TransientMessage } from "@restic-manager/protocol/messages";
import { Epoch, type HostId, type JobId } from "@restic-manager/protocol/ids";
import type { Bus } from "../platform/bus.ts";
import { ready, readyForRows } from "../platform/db/ready.ts";
import type { Database, Tables, Trx } from "../platform/db/schema.ts";
import { NEEDS_TURN } from "./turns.ts";

/** Stands in `hosts.epoch` while the agent has still to tell its full state. */
export const NO_EPOCH = Epoch.parse("0".repeat(32));
/** Rejected frames kept of one host: the first ones say what is wrong, and an agent gone mad must not fill the disk. */
const MOST_REJECTED = 200;
// In the text and not as parameters: partial indexes are found only so.
const ACTIVE = sql<SqlBool>`state in ('queued', 'running')`;

/** A connection as all servers know it. */
export interface Holder {
  node: string;
  connection: number;
}

/** As `link_epochs.held_by` keeps it. */
export function heldBy({ node, connection }: Holder): string {
  return `${node}.${connection}`;
}

export async function beginEpoch(
  trx: Trx,
  hostId: HostId,
  epoch: Epoch,
  lastSeq: number,
  facts: { now: number; holder: Holder },
): Promise<void> {
  const held_by = heldBy(facts.holder);
  await trx
    .insertInto("link_epochs")
    .values({ host_id: hostId, epoch, last_seq: lastSeq, started_at: facts.now, held_by })
    .onConflict((c) => c.columns(["host_id", "epoch"]).doUpdateSet({ last_seq: lastSeq, held_by }))
    .execute();
}

/** How far one connection's frames count as committed: from there to there. */
export interface Move {
  hostId: HostId;
  epoch: Epoch;
  holder: Holder;
  from: number;
  to: number;
}

/**
 * Moves `last_seq` of many hosts at once (on PostgreSQL each statement is a way there and back), each if nobody else has moved it
 * meanwhile and its connection is still the one whose frames count. False when that is not so of some: then undo the transaction.
 */
export async function advance(trx: Trx, moves: readonly Move[]): Promise<boolean> {
  const rows = moves.map(({ holder, ...move }) => ({ ...move, holder: heldBy(holder) }));
  for (const { part, result } of await moveLastSeqs(trx, rows))
    if (Number(result.numAffectedRows) !== part.length) return false;
  return true;
}

const moveLastSeqs = readyForRows(
  ["hostId", "epoch", "holder", "from", "to"],
  (db, moves: (Omit<Move, "holder"> & { holder: string })[]) => {
    const rows = moves.map(
      ({ hostId, epoch, holder, from, to }) =>
        sql`(cast(${hostId} as text), cast(${epoch} as text), cast(${holder} as text),
          cast(${from} as double precision), cast(${to} as double precision))`,
    );
    return db
      .updateTable("link_epochs")
      .from(sql`(values ${sql.join(rows)})`.as("move"))
      .set({ last_seq: sql<number>`move.column5` })
      .where(
        sql<SqlBool>`host_id = move.column1 and epoch = move.column2 and held_by = move.column3
          and last_seq = move.column4`,
      );
  },
);

/** Notes that all that the agent knows in this life of its state has come or is on its way. */
export async function writeEpoch(db: Database, hostId: HostId, epoch: Epoch): Promise<void> {
  await db.updateTable("hosts").set({ epoch }).where("id", "=", hostId).execute();
}

/** Writes down why a connection was refused, for the host's page. */
export async function writeProblem(
  trx: Trx,
  hostId: HostId,
  problem: { code: string; message: string; at: string },
): Promise<void> {
  await trx
    .updateTable("hosts")
    .set({ link_problem: JSON.stringify(problem) })
    .where("id", "=", hostId)
    .execute();
}

export async function configVersion(db: Database, hostId: HostId): Promise<number | undefined> {
  return (await selectConfigVersion(db, { hostId })).rows[0]?.config_version;
}

const selectConfigVersion = ready((db, { hostId }: { hostId: HostId }) =>
  db.selectFrom("hosts").select("config_version").where("id", "=", hostId),
);

type Applied = Extract<TransientMessage, { type: "config.applied" | "schedule.ack" }>;

/** Notes which version of what it was sent would survive a restart of the agent, and tells of it. */
export async function writeApplied(
  { db, bus }: { db: Database; bus: Bus },
  hostId: HostId,
  { type, version }: Applied,
): Promise<void> {
  const column = type === "config.applied" ? "config_applied_version" : "schedule_applied_version";
  await db
    .updateTable("hosts")
    .set({ [column]: version })
    .where("id", "=", hostId)
    .execute();
  bus.publish("host.changed", { hostId });
}

/** Keeps a durable frame that could not be applied, for a person to look at. */
export async function keepRejected(
  trx: Trx,
  frame: { hostId: HostId; epoch: Epoch; seq: number; at: number; reason: string; body: string },
): Promise<void> {
  const { count } = await trx
    .selectFrom("rejected_frames")
    .select((e) => e.fn.countAll().as("count"))
    .where("host_id", "=", frame.hostId)
    .executeTakeFirstOrThrow();
  if (Number(count) >= MOST_REJECTED) return;
  await trx
    .insertInto("rejected_frames")
    .values({
      host_id: frame.hostId,
      epoch: frame.epoch,
      seq: frame.seq,
      at: frame.at,
      reason: storable(frame.reason.slice(0, 4_096)),
      body: storable(frame.body.slice(0, 65_536)),
    })
    .onConflict((c) => c.doNothing())
    .execute();
}

/** PostgreSQL holds no NUL. */
function storable(text: string): string {
  return text.replaceAll("\0", "\ufffd");
}

/**
 * Marks jobs as sent that are to be sent now, and gives them, oldest first: never sent, or sent in this life of the agent and not
 * answered. One statement that also looks whose the host is: of several servers or connections only one gets a job.
 */
export async function takeDeliverable(
  db: Database | Trx,
  hostId: HostId,
  link: Holder & { epoch: Epoch },
  times: { now: number; resendBefore: number },
) {
  const { epoch, node, connection } = link;
  const { rows } = await markSent(db, { hostId, epoch, node, connection, ...times });
  return rows.toSorted((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1));
}

interface Delivering {
  hostId: HostId;
  epoch: Epoch;
  node: string;
  connection: number;
  now: number;
  resendBefore: number;
}

const markSent = ready((db, { hostId, epoch, node, connection, now, resendBefore }: Delivering) => {
  const due = (e: ExpressionBuilder<Tables, "jobs">) =>
    e.and([
      ACTIVE,
      e("state", "=", "queued"),
      e("accepted_at", "is", null),
      e.or([
        sql<SqlBool>`not ${NEEDS_TURN}`,
        sql<SqlBool>`exists (select 1 from repository_turns where repository_turns.job_id = jobs.id)`,
      ]),
      e.or([
        e("sent_at", "is", null),
        e.and([
          e("sent_epoch", "=", epoch),
          // Sent in the future: the clock was set back, and how long ago that was is not known.
          e.or([e("sent_at", "<=", resendBefore), e("sent_at", ">", now)]),
        ]),
      ]),
    ]);
  return db
    .updateTable("jobs")
    .set({ sent_at: now, sent_epoch: epoch })
    .where("id", "in", (e) =>
      e
        .selectFrom("jobs")
        .select("id")
        .where("host_id", "=", hostId)
        .where(due)
        .orderBy("created_at")
        .orderBy("id")
        .limit(200),
    )
    .where(due)
    .where((e) =>
      e.exists(
        e
          .selectFrom("hosts")
          .select("hosts.id")
          .where("hosts.id", "=", hostId)
          .where("hosts.link_node", "=", node)
          .where("hosts.link_connection", "=", connection),
      ),
    )
    .returning(["id", "kind", "input", "actor_kind", "created_at"]);
});

/** Those of the jobs that are still to be begun, whether their agent has taken them or not. */
export async function queuedOf(db: Database, hostId: HostId, ids: readonly JobId[]) {
  return await db
    .selectFrom("jobs")
    .select(["id", "kind", "input", "actor_kind", "created_at"])
    .where("host_id", "=", hostId)
    .where("id", "in", ids)
    .where("state", "=", "queued")
    .where("cancel_requested_at", "is", null)
    .execute();
}

/** Unfinished jobs that somebody wants to end and that the agent may have. */
export async function cancelsDue(db: Database | Trx, hostId: HostId): Promise<JobId[]> {
  return (await selectCancels(db, { hostId })).rows.map((row) => row.id);
}

const selectCancels = ready((db, { hostId }: { hostId: HostId }) =>
  db
    .selectFrom("jobs")
    .select("id")
    .where("host_id", "=", hostId)
    .where(ACTIVE)
    .where("sent_at", "is not", null)
    .where("cancel_requested_at", "is not", null),
);

/** Hosts of a server that have something to deliver; `turn`: something that needs the repository for itself. */
export async function hostsWithWaitingJobs(
  db: Database,
  node: string,
): Promise<{ hostId: HostId; turn: boolean }[]> {
  const rows = await db
    .selectFrom("jobs")
    .innerJoin("hosts", "hosts.id", "jobs.host_id")
    .select(["host_id", sql<number>`max(case when ${NEEDS_TURN} then 1 else 0 end)`.as("turn")])
    .where("link_node", "=", node)
    .where(ACTIVE)
    .where((e) =>
      e.or([
        e.and([e("state", "=", "queued"), e("accepted_at", "is", null)]),
        e("cancel_requested_at", "is not", null),
      ]),
    )
    .groupBy("host_id")
    .execute();
  return rows.map((row) => ({ hostId: row.host_id, turn: Number(row.turn) === 1 }));
}
