import { sql } from "kysely";
import { JobError } from "@restic-manager/protocol/job-error";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobKind, JobState } from "@restic-manager/protocol/jobs";
import { rowLock } from "../platform/db/dialect.ts";
import { ready, readyForKeys } from "../platform/db/ready.ts";
import type { HostRecord, HostUpdate, Trx } from "../platform/db/schema.ts";

/** What the jobs table says about one host, each the newest of its sort. */
export interface HostHistory {
  running: JobMark | null;
  queued: JobMark | null;
  /** However it ended. */
  lastBackup: JobMark | null;
  /** The same, but for cancelled ones. */
  lastJudgedBackup: JobMark | null;
  lastGoodBackup: JobMark | null;
  /** The last that ended with a success or a failure. */
  lastInit: JobMark | null;
}
export interface JobMark {
  id: JobId;
  kind: JobKind;
  state: JobState;
  started_at: number | null;
  finished_at: number | null;
  issue_count: number;
  error: string | null;
}

/** The sorts of history, each with the condition and the order that find its newest job. */
const MARKS: Record<keyof HostHistory, string> = {
  running: "state in ('queued', 'running') and state = 'running' order by created_at",
  queued: "state in ('queued', 'running') and state = 'queued' order by created_at",
  lastBackup: "kind = 'backup' and finished_at is not null order by finished_at desc",
  lastJudgedBackup:
    "kind = 'backup' and finished_at is not null and state <> 'cancelled' order by finished_at desc",
  lastGoodBackup:
    "kind = 'backup' and finished_at is not null and state = 'succeeded' order by finished_at desc",
  lastInit: "kind = 'init' and state in ('succeeded', 'failed') order by created_at desc",
};
const MARK_NAMES = Object.keys(MARKS) as (keyof HostHistory)[];

/**
 * Takes hosts' rows for this transaction, so that two that end at once do not each overlook the other; always in the same order, so
 * that no two transactions wait for each other.
 */
export async function lockHosts(trx: Trx, hostIds: readonly HostId[]): Promise<HostRecord[]> {
  const answers = await selectLocked(trx, [...new Set(hostIds)].toSorted());
  return answers.flatMap(({ result }) => result.rows);
}

const selectLocked = readyForKeys((db, ids: HostId[]) =>
  db.selectFrom("hosts").selectAll().where("id", "in", ids).orderBy("id").modifyEnd(rowLock(db)),
);

/**
 * Reads hosts' histories: six probes of an index each, however long the history, and then the jobs that they found. The conditions stand
 * in the text and not in parameters, since partial indexes are found only so.
 */
export async function readHistories(trx: Trx, hostIds: readonly HostId[]): Promise<Map<HostId, HostHistory>> {
  const marked = (await selectMarks(trx, hostIds)).flatMap(({ result }) => result.rows);
  const jobIds = new Set(marked.flatMap((row) => MARK_NAMES.flatMap((mark) => row[mark] ?? [])));
  const jobs = (await selectMarked(trx, [...jobIds])).flatMap(({ result }) => result.rows);
  const byId = new Map(jobs.map((job) => [job.id, job]));
  return new Map(
    marked.map((row) => {
      const at = (mark: keyof HostHistory): JobMark | null => {
        const id = row[mark];
        return id === null ? null : (byId.get(id) ?? null);
      };
      const history: HostHistory = {
        running: at("running"),
        queued: at("queued"),
        lastBackup: at("lastBackup"),
        lastJudgedBackup: at("lastJudgedBackup"),
        lastGoodBackup: at("lastGoodBackup"),
        lastInit: at("lastInit"),
      };
      return [row.host, history];
    }),
  );
}

const selectMarks = readyForKeys((db, ids: HostId[]) => {
  const probes = sql.join(
    MARK_NAMES.map(
      (mark) =>
        sql`(select jobs.id from jobs where jobs.host_id = hosts.id and ${sql.raw(MARKS[mark])} limit 1) as ${sql.ref(mark)}`,
    ),
  );
  const query = sql<{ host: HostId } & Record<keyof HostHistory, JobId | null>>`
    select hosts.id as host, ${probes} from hosts where hosts.id in (${sql.join(ids)})`;
  return { compile: () => query.compile(db) };
});

const selectMarked = readyForKeys((db, ids: JobId[]) =>
  db
    .selectFrom("jobs")
    .select(["id", "kind", "state", "started_at", "finished_at", "issue_count", "error"])
    .where("id", "in", ids),
);

/** The columns that follow from others; see `refreshHosts`. */
export type Derived = Required<Pick<HostUpdate, (typeof DERIVED)[number]>>;

const DERIVED = [
  "status",
  "status_rank",
  "cause_code",
  "cause_message",
  "cause_since",
  "last_backup_job_id",
  "last_backup_state",
  "last_backup_at",
  "last_backup_duration_ms",
  "last_backup_issues",
  "last_backup_error",
  "last_success_at",
] as const;

export async function writeDerived(trx: Trx, hostId: HostId, derived: Derived): Promise<void> {
  await updateDerived(trx, { ...derived, hostId });
}

const updateDerived = ready((db, row: Derived & { hostId: HostId }) =>
  db
    .updateTable("hosts")
    .set(Object.fromEntries(DERIVED.map((column) => [column, row[column]])))
    .where("id", "=", row.hostId),
);

/** Reads a stored error; one that cannot be read is still a failure. */
export function readError(json: string | null): JobError {
  const parsed = JobError.safeParse(json === null ? null : JSON.parse(json));
  return parsed.data ?? { code: "failed", message: "the job failed" };
}
