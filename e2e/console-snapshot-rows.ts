import { ResticId, type HostId } from "@restic-manager/protocol/ids";
import type { JobProgress, JobResult } from "@restic-manager/protocol/jobs";
import type { DiffChange } from "@restic-manager/protocol/jobs/diff";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { addRows } from "@restic-manager/server/snapshots/store";
import { NOON } from "@restic-manager/server/testing/rows";
import { addBackup, addReadyHost, type SeededHost } from "./console-hosts.ts";
import type { ConsoleWorld } from "./console-world.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Always the same one for the same number, unlike another in its first eight signs. */
export const snapshotId = (n: number): ResticId =>
  ResticId.parse(((n * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, "0").padEnd(64, "0"));

/** Which of them added far more than usual. */
export const UNUSUAL = 9;

/** Half a year of two groups: files daily, a database twice a day of late. The oldest were made by a restic that kept no summaries. */
function history(hostname: string): Snapshot[] {
  const files = Array.from({ length: 120 }, (_, n) => ({
    n,
    at: NOON - 8 * HOUR - n * DAY * (n < 60 ? 1 : 1.5),
  }));
  const dumps = Array.from({ length: 28 }, (_, n) => ({ n: 200 + n, at: NOON - 3 * HOUR - n * 12 * HOUR }));
  return [...files, ...dumps].map(({ n, at }) => {
    const dump = n >= 200;
    const added = n === UNUSUAL ? 96 * GIB : (300 + ((n * 37) % 90)) * MIB;
    const changed = n === UNUSUAL ? 88_402 : 1_200 + ((n * 53) % 300);
    return {
      id: snapshotId(n + 1),
      time: new Date(at).toISOString(),
      hostname,
      username: "root",
      tags: dump ? ["databases", "hourly"] : ["default"],
      paths: dump
        ? ["/srv/dump", "/var/lib/postgresql"]
        : ["/etc", "/home", "/root", "/srv/orders", "/usr/local", "/var/lib"],
      paths_total: dump ? 2 : 6,
      program_version: "restic 0.18.0",
      ...(n > 100 && !dump
        ? {}
        : {
            summary: {
              files_new: 40 + (n % 30),
              files_changed: changed,
              files_unmodified: 212_192,
              data_added: added,
              data_added_packed: Math.round(added * 0.6),
              total_files_processed: 214_408 - n * 11,
              total_bytes_processed: 918 * GIB - n * 640 * MIB,
              duration_seconds: 900 + ((n * 71) % 400),
            },
          }),
    };
  });
}

/** A machine with that history. */
export async function addHistory(
  { server }: Pick<ConsoleWorld, "server">,
  name: string,
  given: Parameters<typeof addReadyHost>[2] = {},
): Promise<SeededHost & { name: string; count: number }> {
  const list = history(name);
  const host = await addReadyHost(server.parts, name, { ...given, snapshot_count: list.length }, 0);
  await addSnapshots(server, host.id, list);
  await addBackup(server.parts.db, host, "succeeded");
  return { ...host, name, count: list.length };
}

async function addSnapshots(
  { parts: { db } }: ConsoleWorld["server"],
  hostId: HostId,
  list: readonly Snapshot[],
): Promise<void> {
  const rows = list.map((one) => ({ id: one.id, time: Date.parse(one.time), body: JSON.stringify(one) }));
  await db.transaction().execute((trx) => addRows(trx, hostId, rows));
}

/** Changes of all kinds in a few folders, in the order of restic's walk. */
export const CHANGES: readonly DiffChange[] = [
  { path: "/etc", kind: "metadata", is_folder: true },
  { path: "/etc/cron.d/backup", kind: "removed", is_folder: false, size_before: 212 },
  { path: "/etc/hosts", kind: "modified", is_folder: false, size_before: 240, size_after: 262 },
  { path: "/etc/mtab", kind: "type_changed", is_folder: false, size_before: 12, size_after: 0 },
  ...Array.from({ length: 240 }, (_, n): DiffChange => {
    const path = `/srv/orders/attachments/2026/11/inv-${88_000 + n}.pdf`;
    return { path, kind: "added", is_folder: false, size_after: 180_000 + n * 911 };
  }),
  {
    path: "/srv/orders/export/a folder with a long name that nobody shortens/orders-2026-11-20 (Übersicht).csv.zst",
    kind: "modified",
    is_folder: false,
    size_before: 200 * MIB,
    size_after: 214 * MIB,
  },
  {
    path: "/var/lib/postgresql/15/main/base/16384/2619",
    kind: "modified",
    is_folder: false,
    suspicious: true,
    size_before: 8 * MIB,
    size_after: 8 * MIB,
  },
];

const COUNTS = { added: 240, removed: 1, modified: 3, metadata: 1, type_changed: 1 };

export const COMPARING: JobProgress<"diff"> = { phase: "comparing", counts: COUNTS, seconds_elapsed: 41 };

/** What came of it. */
export const COMPARED: JobResult<"diff"> = {
  from: snapshotId(2),
  to: snapshotId(1),
  added: { files: 242, folders: 1, others: 0, bytes: 84 * MIB },
  removed: { files: 2, folders: 0, others: 0, bytes: 9 * MIB },
  counts: COUNTS,
  kept: CHANGES.length,
  truncated: false,
  sizes_known: true,
  folders: [
    folder("/srv/orders", { added: 240, modified: 1 }, 82 * MIB),
    folder("/srv/orders/attachments/2026/11", { added: 240 }, 68 * MIB),
    folder("/etc", { removed: 1, modified: 1, type_changed: 1 }, -202),
    folder("/var/lib/postgresql/15/main/base/16384", { modified: 1 }, 0),
    ...Array.from({ length: 12 }, (_, n) => folder(`/home/user-${n}/.cache`, { metadata: 1 }, 0)),
  ],
  duration_seconds: 74,
};

function folder(path: string, counts: Partial<typeof COUNTS>, bytes: number) {
  return { path, added: 0, removed: 0, modified: 0, metadata: 0, type_changed: 0, ...counts, bytes };
}
