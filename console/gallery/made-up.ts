import type { HostStatus } from "@restic-manager/protocol/api/hosts";
import type { NumberedLine } from "../ui/live-log/log-source.ts";

/** The gallery's clock stands still: Saturday 21 November 2026, 08:42 UTC. */
export const NOW = Date.UTC(2026, 10, 21, 8, 42, 0);
const HOUR = 3_600_000;
const GIB = 1024 ** 3;

export interface MadeUpHost {
  id: string;
  name: string;
  status: HostStatus;
  os: string;
  cause: string | null;
  at: number;
  duration: number;
  bytes: number;
  snapshots: number;
}

const CAUSES: Partial<Record<HostStatus, string>> = {
  failed: "Repository server is full",
  restic: "restic is not installed",
  issues: "14 files not read",
  offline: "Offline since Wednesday",
};
const STATUSES: readonly HostStatus[] = ["failed", "restic", "offline", "issues", "running", "queued", "new"];
const NAMES = ["db-ams", "web-fra", "nas-oslo", "pos-ber", "kiosk-osl", "win-files"];

/** As many hosts as asked for, the problems first; the same ones every time. */
export function madeUpHosts(count: number): MadeUpHost[] {
  return Array.from({ length: count }, (_, index) => {
    const status = STATUSES[index] ?? "protected";
    return {
      id: `host-${index}`,
      name: `${NAMES[index % NAMES.length]}-${String(index + 1).padStart(2, "0")}`,
      status,
      os: index % 5 === 0 ? "Windows Server 2022" : "Debian 12",
      cause: CAUSES[status] ?? null,
      at: NOW - (index % 40) * HOUR - 41_000,
      duration: 1_428_000 - (index % 20) * 61_000,
      bytes: (4_310 - (index % 60) * 71) * GIB,
      snapshots: status === "new" ? 0 : 30 + ((index * 7) % 130),
    };
  });
}

const FIXED: readonly [NumberedLine["stream"], string][] = [
  ["manager", "job 01JDX2B7Q4C8E1M5N9P3R6T0VW started by m.thiel on db-ams-01"],
  ["hook_pre", "hook(pre): pg_dumpall to /srv/dump, 1.2 GiB"],
  ["stdout", "repository 2ac90d7e opened (version 2, compression level auto)"],
  ["stdout", "scan finished in 75.8s: 214,408 files, 918.3 GiB"],
  ["stderr", "Save(<data/9b1e44c7d0>) returned error, retrying after 1.1s: unexpected HTTP response (502)"],
  ["stdout", "modified  /var/lib/postgresql/15/main/base/16389/16402, saved in 0.040s (1.1 MiB added)"],
  ["stderr", "error: lstat /srv/orders/attachments/2026/11/tmp.4f1: no such file or directory"],
  ["stdout", "unchanged /srv/orders/attachments/2026/11/inv-88213.pdf, saved in 0.780s (28.5 MiB added)"],
  ["stdout", "new       /srv/orders/export/orders-2026-11-20.csv.zst, saved in 1.520s (55.9 MiB added)"],
  ["stderr", "Fatal: unable to save snapshot: server response unexpected: 507 Insufficient Storage"],
  ["hook_post", "hook(post): RM_JOB_STATUS=failed, restarting service"],
];

/** Line `n` of a log that never changes. */
export function madeUpLine(n: number): NumberedLine {
  const [stream, text] = FIXED[n < 5 ? n : 5 + ((n - 5) % (n === 20 ? 6 : 4))] ?? ["stdout", ""];
  return { n, at: NOW - 600_000 + n * 1_300, stream, text: n > 30 ? `${text} #${n + 1}` : text };
}

/** Snapshots as retention leaves them: dense today, thin years ago. */
export function madeUpTimes(count: number): number[] {
  return Array.from(
    { length: count },
    (_, index) => NOW - 2 * HOUR - 6 * HOUR * (1.14 ** Math.min(index, 62) - 1),
  );
}

/** Nothing in the gallery can be saved. */
export const noDownload = () => Promise.resolve();
