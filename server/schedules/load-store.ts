import { sql } from "kysely";
import type { HostId, ScheduleId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";

/** A schedule that is on, with what of its host says when it fires. */
export interface FiringRow {
  id: ScheduleId;
  host_id: HostId;
  cron: string;
  timezone: string | null;
  host_timezone: string | null;
  spread_seconds: number;
  paused_at: number | null;
  /** How many groups it fires. */
  groups: number;
}

/** The schedules that are on: of these hosts, or of all. */
export async function readFiring(db: Database, ids?: readonly HostId[]): Promise<FiringRow[]> {
  let query = db
    .selectFrom("schedules")
    .innerJoin("hosts", "hosts.id", "schedules.host_id")
    .select([
      "schedules.id",
      "schedules.host_id",
      "schedules.cron",
      "schedules.timezone",
      "schedules.spread_seconds",
      "hosts.timezone as host_timezone",
      "hosts.paused_at",
      sql<number>`(select count(*) from schedule_groups where schedule_id = schedules.id)`.as("groups"),
    ])
    .where("schedules.enabled", "=", 1);
  if (ids !== undefined) query = query.where("schedules.host_id", "in", ids);
  return (await query.execute()).map((row) => ({ ...row, groups: Number(row.groups) }));
}

/** How many source groups each of these hosts has. */
export async function countGroups(db: Database, ids: readonly HostId[]): Promise<Map<HostId, number>> {
  const rows = await db
    .selectFrom("source_groups")
    .select(["host_id", (eb) => eb.fn.countAll().as("count")])
    .where("host_id", "in", ids)
    .groupBy("host_id")
    .execute();
  return new Map(rows.map((row) => [row.host_id, Number(row.count)]));
}
