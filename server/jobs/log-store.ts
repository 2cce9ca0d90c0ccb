import type { HostId, JobId } from "@restic-manager/protocol/ids";
import { ready, readyForKeys, readyForRows } from "../platform/db/ready.ts";
import type { Database, JobRecord, Trx } from "../platform/db/schema.ts";

/** A chunk as it rests; `data` is what the agent compressed. */
export interface StoredChunk {
  first_line: number;
  count: number;
  raw_size: number;
  data: Uint8Array;
}

/** Keeps a chunk; the same one again changes nothing. False when it was there. */
export async function insertChunk(trx: Trx, jobId: JobId, chunk: StoredChunk): Promise<boolean> {
  const done = await trx
    .insertInto("log_chunks")
    .values({ job_id: jobId, ...chunk })
    .onConflict((c) => c.doNothing())
    .executeTakeFirst();
  return Number(done.numInsertedOrUpdatedRows) === 1;
}

/** A chunk with its job. */
export type ChunkRow = StoredChunk & { job_id: JobId };
const insertRows = readyForRows(
  ["job_id", "first_line", "count", "raw_size", "data"],
  (db, rows: ChunkRow[]) =>
    db
      .insertInto("log_chunks")
      .values(rows)
      .onConflict((c) => c.doNothing()),
);

/** Keeps many chunks at once. Answers the jobs of which one was there already. */
export async function insertChunks(trx: Trx, chunks: readonly ChunkRow[]): Promise<Set<JobId>> {
  const repeated = new Set<JobId>();
  for (const { part, result } of await insertRows(trx, chunks)) {
    if (Number(result.numAffectedRows) < part.length) for (const { job_id } of part) repeated.add(job_id);
  }
  return repeated;
}

/** What a chunk of a job has to fit. */
export type LogOwner = Pick<JobRecord, "id" | "host_id" | "log_bytes" | "log_removed_at" | "finished_at">;

const selectOwners = readyForKeys((db, ids: JobId[]) =>
  db
    .selectFrom("jobs")
    .select(["id", "host_id", "log_bytes", "log_removed_at", "finished_at"])
    .where("id", "in", ids),
);

/** Those jobs that are known. */
export async function logOwners(trx: Trx, jobIds: readonly JobId[]): Promise<Map<JobId, LogOwner>> {
  const answers = await selectOwners(trx, jobIds);
  return new Map(answers.flatMap(({ result }) => result.rows.map((row) => [row.id, row])));
}

/** Where the last stored chunk of a job ends. */
export async function storedEnd(trx: Trx, jobId: JobId): Promise<number> {
  const last = await trx
    .selectFrom("log_chunks")
    .select(["first_line", "count"])
    .where("job_id", "=", jobId)
    .orderBy("first_line", "desc")
    .limit(1)
    .executeTakeFirst();
  return last === undefined ? 0 : last.first_line + last.count;
}

const raiseLines = ready((db, { jobId, lines }: { jobId: JobId; lines: number }) =>
  db.updateTable("jobs").set({ log_lines: lines }).where("id", "=", jobId).where("log_lines", "<", lines),
);

/** Raises the number of lines known; a lower number changes nothing. */
export async function raiseLogEnd(trx: Trx, jobId: JobId, lines: number): Promise<void> {
  await raiseLines(trx, { jobId, lines });
}

/** Marks lines that will never come; the same mark again changes nothing. False when it was there. */
export async function insertGap(trx: Trx, jobId: JobId, firstLine: number, count: number): Promise<boolean> {
  const done = await trx
    .insertInto("log_gaps")
    .values({ job_id: jobId, first_line: firstLine, count })
    .onConflict((c) => c.doNothing())
    .executeTakeFirst();
  return Number(done.numInsertedOrUpdatedRows) === 1;
}

/** Raises the number of lines known, and the number of those missing. */
export async function growLog(trx: Trx, jobId: JobId, lines: number, missing: number): Promise<void> {
  await trx
    .updateTable("jobs")
    .set((e) => ({
      log_lines: e.case().when("log_lines", "<", lines).then(lines).else(e.ref("log_lines")).end(),
      log_missing: e("log_missing", "+", missing),
    }))
    .where("id", "=", jobId)
    .execute();
}

/** Lines that are stored, and what they take, and those marked as missing. */
export async function coveredLines(
  trx: Trx,
  jobId: JobId,
): Promise<{ stored: number; bytes: number; missing: number }> {
  const [row] = (await selectCovered(trx, { jobId })).rows;
  return {
    stored: Number(row?.stored ?? 0),
    bytes: Number(row?.bytes ?? 0),
    missing: Number(row?.missing ?? 0),
  };
}

const selectCovered = ready((db, { jobId }: { jobId: JobId }) =>
  db
    .selectFrom([
      db
        .selectFrom("log_chunks")
        .select((e) => [
          e.fn.sum<number | null>("count").as("stored"),
          // Neither database reads the data for its length.
          e.fn.sum<number | null>(e.fn<number>("length", ["data"])).as("bytes"),
        ])
        .where("job_id", "=", jobId)
        .as("chunks"),
      db
        .selectFrom("log_gaps")
        .select((e) => e.fn.sum<number | null>("count").as("missing"))
        .where("job_id", "=", jobId)
        .as("gaps"),
    ])
    .select(["chunks.stored", "chunks.bytes", "gaps.missing"]),
);

/** Notes what a finished job's log takes, for the job and in its host's sum. */
export async function setLogBytes(
  trx: Trx,
  job: { id: JobId; host_id: HostId; log_bytes: number },
  bytes: number,
): Promise<void> {
  if (bytes === job.log_bytes) return;
  await trx.updateTable("jobs").set({ log_bytes: bytes }).where("id", "=", job.id).execute();
  await addHostLogBytes(trx, job.host_id, bytes - job.log_bytes);
}

/** A host's sum over its jobs. */
export async function addHostLogBytes(trx: Trx, hostId: HostId, more: number): Promise<void> {
  if (more !== 0) await addLogBytes(trx, { hostId, more });
}

const addLogBytes = ready((db, { hostId, more }: { hostId: HostId; more: number }) =>
  db
    .updateTable("hosts")
    .set((e) => ({ log_bytes: e("log_bytes", "+", more) }))
    .where("id", "=", hostId),
);

export async function setMissing(trx: Trx, jobId: JobId, lines: number, missing: number): Promise<void> {
  await trx
    .updateTable("jobs")
    .set({ log_lines: lines, log_missing: missing })
    .where("id", "=", jobId)
    .execute();
}

/** Chunks that hold line `from` or later ones, in order, at most `limit`. */
export async function chunksFrom(
  db: Database,
  jobId: JobId,
  from: number,
  limit: number,
): Promise<StoredChunk[]> {
  const holding = await db
    .selectFrom("log_chunks")
    .select("first_line")
    .where("job_id", "=", jobId)
    .where("first_line", "<=", from)
    .orderBy("first_line", "desc")
    .limit(1)
    .executeTakeFirst();
  const rows = await db
    .selectFrom("log_chunks")
    .select(["first_line", "count", "raw_size", "data"])
    .where("job_id", "=", jobId)
    .where("first_line", ">=", holding?.first_line ?? from)
    .orderBy("first_line")
    .limit(limit + 1)
    .execute();
  return rows.filter((row) => row.first_line + row.count > from).slice(0, limit);
}
