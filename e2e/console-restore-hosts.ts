import type { HostId } from "@restic-manager/protocol/ids";
import type { JobProgress, JobResult } from "@restic-manager/protocol/jobs";
import type { TreeEntry, TreeQuestion } from "@restic-manager/protocol/tree";
import { browsedAgent, type Reply } from "@restic-manager/server/testing/browsed-agent";
import { NOON } from "@restic-manager/server/testing/rows";
import type { ConsoleWorld } from "./console-world.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const HUGE = 500_000;

function entry(name: string, given: Partial<TreeEntry> = {}): TreeEntry {
  const facts = { mode: 0o644, mtime_ms: NOON - 8 * 3_600_000, uid: 0, gid: 0 };
  return { name, type: "file", size: 4_096, ...facts, ...given };
}
const folder = (name: string, entries: number, bytes: number): TreeEntry =>
  entry(name, { type: "dir", size: 0, below: { entries, bytes } });

const days = Array.from({ length: 20 }, (_, n) =>
  entry(`orders-2026-11-${String(n + 1).padStart(2, "0")}.csv.zst`, { size: 200 * MIB + n * MIB }),
);

/** A made-up machine's snapshot. `/var/spool` holds half a million files. */
const FOLDERS: Readonly<Record<string, readonly TreeEntry[]>> = {
  "/": [
    folder("etc", 1_842, 14 * MIB),
    folder("srv", 121_880, 332 * GIB),
    folder("var", HUGE + 1, 586 * GIB),
  ],
  "/etc": [folder("ssh", 12, 20_000), entry("fstab", { size: 812 }), entry("hosts", { size: 240 })],
  "/srv": [folder("dump", 3, 40 * GIB), folder("orders", 121_874, 292 * GIB)],
  "/srv/dump": [
    entry("globals.sql", { size: 1.2 * MIB }),
    entry("latest", { type: "symlink", size: 0 }),
    entry("orders.dump", { size: 38.2 * GIB }),
    entry("reporting.dump", { size: 702 * MIB }),
  ],
  "/srv/orders": [
    folder("attachments", 120_640, 281 * GIB),
    folder("empty", 0, 0),
    folder("export", 20, 4 * GIB),
  ],
  "/srv/orders/export": days,
  "/srv/orders/empty": [],
  "/var": [folder("spool", HUGE, 586 * GIB)],
};

function contents(path: string): { total: number; at: (index: number) => TreeEntry | undefined } | undefined {
  if (path === "/var/spool")
    return { total: HUGE, at: (n) => entry(`message-${String(n).padStart(6, "0")}`, { size: 1_000 + n }) };
  const listed = FOLDERS[path];
  return listed === undefined ? undefined : { total: listed.length, at: (n) => listed[n] };
}

/** Answers as an agent that has indexed the snapshot. */
export function madeUpTree(question: TreeQuestion): Reply | undefined {
  if (question.type === "tree.list") {
    const found = contents(question.path);
    if (found === undefined)
      return {
        type: "tree.failed",
        error: { code: "path_missing", message: `${question.path} is not there` },
      };
    const end = Math.min(found.total, question.from + question.limit);
    const entries = Array.from({ length: Math.max(0, end - question.from) }, (_, n) =>
      found.at(question.from + n),
    ).filter((one) => one !== undefined);
    return {
      type: "tree.list.result",
      page: {
        entries,
        total: found.total,
        next: end < found.total ? end : null,
        indexed: true,
        snapshot: { entries: 623_724, bytes: 918 * GIB },
      },
    };
  }
  if (question.type === "tree.search") {
    const entries = Object.entries(FOLDERS).flatMap(([path, items]) =>
      items
        .filter(({ name }) => name.includes(question.query))
        .map((one) => ({ ...one, path: path === "/" ? `/${one.name}` : `${path}/${one.name}` })),
    );
    return { type: "tree.search.result", page: { entries, next: null } };
  }
  return undefined;
}

/** Puts that machine's agent on the link. */
export function browsedHost({ server }: Pick<ConsoleWorld, "server">, hostId: HostId) {
  return browsedAgent(server.parts.core.link, hostId, madeUpTree);
}

export const RESTORING: JobProgress<"restore"> = {
  phase: "restoring",
  fraction: 0.34,
  files_done: 410,
  files_total: 1_207,
  files_skipped: 3,
  bytes_done: 13.6 * GIB,
  bytes_total: 40.1 * GIB,
  seconds_elapsed: 119,
  seconds_remaining: 231,
  bytes_per_second: 117 * MIB,
  error_count: 1,
  errors: [{ path: "/srv/orders/export/index.json", message: "open: no space left on device" }],
  current_file: "/srv/dump/orders.dump",
  where: "/var/restic-restore/01JDXR0V5H7K9M1P3S5T7W9Y1B",
};

export const RESTORED: JobResult<"restore"> = {
  files_total: 1_207,
  files_restored: 1_204,
  files_skipped: 2,
  files_deleted: 0,
  bytes_total: 40.1 * GIB,
  bytes_restored: 40 * GIB,
  bytes_skipped: 0.1 * GIB,
  complete: true,
  dry_run: false,
  in_place: false,
  where: "/var/restic-restore/01JDXR0V5H7K9M1P3S5T7W9Y1B",
  ownership_dropped: true,
  verified: true,
  duration_seconds: 351,
  space: { needed: 40 * GIB, free: 200 * GIB, enough: true },
  issue_count: 1,
  issues: [
    {
      path: "/srv/orders/export/index.json",
      message: "open /srv/orders/export/index.json: permission denied",
    },
  ],
  deleted: [],
  command:
    "restic -r rest:https://vault-ber.nordkai.example:8000/db-ams-01/ restore 3d90aa41 --target /var/restic-restore/01JDXR0V5H7K9M1P3S5T7W9Y1B --include-file -",
};
