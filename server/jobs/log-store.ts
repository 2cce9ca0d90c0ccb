import type { HostId, JobId } from "@restic-manager/protocol/ids";
import { inSizes, ready, readyForSizes } from "../platform/db/ready.ts";
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

const CHUNK_COLUMNS = 5;
const insertRows = readyForSizes<(string | number | Uint8Array)[], unknown>(
  (rows) => rows * CHUNK_COLUMNS,
  (db, params, rows) =>
    db
      .insertInto("log_chunks")
      .values(
        Array.from({ length: rows }, (_, row) => {
          const [job_id, first_line, count, raw_size, data] = params.slice(row * CHUNK_COLUMNS);
          // Stand-ins, in the order in which `insertChunks` gives their values.
          return { job_id, first_line, count, raw_size, data } as StoredChunk & { job_id: JobId };
        }),
      )
      .onConflict((c) => c.doNothing()),
);

/** Keeps many chunks at once. Answers the jobs of which one was there already. */
export async function insertChunks(
  trx: Trx,
  chunks: readonly (StoredChunk & { jobId: JobId })[],
): Promise<Set<JobId>> {
  const repeated = new Set<JobId>();
  for (const part of inSizes(chunks)) {
    const params = part.flatMap(({ jobId, first_line, count, raw_size, data }) => [
      jobId,
      first_line,
      count,
      raw_size,
      data,
    ]);
    const { numAffectedRows } = await insertRows(trx, part.length, params);
    if (Number(numAffectedRows) < part.length) for (const { jobId } of part) repeated.add(jobId);
  }
  return repeated;
}

/** What a chunk of a job has to fit. */
export type LogOwner = Pick<JobRecord, "id" | "host_id" | "log_bytes" | "log_removed_at" | "finished_at">;

const selectOwners = readyForSizes<JobId[], LogOwner>(
  (ids) => ids,
  (db, ids) =>
    db
      .selectFrom("jobs")
      .select(["id", "host_id", "log_bytes", "log_removed_at", "finished_at"])
      .where("id", "in", ids),
);

/** Those jobs that are known. */
export async function logOwners(trx: Trx, jobIds: readonly JobId[]): Promise<Map<JobId, LogOwner>> {
  const owners = new Map<JobId, LogOwner>();
  for (const part of inSizes(jobIds)) {
    const { rows } = await selectOwners(trx, part.length, part);
    for (const row of rows) owners.set(row.id, row);
  }
  return owners;
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

const raiseLines = ready<[number, JobId, number], unknown>(3, (db, [lines, id, than]) =>
  db.updateTable("jobs").set({ log_lines: lines }).where("id", "=", id).where("log_lines", "<", than),
);

/** Raises the number of lines known; a lower number changes nothing. */
export async function raiseLogEnd(trx: Trx, jobId: JobId, lines: number): Promise<void> {
  await raiseLines(trx, lines, jobId, lines);
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
  const chunks = await trx
    .selectFrom("log_chunks")
    .select((e) => [
      e.fn.sum<number | null>("count").as("lines"),
      // Neither database reads the data for its length.
      e.fn.sum<number | null>(e.fn<number>("length", ["data"])).as("bytes"),
    ])
    .where("job_id", "=", jobId)
    .executeTakeFirst();
  const gaps = await trx
    .selectFrom("log_gaps")
    .select((e) => e.fn.sum<number | null>("count").as("lines"))
    .where("job_id", "=", jobId)
    .executeTakeFirst();
  return {
    stored: Number(chunks?.lines ?? 0),
    bytes: Number(chunks?.bytes ?? 0),
    missing: Number(gaps?.lines ?? 0),
  };
}

/** Notes what a finished job's log takes, for the job and in its host's sum. */
export async function setLogBytes(
  trx: Trx,
  job: { id: JobId; host_id: HostId; log_bytes: number },
  bytes: number,
): Promise<void> {
  if (bytes === job.log_bytes) return;
  await trx.updateTable("jobs").set({ log_bytes: bytes }).where("id", "=", job.id).execute();
  await trx
    .updateTable("hosts")
    .set((e) => ({ log_bytes: e("log_bytes", "+", bytes - job.log_bytes) }))
    .where("id", "=", job.host_id)
    .execute();
}

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
