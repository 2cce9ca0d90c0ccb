import type { BackupIssue } from "@restic-manager/protocol/jobs/backup";
import { ResticId, type HostId, type JobId, type SourceGroupId } from "@restic-manager/protocol/ids";
import type { JobProgress, JobResult } from "@restic-manager/protocol/jobs";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { refreshHost } from "@restic-manager/server/hosts/refresh";
import type { Database, NewJobRecord } from "@restic-manager/server/platform/db/schema";
import type { Seal } from "@restic-manager/server/platform/seal";
import { sealCredentials } from "@restic-manager/server/repositories/credentials";
import { writeCredentials } from "@restic-manager/server/repositories/store";
import { addRows } from "@restic-manager/server/snapshots/store";
import { addCredentials, addHost, addJob, addSourceGroup, NOON } from "@restic-manager/server/testing/rows";
import type { ConsoleWorld } from "./console-world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const GIB = 1024 ** 3;
const REPOSITORY = ResticId.parse("7f3c91ab".padEnd(64, "0"));

export interface SeededHost {
  id: HostId;
  groupId: SourceGroupId;
}

/** A machine that is connected, has an open repository and a history of snapshots. */
export async function addReadyHost(
  { db, seal }: { db: Database; seal: Seal },
  name: string,
  given: Parameters<typeof addHost>[1] = {},
  snapshots = 64,
): Promise<SeededHost> {
  const id = await addHost(db, {
    name,
    hostname: name,
    address: "10.20.4.11",
    agent_version: "0.1.0",
    protocol_version: 1,
    connected_since: NOON - 12 * 24 * HOUR,
    config_version: 3,
    config_applied_version: 3,
    protected_bytes: 918 * GIB,
    stored_bytes: 402 * GIB,
    snapshot_count: snapshots,
    snapshots_taken_at: NOON - 6 * HOUR,
    ...given,
  });
  const credentials = {
    url: `rest:https://vault-ber.nordkai.example:8000/${name}/`,
    username: name,
    password: "of the account",
    repository_password: "of the repository",
  };
  const sealed = sealCredentials(seal, id, credentials, NOON - 250 * 24 * HOUR);
  await db.transaction().execute((trx) => writeCredentials(trx, sealed));
  const groupId = await addSourceGroup(db, id);
  await addJob(db, id, "succeeded", {
    kind: "init",
    actor_kind: "system",
    actor_name: "restic-manager",
    created_at: NOON - 400 * 24 * HOUR,
    started_at: NOON - 400 * 24 * HOUR,
    finished_at: NOON - 400 * 24 * HOUR + 2_000,
    result: JSON.stringify({ repository_id: REPOSITORY, created: true }),
  });
  const list = Array.from({ length: snapshots }, (_, index) => snapshotOf(name, index));
  await db.transaction().execute((trx) =>
    addRows(
      trx,
      id,
      list.map((one) => ({ id: one.id, time: Date.parse(one.time), body: JSON.stringify(one) })),
    ),
  );
  await refresh(db, id);
  return { id, groupId };
}

/** Snapshots as retention leaves them: dense today, thin years ago. */
function snapshotOf(hostname: string, index: number): Snapshot {
  const time = NOON - 2 * HOUR - Math.round(6 * HOUR * (1.14 ** Math.min(index, 62) - 1)) - index * MINUTE;
  return {
    id: ResticId.parse((0x3d90aa41 + index * 7919).toString(16).padStart(8, "0").padEnd(64, "0")),
    time: new Date(time).toISOString(),
    hostname,
    username: "root",
    tags: ["default"],
    paths: ["/etc", "/home", "/var/lib"],
    paths_total: 3,
    program_version: "restic 0.18.0",
    summary: {
      files_new: 312,
      files_changed: 1_904,
      files_unmodified: 212_192,
      data_added: 3 * GIB,
      data_added_packed: GIB,
      total_files_processed: 214_408,
      total_bytes_processed: 918 * GIB,
      duration_seconds: 1_360,
    },
  };
}

export async function refresh(db: Database, hostId: HostId): Promise<void> {
  await db.transaction().execute((trx) => refreshHost(trx, hostId));
}

/** A backup of a host's group, ten minutes old unless told. */
export async function addBackup(
  db: Database,
  host: SeededHost,
  state: NewJobRecord["state"],
  given: Partial<NewJobRecord> = {},
): Promise<JobId> {
  const started = NOON - 10 * MINUTE;
  const finished = state === "queued" || state === "running" ? {} : { finished_at: NOON - 6 * MINUTE };
  const id = await addJob(db, host.id, state, {
    source_group_id: host.groupId,
    source_group_name: "default",
    created_at: started,
    ...(state === "queued" ? {} : { started_at: started }),
    ...finished,
    ...(state === "succeeded" ? { result: JSON.stringify(resultOf([])) } : {}),
    ...given,
  });
  await refresh(db, host.id);
  return id;
}

export function resultOf(issues: BackupIssue[]): JobResult<"backup"> {
  return {
    snapshot_id: ResticId.parse("3d90aa41".padEnd(64, "0")),
    files_new: 312,
    files_changed: 1_904,
    files_unmodified: 85_890,
    dirs_new: 3,
    dirs_changed: 120,
    dirs_unmodified: 9_004,
    data_added: 1_299_227_607,
    data_added_packed: 611 * 1024 ** 2,
    total_files_processed: 88_106,
    total_bytes_processed: 84 * GIB,
    duration_seconds: 192,
    issue_count: issues.length,
    issues,
  };
}

export const ISSUES: BackupIssue[] = [
  ...Array.from({ length: 13 }, (_, n) => {
    const path = `/var/lib/php/sessions/sess_${n}`;
    return { path, message: `open ${path}: permission denied` };
  }),
  {
    path: "/var/log/nginx/access.log",
    message: "read /var/log/nginx/access.log: file changed while reading",
  },
];

export const PROGRESS: JobProgress<"backup"> = {
  phase: "backup",
  fraction: 0.624,
  files_done: 133_790,
  files_total: 214_408,
  bytes_done: 573 * GIB,
  bytes_total: 918 * GIB,
  seconds_elapsed: 720,
  seconds_remaining: 312,
  bytes_per_second: 1_138_166_333,
  error_count: 1,
  current_files: [
    "/var/lib/postgresql/15/main/pg_wal/0000000100000A3E000000F9",
    "/srv/orders/attachments/2026/11/inv-88213.pdf",
  ],
};

/** Reports a running backup's progress as its agent would. */
export async function report(
  { server }: ConsoleWorld,
  host: SeededHost,
  jobId: JobId,
  progress: JobProgress<"backup">,
): Promise<void> {
  await server.parts.core.progress.report(host.id, {
    type: "job.progress",
    job_id: jobId,
    kind: "backup",
    at: new Date(NOON).toISOString(),
    progress,
  });
}

/** Ends a running job and tells everybody, as the server does when an agent's outcome has been committed. */
export async function end(
  { server }: ConsoleWorld,
  host: SeededHost,
  jobId: JobId,
  outcome: Partial<NewJobRecord>,
): Promise<void> {
  const { db, bus } = server.parts;
  await db
    .updateTable("jobs")
    .set({ finished_at: NOON, ...outcome })
    .where("id", "=", jobId)
    .execute();
  await refresh(db, host.id);
  bus.publish("job.changed", { jobId, hostId: host.id });
  bus.publish("host.changed", { hostId: host.id });
}

/** One machine in every state that a page must be able to say, by what is the matter with it. */
export async function addHostsInEveryState({ server }: ConsoleWorld) {
  const { parts } = server;
  const { db } = parts;
  const ready = await addReadyHost(parts, "db-ams-01");
  const succeeded = await addBackup(db, ready, "succeeded", {
    created_at: NOON - 7 * HOUR,
    started_at: NOON - 7 * HOUR,
    finished_at: NOON - 6.5 * HOUR,
  });
  const cancelled = await addBackup(db, ready, "cancelled", { cancel_requested_at: NOON - 7 * MINUTE });
  const running = await addBackup(db, ready, "running");
  const queued = await addBackup(db, ready, "queued");

  const full = await addReadyHost(
    parts,
    "win-files-02",
    { os: "windows", os_name: "Windows Server 2022" },
    3,
  );
  const failed = await addBackup(db, full, "failed", {
    error: JSON.stringify({
      code: "repository_full",
      message: "The repository server vault-ber is full. It refused new data (HTTP 507).",
      hint: "Free space at the repository server, then back up again.",
    }),
  });
  const web = await addReadyHost(parts, "web-fra-07", {
    clock_skew_ms: 192_000,
    link_problem: JSON.stringify({
      code: "clone",
      message: "another machine (fra-07-copy) tried to connect as this host and was refused",
      at: NOON - 5 * MINUTE,
    }),
  });
  const issues = await addBackup(db, web, "succeeded", {
    issue_count: ISSUES.length,
    result: JSON.stringify(resultOf(ISSUES)),
  });
  const away = await addReadyHost(parts, "kiosk-osl-11", {
    online: 0,
    connected_since: null,
    last_seen_at: NOON - 4 * HOUR,
  });
  const waiting = await addBackup(db, away, "queued");

  const locked = await addHost(db, { name: "pos-ber-114", agent_version: "0.1.0" });
  await addCredentials(db, locked);
  await addSourceGroup(db, locked);
  const refused = await addJob(db, locked, "failed", {
    kind: "init",
    actor_kind: "system",
    actor_name: "restic-manager",
    error: JSON.stringify({
      code: "wrong_password",
      message: "The repository exists but this password does not open it.",
      hint: "Enter the password this repository was created with, or choose another folder for a new repository.",
    }),
  });
  await refresh(db, locked);
  const bare = await addHost(db, {
    name: "nas-oslo-03",
    online: 0,
    last_seen_at: null,
    agent_version: null,
    restic_state: null,
    restic_version: null,
  });
  const old = await addHost(db, { name: "old-ham-02", restic_state: "too_old", restic_version: "0.14.0" });
  await addCredentials(db, old);
  await addSourceGroup(db, old);
  await refresh(db, old);
  return {
    hosts: { ready, full, web, away, locked, bare, old },
    jobs: { succeeded, cancelled, running, queued, failed, issues, waiting, refused },
  };
}
