import { zstdDecompressSync } from "node:zlib";
import type { JobLogPage } from "@restic-manager/protocol/api/jobs";
import type { JobId } from "@restic-manager/protocol/ids";
import { CHUNK_RAW_BYTES } from "@restic-manager/protocol/limits";
import { decodeLogLines } from "@restic-manager/protocol/log-lines";
import type { Database } from "../platform/db/schema.ts";
import { chunksFrom, type StoredChunk } from "./log-store.ts";
import { jobById } from "./store.ts";
import { logRemoved } from "./view.ts";

/** Most chunks read at once. */
const CHUNKS_AT_ONCE = 64;

/**
 * Reads a job's log from line `from` on: lines with their numbers, and holes between them as gaps. Lines that may still come are
 * neither. A log that was removed has no lines, and says so. `undefined` when there is no such job.
 */
export async function readLog(
  db: Database,
  jobId: JobId,
  from: number,
  limit: number,
  mostChunks = CHUNKS_AT_ONCE,
): Promise<JobLogPage | undefined> {
  const job = await jobById(db, jobId);
  if (job === undefined) return undefined;
  const page: JobLogPage = {
    lines: [],
    gaps: [],
    end: job.log_lines,
    complete: job.finished_at !== null,
    ...logRemoved(job),
  };
  // What retention has yet to sweep away is as good as gone, and what is gone is no gap.
  if (page.removed !== undefined) return page;
  const chunks = await chunksFrom(db, jobId, from, mostChunks);
  let next = from;
  for (const chunk of chunks) {
    if (page.lines.length >= limit) return page;
    if (chunk.first_line > next) page.gaps.push({ first_line: next, count: chunk.first_line - next });
    next = Math.max(next, chunk.first_line);
    for (const line of inflate(chunk).slice(next - chunk.first_line)) {
      if (page.lines.length >= limit) return page;
      page.lines.push({ ...line, n: next });
      next += 1;
    }
  }
  if (chunks.length === mostChunks) return page;
  // Frames come in order, so a hole before the last known line is filled by nobody any more.
  if (next < job.log_lines) page.gaps.push({ first_line: next, count: job.log_lines - next });
  return page;
}

/** The chunk's lines, always `count` of them: a chunk that lies about itself cannot shift the numbers after it. */
function inflate(chunk: StoredChunk) {
  let lines: ReturnType<typeof decodeLogLines> = [];
  try {
    const raw = zstdDecompressSync(chunk.data, { maxOutputLength: CHUNK_RAW_BYTES });
    lines = decodeLogLines(raw.toString("utf8"));
  } catch {
    // What an agent sent is stored as it came; one that cannot be inflated is shown as such below.
  }
  const unreadable = { at: 0, stream: "manager" as const, text: "[this line could not be read]" };
  return Array.from({ length: chunk.count }, (_, i) => lines[i] ?? unreadable);
}
