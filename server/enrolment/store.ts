import { EnrollmentId, type HostId } from "@restic-manager/protocol/ids";
import type { Insertable, Selectable } from "kysely";
import type { ENROLLMENT_STEPS } from "@restic-manager/protocol/api/enrolment";
import type { Database, Tables, Trx } from "../platform/db/schema.ts";

export type EnrollmentRow = Selectable<Tables["enrollments"]>;
export type EnrollmentStep = (typeof ENROLLMENT_STEPS)[number];

/** True when a host has the name, or had it when it was enrolled: its snapshots still carry it. */
export async function isNameTaken(db: Database, name: string): Promise<boolean> {
  const host = await db
    .selectFrom("hosts")
    .select("id")
    .where((e) => e.or([e("name_key", "=", name.toLowerCase()), e("snapshot_host", "=", name)]))
    .executeTakeFirst();
  return host !== undefined;
}

export async function insertEnrollment(trx: Trx, row: EnrollmentRow): Promise<void> {
  await trx.insertInto("enrollments").values(row).execute();
}

export async function readEnrollment(db: Database, id: EnrollmentId): Promise<EnrollmentRow | undefined> {
  return db.selectFrom("enrollments").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Uses the token up and forgets its secrets. False when another agent was first. */
export async function consume(trx: Trx, id: EnrollmentId, hostId: HostId, now: number): Promise<boolean> {
  const used = await trx
    .updateTable("enrollments")
    .set({ used_at: now, host_id: hostId, sealed: "" })
    .where("id", "=", id)
    .where("used_at", "is", null)
    .executeTakeFirst();
  return Number(used.numUpdatedRows) === 1;
}

/** @throws a unique violation (`isUniqueViolation`) when the name is taken. */
export async function insertHost(
  trx: Trx,
  row: Omit<Insertable<Tables["hosts"]>, "name_key" | "snapshot_host">,
): Promise<void> {
  await trx
    .insertInto("hosts")
    .values({ ...row, name_key: row.name.toLowerCase(), snapshot_host: row.name })
    .execute();
}

/** Notes a step when it is seen for the first time. False when it is not new, or the token is unknown. */
export async function insertStep(
  db: Database,
  id: EnrollmentId,
  step: EnrollmentStep,
  at: number,
  detail: string | null,
): Promise<boolean> {
  const done = await db
    .insertInto("enrollment_steps")
    .columns(["enrollment_id", "step", "at", "detail"])
    .expression((eb) =>
      eb
        .selectFrom("enrollments")
        .select((e) => [
          "enrollments.id as enrollment_id",
          e.cast<string>(e.val(step), "text").as("step"),
          e.val(at).as("at"),
          e.cast<string | null>(e.val(detail), "text").as("detail"),
        ])
        .where("enrollments.id", "=", id),
    )
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return Number(done.numInsertedOrUpdatedRows ?? 0) === 1;
}

export async function readSteps(db: Database, id: EnrollmentId) {
  return db
    .selectFrom("enrollment_steps")
    .selectAll()
    .where("enrollment_id", "=", id)
    .orderBy("at")
    .execute();
}

/** The enrolment a host came by, if its agent has not been seen to connect yet; and when it last was. */
export async function readUnconnected(db: Database, hostId: HostId) {
  return db
    .selectFrom("enrollments")
    .innerJoin("hosts", "hosts.id", "enrollments.host_id")
    .leftJoin("enrollment_steps as connected", (join) =>
      join.onRef("connected.enrollment_id", "=", "enrollments.id").on("connected.step", "=", "connected"),
    )
    .select(["enrollments.id", "hosts.connected_since", "hosts.last_seen_at"])
    .where("enrollments.host_id", "=", hostId)
    .where("connected.step", "is", null)
    .executeTakeFirst();
}

/** Hosts that were enrolled and never noted as connected. */
export async function readAllUnconnected(db: Database): Promise<HostId[]> {
  const rows = await db
    .selectFrom("enrollments")
    .leftJoin("enrollment_steps as connected", (join) =>
      join.onRef("connected.enrollment_id", "=", "enrollments.id").on("connected.step", "=", "connected"),
    )
    .select("enrollments.host_id")
    .where("enrollments.host_id", "is not", null)
    .where("connected.step", "is", null)
    .execute();
  return rows.flatMap((row) => (row.host_id === null ? [] : [row.host_id]));
}

/** Forgets the secrets of tokens that expired unused. @returns their ids. */
export async function wipeExpired(db: Database, now: number): Promise<EnrollmentId[]> {
  const rows = await db
    .updateTable("enrollments")
    .set({ sealed: "" })
    .where("used_at", "is", null)
    .where("expires_at", "<=", now)
    .where("sealed", "!=", "")
    .returning("id")
    .execute();
  return rows.map((row) => row.id);
}

export async function removeOld(db: Database, expiredBefore: number): Promise<void> {
  await db.deleteFrom("enrollments").where("expires_at", "<=", expiredBefore).execute();
}
