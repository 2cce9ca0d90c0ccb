import { sql } from "kysely";
import { ScheduleId, SourceGroupId, TemplateId } from "@restic-manager/protocol/ids";
import type { OpenStore } from "@restic-manager/server/platform/db/open";
import { storedHostId } from "./stored-fleet.ts";

/** The one that everybody follows. */
export const TEMPLATE = TemplateId.parse(`01JDT${"0".repeat(21)}`);
/** Every so many-th host differs from the template: somebody changed what a group keeps. */
const DRIFTED = 100;
const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney", null] as const;
const HOSTS_AT_ONCE = 500;
const GROUPS = [
  { name: "system", includes: ["/etc", "/root"], excludes: [] },
  { name: "data", includes: ["/srv", "/home"], excludes: ["*.tmp"] },
] as const;
const NIGHTLY = { cron: "0 3 * * *", spread_seconds: 3_600 };
const KEEP = { daily: 7, weekly: 4 };

const groupId = (host: number, at: number) =>
  SourceGroupId.parse(`01JDG${at}${String(host).padStart(20, "0")}`);
const scheduleId = (host: number, at: number) =>
  ScheduleId.parse(`01JDS${at}${String(host).padStart(20, "0")}`);

/**
 * Fills an empty store with hosts in several zones that follow one template: two groups and a nightly schedule each, and a schedule of
 * their own at one of many times.
 */
export async function storePolicies({ db, kind }: OpenStore, hosts: number): Promise<void> {
  const now = Date.now();
  if (kind === "sqlite") await sql`pragma synchronous = off`.execute(db);
  const retry = { retry_max: 10, retry_backoff_seconds: 60 };
  await db
    .insertInto("policy_templates")
    .values({
      id: TEMPLATE,
      name: "Everybody",
      name_key: "everybody",
      content: JSON.stringify({
        groups: GROUPS.map((group) => ({ ...group, retention_policy: KEEP, ...retry })),
        schedules: [
          {
            name: "Nightly",
            timezone: null,
            enabled: true,
            ...NIGHTLY,
            groups: GROUPS.map(({ name }) => name),
          },
        ],
        maintenance: null,
      }),
      version: 1,
      created_at: now,
      changed_at: now,
      changed_by: "ada",
    })
    .execute();
  for (let from = 0; from < hosts; from += HOSTS_AT_ONCE) {
    const some = Array.from({ length: Math.min(HOSTS_AT_ONCE, hosts - from) }, (_, at) => from + at);
    await db.transaction().execute(async (trx) => {
      await trx
        .insertInto("hosts")
        .values(
          some.map((n) => ({
            id: storedHostId(n),
            name: `host-${n}`,
            name_key: `host-${n}`,
            snapshot_host: `host-${n}`,
            bearer_hash: `bearer-${n}`,
            created_at: now,
            os: "linux",
            os_name: "Debian GNU/Linux 12 (bookworm)",
            arch: "x64",
            timezone: ZONES[n % ZONES.length] ?? null,
          })),
        )
        .execute();
      await trx
        .insertInto("source_groups")
        .values(
          some.flatMap((n) =>
            GROUPS.map((group, at) => ({
              id: groupId(n, at),
              host_id: storedHostId(n),
              name: group.name,
              includes: JSON.stringify(group.includes),
              excludes: JSON.stringify(group.excludes),
              retention_policy: JSON.stringify(n % DRIFTED === 0 && at === 0 ? { daily: 14 } : KEEP),
              ...retry,
              created_at: now,
            })),
          ),
        )
        .execute();
      const schedule = { timezone: null, enabled: 1, created_at: now, counts_from: now };
      await trx
        .insertInto("schedules")
        .values(
          some.flatMap((n) => [
            { id: scheduleId(n, 0), host_id: storedHostId(n), ...NIGHTLY, ...schedule },
            {
              id: scheduleId(n, 1),
              host_id: storedHostId(n),
              cron: `${n % 60} ${n % 24} * * ${n % 7}`,
              spread_seconds: 0,
              ...schedule,
            },
          ]),
        )
        .execute();
      await trx
        .insertInto("schedule_groups")
        .values(
          some.flatMap((n) => [
            ...GROUPS.map((_, at) => ({
              schedule_id: scheduleId(n, 0),
              source_group_id: groupId(n, at),
              position: at,
            })),
            { schedule_id: scheduleId(n, 1), source_group_id: groupId(n, 0), position: 0 },
          ]),
        )
        .execute();
      await trx
        .insertInto("template_hosts")
        .values(
          some.map((n) => ({
            host_id: storedHostId(n),
            template_id: TEMPLATE,
            version: 1,
            others: "keep" as const,
            groups: JSON.stringify(Object.fromEntries(GROUPS.map(({ name }, at) => [name, groupId(n, at)]))),
            schedules: JSON.stringify({ Nightly: scheduleId(n, 0) }),
            applied_at: now,
            applied_by: "ada",
          })),
        )
        .execute();
    });
  }
  if (kind === "postgres") await sql`vacuum analyze`.execute(db);
}
