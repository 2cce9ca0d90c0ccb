import { sql, type ExpressionBuilder, type SqlBool } from "kysely";
import type { Hello } from "@restic-manager/protocol/hello";
import { Epoch, type HostId, type JobId } from "@restic-manager/protocol/ids";
import { ready } from "../platform/db/ready.ts";
import type { Database, HostUpdate, Tables, Trx } from "../platform/db/schema.ts";

/** Stands in `hosts.epoch` while the agent has still to tell its full state. */
export const NO_EPOCH = Epoch.parse("0".repeat(32));
/** Rejected frames kept of one host: the first ones say what is wrong, and an agent gone mad must not fill the disk. */
const MOST_REJECTED = 200;
// In the text and not as parameters: partial indexes are found only so.
const ACTIVE = sql<SqlBool>`state in ('queued', 'running')`;

/** The host that a bearer belongs to, by the bearer's SHA-256 in hex. */
export async function hostByBearer(db: Database, bearerHash: string): Promise<HostId | undefined> {
  const row = await db
    .selectFrom("hosts")
    .select("id")
    .where("bearer_hash", "=", bearerHash)
    .executeTakeFirst();
  return row?.id;
}

/** A connection as all servers know it. */
export interface Holder {
  node: string;
  connection: number;
}

/** As `link_epochs.held_by` keeps it. */
function heldBy({ node, connection }: Holder): string {
  return `${node}.${connection}`;
}

/** What is known of a host before a hello. */
export async function standing(trx: Trx, hostId: HostId) {
  return await trx
    .selectFrom("hosts")
    .select(["epoch", "machine_id", "online", "link_node", "link_connection"])
    .where("id", "=", hostId)
    .executeTakeFirst();
}

/**
 * Makes a connection the one whose frames count. On PostgreSQL this waits for a batch of the former one that is being committed,
 * and any that comes later finds that it moves nothing.
 *
 * @returns how far this life of the agent is committed; undefined for a new one.
 */
export async function takeLink(
  trx: Trx,
  hostId: HostId,
  epoch: Epoch,
  holder: Holder,
): Promise<number | undefined> {
  const rows = await trx
    .updateTable("link_epochs")
    .set({ held_by: heldBy(holder) })
    .where("host_id", "=", hostId)
    .returning(["epoch", "last_seq"])
    .execute();
  return rows.find((row) => row.epoch === epoch)?.last_seq;
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

/** Moves `last_seq`, if nobody else has moved it meanwhile and this connection is still the one whose frames count. */
export async function advance(
  trx: Trx,
  host: { hostId: HostId; epoch: Epoch; holder: Holder },
  from: number,
  to: number,
): Promise<boolean> {
  const { numAffectedRows } = await moveLastSeq(trx, {
    hostId: host.hostId,
    epoch: host.epoch,
    holder: heldBy(host.holder),
    from,
    to,
  });
  return Number(numAffectedRows) === 1;
}

interface Move {
  hostId: HostId;
  epoch: Epoch;
  holder: string;
  from: number;
  to: number;
}

const moveLastSeq = ready((db, { hostId, epoch, holder, from, to }: Move) =>
  db
    .updateTable("link_epochs")
    .set({ last_seq: to })
    .where("host_id", "=", hostId)
    .where("epoch", "=", epoch)
    .where("last_seq", "=", from)
    .where("held_by", "=", holder),
);

/** Jobs the server believes an agent has: accepted or running, or sent to an earlier life of it. */
export async function believedHeld(
  trx: Trx,
  hostId: HostId,
): Promise<{ id: JobId; sentEpoch: Epoch | null; accepted: boolean }[]> {
  const rows = await trx
    .selectFrom("jobs")
    .select(["id", "sent_epoch", "accepted_at", "state"])
    .where("host_id", "=", hostId)
    .where(ACTIVE)
    .where("sent_at", "is not", null)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    sentEpoch: row.sent_epoch,
    accepted: row.accepted_at !== null || row.state === "running",
  }));
}

/** Jobs of an earlier life that the agent still holds go on in this one. */
export async function adopt(trx: Trx, jobIds: JobId[], epoch: Epoch): Promise<void> {
  if (jobIds.length === 0) return;
  await trx.updateTable("jobs").set({ sent_epoch: epoch }).where("id", "in", jobIds).execute();
}

/** Writes down what a hello says, and that the host is there. */
export async function writeHello(
  trx: Trx,
  hostId: HostId,
  hello: Hello,
  facts: { now: number; address: string | null; epoch: Epoch; holder: Holder },
): Promise<void> {
  const { restic } = hello;
  const update: HostUpdate = {
    online: 1,
    link_node: facts.holder.node,
    link_connection: facts.holder.connection,
    connected_since: facts.now,
    last_seen_at: facts.now,
    address: facts.address,
    hostname: hello.hostname,
    os: hello.os,
    os_name: hello.os_name,
    arch: hello.arch,
    machine_id: hello.machine_id,
    boot_id: hello.boot_id,
    agent_version: hello.agent_version,
    protocol_version: hello.protocol_version,
    restic_state: restic.state,
    restic_version: restic.state === "missing" ? null : restic.version,
    clock_skew_ms: Number.isFinite(hello.clock) ? Math.round(hello.clock - facts.now) : null,
    config_applied_version: hello.config_version,
    epoch: facts.epoch,
    link_problem: null,
  };
  await trx.updateTable("hosts").set(update).where("id", "=", hostId).execute();
}

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

export async function writeConfigApplied(db: Database, hostId: HostId, version: number): Promise<void> {
  await db.updateTable("hosts").set({ config_applied_version: version }).where("id", "=", hostId).execute();
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
        e("sent_at", "is", null),
        e.and([e("sent_epoch", "=", epoch), e("sent_at", "<=", resendBefore)]),
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

/** Hosts of a server that have something to deliver. */
export async function hostsWithWaitingJobs(db: Database, node: string): Promise<HostId[]> {
  const rows = await db
    .selectFrom("jobs")
    .innerJoin("hosts", "hosts.id", "jobs.host_id")
    .select("host_id")
    .distinct()
    .where("link_node", "=", node)
    .where(ACTIVE)
    .where((e) =>
      e.or([
        e.and([e("state", "=", "queued"), e("accepted_at", "is", null)]),
        e("cancel_requested_at", "is not", null),
      ]),
    )
    .execute();
  return rows.map((row) => row.host_id);
}
