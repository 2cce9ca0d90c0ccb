import { ResticId } from "@restic-manager/protocol/ids";
import type { DurableMessage } from "@restic-manager/protocol/messages";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { snapshots, type Snapshot as ResticSnapshot } from "@restic-manager/restic/commands/snapshots";
import { stats, type RawDataStats } from "@restic-manager/restic/commands/stats";
import { openRepository } from "@restic-manager/restic/repository";
import type { ResticContext } from "@restic-manager/restic/context";
import type { ResticError } from "@restic-manager/restic/error";

/** Most JSON of one part of the list, so that it fits a frame beside its envelope. */
const PART_BYTES = 512 * 1024;
const PART_SNAPSHOTS = 500;
/** Most JSON of one snapshot: a frame that is too large for the link would come again for ever. */
const SNAPSHOT_BYTES = 128 * 1024;

/** Reads what the repository holds of this host, as the messages that tell the server. */
export async function repositoryReport(
  context: ResticContext,
  parts: { hostName: string; repositoryId: string | undefined; now: () => number; cancel: AbortSignal },
): Promise<
  { ok: true; messages: DurableMessage[]; repositoryId: string } | { ok: false; error: ResticError }
> {
  const hooks = { cancel: parts.cancel };
  let id = parts.repositoryId;
  if (id === undefined) {
    const opened = await openRepository(context, {}, hooks);
    if (opened.state === "error") return { ok: false, error: opened.error };
    if (opened.state !== "open")
      return { ok: false, error: { code: "failed", message: opened.state, exitCode: null, signal: null } };
    id = opened.id;
  }
  const now = parts.now();
  const listed = await snapshots(context, { host: parts.hostName }, hooks);
  if (!listed.ok) return listed;
  const size = await stats(context, {}, hooks);
  // The list is worth sending without the size.
  const messages = reportMessages(id, now, listed.value, size.ok ? size.value : undefined);
  return { ok: true, messages, repositoryId: id };
}

/** What restic said of a repository, in the protocol's words: the list in parts that fit frames, and the size if it is known. */
export function reportMessages(
  repositoryId: string,
  now: number,
  list: readonly ResticSnapshot[],
  size: RawDataStats | undefined,
): DurableMessage[] {
  const taken_at = new Date(now).toISOString();
  const repository_id = ResticId.parse(repositoryId);
  const batches = inParts(list.flatMap(toSnapshot));
  const messages: DurableMessage[] = batches.map((batch, part) => ({
    type: "snapshots.report",
    repository_id,
    taken_at,
    part,
    parts: batches.length,
    snapshots: batch,
  }));
  if (size !== undefined) {
    const { total_size, total_uncompressed_size, total_blob_count, snapshots_count } = size;
    messages.push({
      type: "repo.stats",
      repository_id,
      taken_at,
      total_size,
      ...(total_uncompressed_size === undefined ? {} : { total_uncompressed_size }),
      ...(total_blob_count === undefined ? {} : { blob_count: total_blob_count }),
      snapshots_count,
    });
  }
  return messages;
}

/** Splits the list so that each part fits a frame; an empty list is one empty part, since it says that there are none. */
export function inParts(list: Snapshot[], bytes: number = PART_BYTES): Snapshot[][] {
  const parts: Snapshot[][] = [];
  let part: Snapshot[] = [];
  let size = 0;
  for (const snapshot of list) {
    const length = Buffer.byteLength(JSON.stringify(snapshot));
    if (part.length > 0 && (size + length > bytes || part.length >= PART_SNAPSHOTS)) {
      parts.push(part);
      part = [];
      size = 0;
    }
    part.push(snapshot);
    size += length;
  }
  parts.push(part);
  return parts;
}

/** One snapshot in the protocol's words; one with an id or time that cannot be read is left out. */
export function toSnapshot(snapshot: ResticSnapshot): Snapshot[] {
  const id = ResticId.safeParse(snapshot.id);
  const time = Date.parse(snapshot.time);
  if (!id.success || Number.isNaN(time)) return [];
  const { summary } = snapshot;
  const tree = ResticId.safeParse(snapshot.tree).data;
  const parent = ResticId.safeParse(snapshot.parent).data;
  return [
    fitting({
      id: id.data,
      time: new Date(time).toISOString(),
      ...(tree === undefined ? {} : { tree }),
      ...(parent === undefined ? {} : { parent }),
      hostname: snapshot.hostname.slice(0, 1_024),
      username: snapshot.username.slice(0, 1_024),
      tags: snapshot.tags.slice(0, 100).map((tag) => tag.slice(0, 1_024)),
      paths: snapshot.paths.slice(0, 50).map((path) => path.slice(0, 4_096)),
      paths_total: snapshot.paths.length,
      ...(snapshot.program_version === undefined
        ? {}
        : { program_version: snapshot.program_version.slice(0, 128) }),
      ...(summary === undefined
        ? {}
        : {
            summary: {
              files_new: summary.files_new,
              files_changed: summary.files_changed,
              files_unmodified: summary.files_unmodified,
              data_added: summary.data_added,
              data_added_packed: summary.data_added_packed,
              total_files_processed: summary.total_files_processed,
              total_bytes_processed: summary.total_bytes_processed,
              duration_seconds: seconds(summary.backup_start, summary.backup_end),
            },
          }),
    }),
  ];
}

/** The snapshot with as many of its paths, and then of its tags, as fit. */
function fitting(snapshot: Snapshot): Snapshot {
  let cut = snapshot;
  while (Buffer.byteLength(JSON.stringify(cut)) > SNAPSHOT_BYTES && cut.paths.length + cut.tags.length > 0) {
    cut =
      cut.paths.length > 0
        ? { ...cut, paths: cut.paths.slice(0, cut.paths.length >> 1) }
        : { ...cut, tags: cut.tags.slice(0, cut.tags.length >> 1) };
  }
  return cut;
}

function seconds(start: string, end: string): number {
  const span = (Date.parse(end) - Date.parse(start)) / 1_000;
  return Number.isFinite(span) && span > 0 ? span : 0;
}
