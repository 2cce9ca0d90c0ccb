import { sql, type SqlBool } from "kysely";
import type { Hello } from "@restic-manager/protocol/hello";
import type { TransientMessage } from "@restic-manager/protocol/messages";
import { Epoch, type HostId, type JobId } from "@restic-manager/protocol/ids";
import type { Database, HostUpdate, Trx } from "../platform/db/schema.ts";

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

/** What the server knew of a host before a hello. */
export async function standing(trx: Trx, hostId: HostId, epoch: Epoch) {
  const host = await trx
    .selectFrom("hosts")
    .select(["epoch", "config_version", "name"])
    .where("id", "=", hostId)
    .executeTakeFirst();
  const known = await trx
    .selectFrom("link_epochs")
    .select("last_seq")
    .where("host_id", "=", hostId)
    .where("epoch", "=", epoch)
    .executeTakeFirst();
  return host === undefined ? undefined : { host, lastSeq: known?.last_seq };
}

export async function beginEpoch(
  trx: Trx,
  hostId: HostId,
  epoch: Epoch,
  lastSeq: number,
  now: number,
): Promise<void> {
  await trx
    .insertInto("link_epochs")
    .values({ host_id: hostId, epoch, last_seq: lastSeq, started_at: now })
    .onConflict((c) => c.columns(["host_id", "epoch"]).doUpdateSet({ last_seq: lastSeq }))
    .execute();
}

/** Moves `last_seq`, if nobody else has moved it meanwhile. */
export async function advance(
  trx: Trx,
  host: { hostId: HostId; epoch: Epoch },
  from: number,
  to: number,
): Promise<boolean> {
  const moved = await trx
    .updateTable("link_epochs")
    .set({ last_seq: to })
    .where("host_id", "=", host.hostId)
    .where("epoch", "=", host.epoch)
    .where("last_seq", "=", from)
    .executeTakeFirst();
  return Number(moved.numUpdatedRows) === 1;
}

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
  facts: { now: number; address: string | null; epoch: Epoch },
): Promise<void> {
  const { restic } = hello;
  const update: HostUpdate = {
    online: 1,
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
    schedule_applied_version: hello.schedule_version,
    ...(hello.timezone === undefined ? {} : { timezone: hello.timezone }),
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

export async function writeOffline(trx: Trx, hostId: HostId, lastSeenAt: number): Promise<void> {
  await trx
    .updateTable("hosts")
    .set({ online: 0, last_seen_at: lastSeenAt, connected_since: null })
    .where("id", "=", hostId)
    .execute();
}

export async function writeSeen(trx: Trx, seen: { hostId: HostId; at: number }[]): Promise<void> {
  for (const { hostId, at } of seen) {
    await trx.updateTable("hosts").set({ last_seen_at: at }).where("id", "=", hostId).execute();
  }
}

export async function hostsMarkedOnline(
  db: Database,
): Promise<{ id: HostId; last_seen_at: number | null }[]> {
  return await db.selectFrom("hosts").select(["id", "last_seen_at"]).where("online", "=", 1).execute();
}

export async function configVersion(db: Database, hostId: HostId): Promise<number | undefined> {
  const row = await db
    .selectFrom("hosts")
    .select("config_version")
    .where("id", "=", hostId)
    .executeTakeFirst();
  return row?.config_version;
}

export type Applied = Extract<TransientMessage, { type: "config.applied" | "schedule.ack" }>;

/** Notes which version of what it was sent would survive a restart of the agent. */
export async function writeApplied(db: Database, hostId: HostId, { type, version }: Applied): Promise<void> {
  const column = type === "config.applied" ? "config_applied_version" : "schedule_applied_version";
  await db
    .updateTable("hosts")
    .set({ [column]: version })
    .where("id", "=", hostId)
    .execute();
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

/** Jobs to send now: never sent, or sent in this life of the agent and not answered. Oldest first. */
export async function deliverable(trx: Trx, hostId: HostId, epoch: Epoch, resendBefore: number) {
  return await trx
    .selectFrom("jobs")
    .select(["id", "kind", "input", "actor_kind", "created_at"])
    .where("host_id", "=", hostId)
    .where(ACTIVE)
    .where("state", "=", "queued")
    .where("accepted_at", "is", null)
    .where((e) =>
      e.or([
        e("sent_at", "is", null),
        e.and([e("sent_epoch", "=", epoch), e("sent_at", "<=", resendBefore)]),
      ]),
    )
    .orderBy("created_at")
    .orderBy("id")
    .limit(200)
    .execute();
}

export async function markSent(trx: Trx, jobIds: JobId[], epoch: Epoch, now: number): Promise<void> {
  await trx.updateTable("jobs").set({ sent_at: now, sent_epoch: epoch }).where("id", "in", jobIds).execute();
}

/** Unfinished jobs that somebody wants to end and that the agent may have. */
export async function cancelsDue(trx: Trx, hostId: HostId): Promise<JobId[]> {
  const rows = await trx
    .selectFrom("jobs")
    .select("id")
    .where("host_id", "=", hostId)
    .where(ACTIVE)
    .where("sent_at", "is not", null)
    .where("cancel_requested_at", "is not", null)
    .execute();
  return rows.map((row) => row.id);
}

/** Hosts that have something to deliver. */
export async function hostsWithWaitingJobs(db: Database): Promise<HostId[]> {
  const rows = await db
    .selectFrom("jobs")
    .select("host_id")
    .distinct()
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
