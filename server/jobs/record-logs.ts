import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { LogChunkHeader } from "@restic-manager/protocol/log-chunk";
import type { Touched } from "../link/touched.ts";
import type { Trx } from "../platform/db/schema.ts";
import {
  coveredLines,
  insertChunks,
  logOwners,
  raiseLogEnd,
  setLogBytes,
  storedEnd,
  type ChunkRow,
} from "./log-store.ts";

/** A log chunk with whom it came from. */
export interface ReportedChunk {
  hostId: HostId;
  header: LogChunkHeader;
  /** As the agent compressed it. */
  chunk: Uint8Array;
}

/**
 * Keeps log chunks as they came, those of many agents together: a statement for each chunk cost three times as much (see
 * docs/decisions/logs-in-batches.md). The same chunk again changes nothing; one of a job that is not known here, or is another
 * host's, is dropped.
 */
export async function recordLogs(
  trx: Trx,
  reported: readonly ReportedChunk[],
  touched: Touched,
): Promise<void> {
  const owners = await logOwners(trx, [...new Set(reported.map(({ header }) => header.job_id))]);
  const chunks: ChunkRow[] = [];
  const ends = new Map<JobId, number>();
  for (const { hostId, header, chunk } of reported) {
    const { job_id: jobId, first_line, count, raw_size } = header;
    const owner = owners.get(jobId);
    if (owner?.host_id !== hostId) continue;
    // Retention has removed this log; what comes of it now would stay for ever.
    if (owner.log_removed_at !== null) continue;
    chunks.push({ job_id: jobId, first_line, count, raw_size, data: chunk });
    ends.set(jobId, Math.max(ends.get(jobId) ?? 0, first_line + count));
  }
  const repeated = await insertChunks(trx, chunks);
  for (const [jobId, end] of ends) {
    // A chunk that was there may be another one with the same first line: only what is stored counts.
    await raiseLogEnd(trx, jobId, repeated.has(jobId) ? await storedEnd(trx, jobId) : end);
    touched.logs.add(jobId);
    const owner = owners.get(jobId);
    // A job that was given up on, or counted as lost, may still tell.
    if (owner !== undefined && owner.finished_at !== null)
      await setLogBytes(trx, owner, (await coveredLines(trx, jobId)).bytes);
  }
}
