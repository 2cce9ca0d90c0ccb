import { z } from "zod";
import { JobId } from "./ids.ts";
import { CHUNK_LINES, CHUNK_RAW_BYTES } from "./limits.ts";

/** Header of a binary frame: one compressed chunk of a job's log. It is durable: it has a sequence number. */
export const LogChunkHeader = z.object({
  seq: z.int().positive(),
  job_id: JobId,
  /** Number of the chunk's first line within the job's log, from 0. */
  first_line: z.int().nonnegative(),
  count: z.int().positive().max(CHUNK_LINES),
  /** Bytes after decompression; a reader refuses to inflate more. */
  raw_size: z.int().positive().max(CHUNK_RAW_BYTES),
});
export type LogChunkHeader = z.infer<typeof LogChunkHeader>;

/** Writes a log chunk as a binary frame: 4 bytes of header length (big endian), the header as JSON, the chunk. */
export function encodeLogChunk(header: LogChunkHeader, chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(JSON.stringify(header));
  const frame = new Uint8Array(4 + head.byteLength + chunk.byteLength);
  new DataView(frame.buffer).setUint32(0, head.byteLength);
  frame.set(head, 4);
  frame.set(chunk, 4 + head.byteLength);
  return frame;
}
