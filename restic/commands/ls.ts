import type { Hooks, ResticContext } from "../context.ts";
import type { Outcome, ResticError } from "../error.ts";
import { execute } from "../execute.ts";
import { parseMessage, type Message } from "../message.ts";
import { checkSnapshotId, checkSnapshotPath } from "./snapshot-id.ts";

export type LsInput = {
  /** 8 to 64 hexadecimal characters. */
  snapshotId: string;
  /** Only this folder, absolute; the whole snapshot when left out. Its own parents are not listed. */
  folder?: string;
  /** With `folder`: all that is below it, not only what is in it. */
  recursive?: boolean;
  deadlineMs?: number;
};

export type EntryType = "file" | "dir" | "symlink" | "other";

/** A file, folder or other thing in a snapshot. restic's `ls` does not tell where a link points; `find` does. */
export type TreeEntry = {
  /** Absolute. A byte that is no UTF-8 is U+FFFD; see `includePatterns` for restoring such a name. */
  path: string;
  name: string;
  type: EntryType;
  /** In bytes; zero for anything but a file. */
  size: number;
  /** Permissions as `chmod` takes them, up to 0o7777. */
  mode: number;
  /** Milliseconds since 1970; negative before. */
  mtime_ms: number;
  uid: number;
  gid: number;
};

/** The tree's id names the content: equal trees have equal entries, whatever the snapshot. */
export type LsResult = { tree: string; entries: number };

export type LsHooks = Hooks & {
  /** Called for each entry in restic's order (a folder before what is in it); restic is held back until a returned promise settles. */
  onEntry: (entry: TreeEntry) => void | Promise<void>;
};

export function lsArgs({ snapshotId, folder, recursive }: LsInput): string[] {
  return [
    "ls",
    "--json",
    "--no-lock",
    ...(folder !== undefined && recursive === true ? ["--recursive"] : []),
    "--",
    snapshotId,
    ...(folder === undefined ? [] : [folder]),
  ];
}

/** The entry on a line of `ls --json`; undefined for any other message. */
export function parseEntry(message: Message): TreeEntry | undefined {
  const { path, name } = message;
  // By hand: a schema would cost more than all the rest for a million entries.
  if (message.message_type !== "node" || typeof path !== "string" || typeof name !== "string")
    return undefined;
  const mtime = typeof message["mtime"] === "string" ? Date.parse(message["mtime"]) : Number.NaN;
  return {
    path,
    name,
    type: entryType(message["type"]),
    size: amount(message["size"]),
    mode: unixMode(amount(message["mode"])),
    mtime_ms: Number.isNaN(mtime) ? 0 : mtime,
    uid: amount(message["uid"]),
    gid: amount(message["gid"]),
  };
}

export function entryType(type: unknown): EntryType {
  return type === "file" || type === "dir" || type === "symlink" ? type : "other";
}

/** Go keeps the permissions where Unix has them, and set-uid, set-gid and sticky far above. */
export function unixMode(goMode: number): number {
  const has = (bit: number): boolean => Math.floor(goMode / 2 ** bit) % 2 === 1;
  return (goMode % 0o1000) + (has(23) ? 0o4000 : 0) + (has(22) ? 0o2000 : 0) + (has(20) ? 0o1000 : 0);
}

function amount(value: unknown): number {
  return typeof value === "number" && value >= 0 ? value : 0;
}

/** Why this cannot be given to restic; undefined if it can. */
export function checkLsInput({ snapshotId, folder }: LsInput): ResticError | undefined {
  return checkSnapshotId(snapshotId) ?? (folder === undefined ? undefined : checkSnapshotPath(folder));
}

/**
 * Lists a snapshot or one of its folders, entry by entry, in bounded memory. About 0.8 s for any folder; 60,000 entries a second for the
 * whole. A folder that is not there is `path_missing`. A folder with a name that is no UTF-8 cannot be asked for; it is in the whole list.
 */
export async function ls(context: ResticContext, input: LsInput, hooks: LsHooks): Promise<Outcome<LsResult>> {
  const invalid = checkLsInput(input);
  if (invalid !== undefined) return { ok: false, error: invalid };
  const folder = input.folder?.replace(/(?<=.)\/+$/, "");
  let tree: string | undefined;
  let entries = 0;
  let seen = folder === undefined || folder === "/";
  const { error } = await execute(
    context,
    {
      args: lsArgs({ ...input, ...(folder === undefined ? {} : { folder }) }),
      kind: "read",
      gatherStdout: true,
      roomy: true,
      ...(input.deadlineMs === undefined ? {} : { deadlineMs: input.deadlineMs }),
      onLine(stream, { text }) {
        const message = stream === "stdout" ? parseMessage(text) : undefined;
        if (message === undefined) return false;
        const entry = parseEntry(message);
        if (entry === undefined) {
          if (message.message_type === "snapshot" && typeof message["tree"] === "string")
            tree = message["tree"];
          return message.message_type === "snapshot";
        }
        // The folder itself comes first, before what is in it.
        if (!seen && entry.path === folder) {
          seen = true;
          return true;
        }
        entries++;
        return hooks.onEntry(entry) ?? true;
      },
    },
    hooks,
  );
  if (error !== undefined) return { ok: false, error };
  if (!seen) {
    const path = folder ?? "/";
    return { ok: false, error: { code: "path_missing", message: `${path} is not in the snapshot`, path } };
  }
  if (tree === undefined) {
    const message = "restic ls ended without naming the snapshot";
    return { ok: false, error: { code: "failed", message, exitCode: 0, signal: null } };
  }
  return { ok: true, value: { tree, entries } };
}
