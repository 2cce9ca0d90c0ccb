import { ls } from "@restic-manager/restic/commands/ls";
import type { ResticContext } from "@restic-manager/restic/context";
import type { ResticError } from "@restic-manager/restic/error";
import type { TreeEntry, TreePage } from "@restic-manager/protocol/tree";
import { jsonBytes } from "./entry.ts";

/**
 * The beginning of one folder straight from restic, while there is no index: as the index would give it, but without sums of folders.
 * Keeps no more than a page, however large the folder.
 */
export async function firstPage(
  context: ResticContext,
  what: { snapshotId: string; folder: string; limit: number; bytes: number },
  cancel: AbortSignal,
): Promise<{ ok: true; page: TreePage } | { ok: false; error: ResticError }> {
  const folders: TreeEntry[] = [];
  const others: TreeEntry[] = [];
  const { snapshotId, folder, limit } = what;
  const listed = await ls(
    context,
    { snapshotId, folder },
    {
      cancel,
      onEntry({ name, type, size, mode, mtime_ms, uid, gid }) {
        const list = type === "dir" ? folders : others;
        if (list.length < limit) list.push({ name, type, size, mode, mtime_ms, uid, gid });
      },
    },
  );
  if (!listed.ok) return listed;
  const entries: TreeEntry[] = [];
  let room = what.bytes;
  for (const entry of [...folders, ...others].slice(0, limit)) {
    room -= jsonBytes(entry);
    if (room <= 0 && entries.length > 0) break;
    entries.push(entry);
  }
  const total = listed.value.entries;
  const next = entries.length < total ? entries.length : null;
  return { ok: true, page: { entries, total, next, indexed: false } };
}
