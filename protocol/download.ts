import { z } from "zod";
import { ResticId } from "./ids.ts";
import { SnapshotPath } from "./tree.ts";

/** Bytes that may be on their way from an agent, for one download: what the server has asked for and not yet got. */
export const DOWNLOAD_WINDOW = 1024 * 1024;
/** Most bytes of one chunk. Small, so that what must not wait does not wait behind it. */
export const DOWNLOAD_CHUNK = 64 * 1024;
/** Most bytes of one download. */
export const DOWNLOAD_BYTES = 256 * 1024 ** 3;
/** Nothing taken or nothing given for so long ends a download. */
export const DOWNLOAD_STALL_MS = 120_000;

const request_id = z.string().min(1).max(64);

/** What the server says about downloads. All of it may be lost: a download is then broken off, and begun again by whoever wants it. */
export const DownloadOrder = z.discriminatedUnion("type", [
  /** Begins; nothing is sent before the first `download.more`. */
  z.object({
    type: z.literal("download.open"),
    request_id,
    snapshot_id: ResticId,
    path: SnapshotPath,
    archive: z.enum(["tar", "zip"]),
  }),
  /** The agent may have sent so many bytes in all. Only ever grows. */
  z.object({ type: z.literal("download.more"), request_id, until: z.int().nonnegative() }),
  /** Nobody wants the rest. */
  z.object({ type: z.literal("download.stop"), request_id }),
]);
export type DownloadOrder = z.infer<typeof DownloadOrder>;

export const DOWNLOAD_FAILURES = [
  "snapshot_missing",
  "path_missing",
  "busy",
  "too_large",
  "stalled",
  "failed",
] as const;
export type DownloadFailureCode = (typeof DOWNLOAD_FAILURES)[number];

/** How it ended, after its last chunk. */
export const DownloadEnd = z.discriminatedUnion("type", [
  z.object({ type: z.literal("download.end"), request_id, bytes: z.int().nonnegative() }),
  z.object({
    type: z.literal("download.failed"),
    request_id,
    error: z.object({ code: z.enum(DOWNLOAD_FAILURES).catch("failed"), message: z.string().max(8_192) }),
  }),
]);
export type DownloadEnd = z.infer<typeof DownloadEnd>;

/** Header of a binary frame that carries the next bytes; unlike a chunk of a log it has no sequence number. */
export const DownloadChunkHeader = z.object({
  type: z.literal("download.chunk"),
  request_id,
  /** Of its first byte. */
  offset: z.int().nonnegative(),
});
export type DownloadChunkHeader = z.infer<typeof DownloadChunkHeader>;

/** Writes a chunk as a binary frame, laid out as a chunk of a log is: 4 bytes of header length (big endian), the header as JSON, the bytes. */
export function encodeDownloadChunk(header: DownloadChunkHeader, chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(JSON.stringify(header));
  const frame = new Uint8Array(4 + head.byteLength + chunk.byteLength);
  new DataView(frame.buffer).setUint32(0, head.byteLength);
  frame.set(head, 4);
  frame.set(chunk, 4 + head.byteLength);
  return frame;
}
