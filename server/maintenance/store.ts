import { sql, type SqlBool } from "kysely";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import { UPKEEP_KINDS, type UpkeepKind } from "@restic-manager/protocol/api/maintenance";
import { rowLock } from "../platform/db/dialect.ts";
import { askInShapes } from "../platform/db/shapes.ts";
import type { Database, JobRecord, Tables, Trx } from "../platform/db/schema.ts";
import type { MaintenanceRow } from "./settings.ts";

/** What of a host its maintenance depends on. */
const HOST_COLUMNS = [
  "hosts.id",
  "hosts.name",
  "hosts.online",
  "hosts.timezone",
  "hosts.protocol_version",
  "hosts.restic_state",
  "hosts.repository_id",
  "hosts.repository_since",
  "hosts.paused_at",
  "hosts.paused_reason",
  "hosts.paused_by",
  "hosts.snapshot_count",
  "hosts.snapshots_taken_at",
  "hosts.last_backup_job_id",
  "hosts.last_backup_at",
  "hosts.last_backup_error",
] as const;

export type UpkeepHost = NonNullable<Awaited<ReturnType<typeof readHost>>>;

export async function readHost(db: Database, hostId: HostId) {
  return await db.selectFrom("hosts").select(HOST_COLUMNS).where("id", "=", hostId).executeTakeFirst();
}

/** As `readHost`, and nobody else changes the host until the commit. */
export async function lockHost(trx: Trx, hostId: HostId): Promise<UpkeepHost | undefined> {
  return await trx
    .selectFrom("hosts")
    .select(HOST_COLUMNS)
    .where("id", "=", hostId)
    .modifyEnd(rowLock(trx))
    .executeTakeFirst();
}

export async function readSettings(db: Database, hostId: HostId): Promise<MaintenanceRow | undefined> {
  return await db.selectFrom("repo_maintenance").selectAll().where("host_id", "=", hostId).executeTakeFirst();
}

export async function writeSettings(trx: Trx, row: MaintenanceRow): Promise<void> {
  const { host_id: _host, ...rest } = row;
  await trx
    .insertInto("repo_maintenance")
    .values(row)
    .onConflict((conflict) => conflict.column("host_id").doUpdateSet(rest))
    .execute();
}

/** Times before `at` are not made up for. A host without a row gets one that counts from when it is made. */
export async function countUpkeepFrom(trx: Trx, hostId: HostId, at: number): Promise<void> {
  await trx.updateTable("repo_maintenance").set({ counts_from: at }).where("host_id", "=", hostId).execute();
}

/** Writes rows for hosts that have none; those that got one meanwhile keep it. */
export async function seedSettings(db: Database, rows: readonly MaintenanceRow[]): Promise<void> {
  if (rows.length === 0) return;
  await db
    .insertInto("repo_maintenance")
    .values([...rows])
    .onConflict((conflict) => conflict.column("host_id").doNothing())
    .execute();
}

export async function hostsWithoutSettings(db: Database, limit: number): Promise<HostId[]> {
  const rows = await db
    .selectFrom("hosts")
    .select("id")
    .where(sql<SqlBool>`not exists (select 1 from repo_maintenance where host_id = hosts.id)`)
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** Hosts to be looked at: connected, not paused, and of which something may be due. Those that waited longest first. */
export async function hostsToLookAt(
  db: Database,
  now: number,
  limit: number,
): Promise<(MaintenanceRow & { host: UpkeepHost })[]> {
  const rows = await db
    .selectFrom("repo_maintenance")
    .innerJoin("hosts", "hosts.id", "repo_maintenance.host_id")
    .selectAll("repo_maintenance")
    .select(HOST_COLUMNS)
    .where("next_look_at", "<=", now)
    .where("hosts.online", "=", 1)
    .where("hosts.paused_at", "is", null)
    .orderBy("next_look_at")
    .orderBy("repo_maintenance.host_id")
    .limit(limit)
    .execute();
  return rows.map((row) => ({ ...row, host: row }));
}

/** Moves a host's next look. False when somebody else looked meanwhile. */
export async function moveLook(
  trx: Trx,
  { host_id, next_look_at }: Pick<MaintenanceRow, "host_id" | "next_look_at">,
  at: number,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable("repo_maintenance")
    .set({ next_look_at: at })
    .where("host_id", "=", host_id)
    .where("next_look_at", "=", next_look_at)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** The same for many hosts at once, of whom nothing more is to be done. Always in one order, or two servers would wait for each other. */
export async function moveLooks(
  db: Database,
  looks: readonly (Pick<MaintenanceRow, "host_id" | "next_look_at"> & { at: number })[],
): Promise<void> {
  if (looks.length === 0) return;
  const inOneOrder = looks.toSorted((one, other) => (one.host_id < other.host_id ? -1 : 1));
  const rows = inOneOrder.map(
    ({ host_id, next_look_at, at }) =>
      sql`(cast(${host_id} as text), cast(${next_look_at} as double precision), cast(${at} as double precision))`,
  );
  await sql`update repo_maintenance set next_look_at = moved.column3 from (values ${sql.join(rows)}) as moved
    where repo_maintenance.host_id = moved.column1 and repo_maintenance.next_look_at = moved.column2`.execute(
    db,
  );
}

/** In the text and not as parameters: only so is the partial index found. A preview is no run. */
const IS_UPKEEP = "jobs.kind in ('forget', 'prune', 'check', 'unlock')";
const NO_PREVIEW = `jobs.input not like '%"dry_run":true%'`;

/** What older jobs say is of another repository. */
const SINCE_MOVE = `jobs.created_at >= coalesce((select repository_since from hosts where hosts.id = jobs.host_id), 0)`;

export interface KindMark {
  host_id: HostId;
  kind: UpkeepKind;
  created_at: number;
  finished_at: number | null;
}

/** Of each of these hosts the newest run of each kind. */
export async function readLatestRuns(db: Database, hostIds: readonly HostId[]): Promise<KindMark[]> {
  if (hostIds.length === 0) return [];
  const newest = (
    kind: UpkeepKind,
  ) => sql<JobId | null>`(select jobs.id from jobs where jobs.host_id = hosts.id
    and ${sql.raw(IS_UPKEEP)} and jobs.kind = ${sql.lit(kind)} and ${sql.raw(NO_PREVIEW)}
    order by jobs.created_at desc, jobs.id desc limit 1)`;
  const marks = await db
    .selectFrom("hosts")
    .select([
      "hosts.id",
      newest("forget").as("forget"),
      newest("prune").as("prune"),
      newest("check").as("check"),
    ])
    .where("hosts.id", "in", hostIds)
    .execute();
  const ids = marks.flatMap((row) => UPKEEP_KINDS.flatMap((kind) => row[kind] ?? []));
  if (ids.length === 0) return [];
  const jobs = await db
    .selectFrom("jobs")
    .select(["host_id", "kind", "created_at", "finished_at"])
    .where("id", "in", ids)
    .execute();
  return jobs.flatMap(({ kind, ...row }) => {
    const known = UPKEEP_KINDS.find((one) => one === kind);
    return known === undefined ? [] : [{ ...row, kind: known }];
  });
}

/** The newest job of a kind in the repository that the host has, and no preview; `good`: that succeeded, `judged`: that succeeded or failed. */
export async function newestRun(
  db: Database | Trx,
  hostId: HostId,
  kind: UpkeepKind | "unlock",
  which: "any" | "judged" | "good",
): Promise<JobRecord | undefined> {
  let query = db
    .selectFrom("jobs")
    .selectAll()
    .where("host_id", "=", hostId)
    .where(sql.raw<SqlBool>(IS_UPKEEP))
    .where(sql<SqlBool>`jobs.kind = ${sql.lit(kind)}`)
    .where(sql.raw<SqlBool>(NO_PREVIEW))
    .where(sql.raw<SqlBool>(SINCE_MOVE));
  if (which === "good") query = query.where("state", "=", "succeeded");
  if (which === "judged") query = query.where("state", "in", ["succeeded", "failed"]);
  return await query.orderBy("created_at", "desc").orderBy("id", "desc").limit(1).executeTakeFirst();
}

/** The newest jobs of maintenance of these hosts in the repositories that they have, that ended, previews too, newest end first. */
export async function endedUpkeep(
  db: Database,
  hostIds: readonly HostId[],
  limit: number,
): Promise<JobRecord[]> {
  return await db
    .selectFrom("jobs")
    .selectAll()
    .where("host_id", "in", hostIds)
    .where(sql.raw<SqlBool>(IS_UPKEEP))
    .where("finished_at", "is not", null)
    .where(sql.raw<SqlBool>(SINCE_MOVE))
    .orderBy("created_at", "desc")
    .limit(limit)
    .execute();
}

/** The host's jobs that can still change, but for backups, oldest first. */
export async function activeJobs(db: Database, hostId: HostId) {
  return await db
    .selectFrom("jobs")
    .select(["id", "kind", "state", "input"])
    .where("host_id", "=", hostId)
    .where(sql<SqlBool>`jobs.state in ('queued', 'running')`)
    .where("kind", "<>", "backup")
    .orderBy("created_at")
    .execute();
}

/** What of these hosts has credentials, by slot. */
export async function readSlots(db: Database, hostIds: readonly HostId[]) {
  if (hostIds.length === 0) return [];
  return await db
    .selectFrom("repository_credentials")
    .select(["host_id", "slot"])
    .where("host_id", "in", hostIds)
    .execute();
}

export type GroupPolicy = Pick<Tables["source_groups"], "id" | "host_id" | "name"> & {
  retention_policy: string;
};

/** The source groups of these hosts with what they keep, by name. */
export async function readPolicies(db: Database, hostIds: readonly HostId[]): Promise<GroupPolicy[]> {
  if (hostIds.length === 0) return [];
  return await db
    .selectFrom("source_groups")
    .select(["id", "host_id", "name", "retention_policy"])
    .where("host_id", "in", hostIds)
    .orderBy("name")
    .execute();
}

/** What tells of a deletion. */
const DELETION = ["id", "host_id", "state", "created_at", "finished_at", "error", "result", "kind"] as const;
/** Of each host as many jobs of a kind are read as may tell. */
const TELLING = 20;

/** The newest jobs of a host in the repository that it has, done with the everyday credentials that it still has. */
function everydayJobs(db: Database | Trx, hostId: HostId) {
  return db
    .selectFrom("jobs")
    .select(DELETION)
    .where("host_id", "=", hostId)
    .where("state", "in", ["succeeded", "failed"])
    .where(sql<SqlBool>`jobs.input like '%"use_admin":false%'`)
    .where(
      sql<SqlBool>`jobs.created_at >= coalesce((select updated_at from repository_credentials
        where host_id = ${hostId} and slot = 'repo'), 0)`,
    )
    .where(sql.raw<SqlBool>(SINCE_MOVE))
    .orderBy("created_at", "desc")
    .limit(TELLING);
}

/**
 * Of each of these hosts its newest forgets and prunes that say whether its everyday credentials may delete, newest first. Each host's
 * are found from the end of its own: numbered by a window, all that were ever done are read (100 ms of 100 hosts and a year).
 */
export async function everydayDeletions(db: Database | Trx, hostIds: readonly HostId[]) {
  const newest = (hostId: HostId, kind: "forget" | "prune") =>
    db
      .selectFrom(
        everydayJobs(db, hostId)
          .where(sql.raw<SqlBool>(IS_UPKEEP))
          .where(sql<SqlBool>`jobs.kind = ${sql.lit(kind)}`)
          .where(sql.raw<SqlBool>(NO_PREVIEW))
          .as("newest"),
      )
      .selectAll();
  const found = await askInShapes(hostIds, (part) => {
    const [first, ...others] = part.flatMap((id) => [newest(id, "forget"), newest(id, "prune")]);
    return first === undefined
      ? Promise.resolve([])
      : others.reduce((all, one) => all.unionAll(one), first).execute();
  });
  return found.toSorted((a, b) => b.created_at - a.created_at);
}

/** The same of chosen snapshots of one host: their tags were changed, or they were removed. */
export async function everydayChoices(db: Database | Trx, hostId: HostId) {
  return await everydayJobs(db, hostId).where("kind", "in", ["tag", "forget_snapshots"]).execute();
}

/** Other hosts of a repository, by name. */
export async function hostsOfRepository(db: Database, repositoryId: string, but: HostId) {
  return await db
    .selectFrom("hosts")
    .select(["id", "name", "online"])
    .where("repository_id", "=", repositoryId)
    .where("id", "<>", but)
    .orderBy("name_key")
    .limit(200)
    .execute();
}

/** System jobs of maintenance that never left for a host that is away, and those of people that waited since before `before`. */
export async function waitingInVain(db: Database, before: number) {
  return await db
    .selectFrom("jobs")
    .innerJoin("hosts", "hosts.id", "jobs.host_id")
    .select(["jobs.id", "jobs.host_id", "jobs.kind", "hosts.name as host_name"])
    .where(sql<SqlBool>`jobs.state in ('queued', 'running')`)
    .where("jobs.state", "=", "queued")
    .where("jobs.sent_at", "is", null)
    .where(sql.raw<SqlBool>(IS_UPKEEP))
    .where("hosts.online", "=", 0)
    .where((e) => e.or([e("jobs.actor_kind", "=", "system"), e("jobs.created_at", "<", before)]))
    .execute();
}

/** What the host's maintenance says that somebody must see to; JSON, or null for nothing. */
export async function writeTrouble(trx: Trx, hostId: HostId, trouble: string | null): Promise<void> {
  await trx.updateTable("hosts").set({ upkeep_trouble: trouble }).where("id", "=", hostId).execute();
}

/** Measurements since an instant, oldest first. */
export async function readSizes(db: Database, hostId: HostId, since: number) {
  return await db
    .selectFrom("repository_stats")
    .selectAll()
    .where("host_id", "=", hostId)
    .where("taken_at", ">=", since)
    .orderBy("taken_at")
    .execute();
}

/** What this host's snapshots say of themselves: JSON of protocol `Snapshot`, newest first. */
export async function readSnapshotBodies(db: Database, hostId: HostId): Promise<string[]> {
  const rows = await db
    .selectFrom("snapshots")
    .select("body")
    .where("host_id", "=", hostId)
    .orderBy("time", "desc")
    .execute();
  return rows.map((row) => row.body);
}

/** The job that has the host's repository for itself. */
export async function turnHolder(db: Database, repository: string) {
  return await db
    .selectFrom("repository_turns")
    .innerJoin("jobs", "jobs.id", "repository_turns.job_id")
    .innerJoin("hosts", "hosts.id", "jobs.host_id")
    .select(["jobs.id", "jobs.kind", "jobs.host_id", "hosts.name"])
    .where("repository_turns.repository", "=", repository)
    .where("jobs.finished_at", "is", null)
    .executeTakeFirst();
}
