import type { Insertable } from "kysely";
import { ulid } from "ulid";
import { HostId, JobId, ScheduleId, SourceGroupId } from "@restic-manager/protocol/ids";
import type { Database, NewJobRecord, Tables } from "../platform/db/schema.ts";

/** Noon of a round day, as `testClock` starts. */
export const NOON = Date.UTC(2026, 10, 21, 12);
export const newHostId = () => HostId.parse(ulid());
export const newJobId = () => JobId.parse(ulid());

type NewHost = Insertable<Tables["hosts"]>;

/** Writes a host that has connected and has nothing else to tell. */
export async function addHost(db: Database, given: Partial<NewHost> = {}): Promise<HostId> {
  const id = given.id ?? newHostId();
  const name = given.name ?? `host-${id.slice(-6).toLowerCase()}`;
  await db
    .insertInto("hosts")
    .values({
      id,
      name,
      name_key: name.toLowerCase(),
      snapshot_host: name,
      bearer_hash: id,
      created_at: NOON,
      os: "linux",
      os_name: "Debian GNU/Linux 12 (bookworm)",
      arch: "x64",
      restic_state: "ok",
      restic_version: "0.18.0",
      online: 1,
      last_seen_at: NOON,
      ...given,
    })
    .execute();
  return id;
}

/** Columns that the state of a job calls for; the rest may be given. */
const BY_STATE: Record<NewJobRecord["state"], Partial<NewJobRecord>> = {
  queued: {},
  running: { started_at: NOON },
  succeeded: { started_at: NOON, finished_at: NOON + 60_000, result: "{}" },
  failed: {
    started_at: NOON,
    finished_at: NOON + 60_000,
    error: JSON.stringify({ code: "wrong_password", message: "this password does not open it" }),
  },
  cancelled: { finished_at: NOON + 60_000 },
};

/** Writes a job of a host, a backup unless told. */
export async function addJob(
  db: Database,
  hostId: HostId,
  state: NewJobRecord["state"],
  given: Partial<NewJobRecord> = {},
): Promise<JobId> {
  const id = given.id ?? newJobId();
  await db
    .insertInto("jobs")
    .values({
      id,
      host_id: hostId,
      kind: "backup",
      state,
      actor_kind: "user",
      actor_name: "ada",
      input: "{}",
      created_at: NOON,
      ...BY_STATE[state],
      ...given,
    })
    .execute();
  return id;
}

/** Writes everyday credentials; their secrets are not real. */
export async function addCredentials(
  db: Database,
  hostId: HostId,
  url = "rest:https://vault/a/",
): Promise<void> {
  await db
    .insertInto("repository_credentials")
    .values({
      host_id: hostId,
      slot: "repo",
      url,
      username: "a",
      sealed: "x",
      has_password: 1,
      updated_at: NOON,
    })
    .execute();
}

/** Writes a source group of one folder. */
export async function addSourceGroup(db: Database, hostId: HostId, name = "default"): Promise<SourceGroupId> {
  const id = SourceGroupId.parse(ulid());
  await db
    .insertInto("source_groups")
    .values({ id, host_id: hostId, name, includes: '["/etc"]', excludes: "[]", created_at: NOON })
    .execute();
  return id;
}

/** Writes a schedule of these groups. */
export async function addSchedule(
  db: Database,
  hostId: HostId,
  groups: readonly SourceGroupId[],
  given: Partial<Insertable<Tables["schedules"]>> = {},
): Promise<ScheduleId> {
  const id = ScheduleId.parse(ulid());
  await db
    .insertInto("schedules")
    .values({
      id,
      host_id: hostId,
      cron: "0 3 * * *",
      timezone: "UTC",
      enabled: 1,
      spread_seconds: 0,
      created_at: NOON,
      counts_from: NOON,
      ...given,
    })
    .execute();
  const rows = groups.map((group, position) => ({ schedule_id: id, source_group_id: group, position }));
  if (rows.length > 0) await db.insertInto("schedule_groups").values(rows).execute();
  return id;
}
