import type { JobError } from "@restic-manager/protocol/job-error";
import type { BackupIssue } from "@restic-manager/protocol/jobs/backup";
import { between, hex, oneOf, seeded, type Random } from "./random.ts";
import type { Script } from "./script.ts";

/** One backup as it will go, before it does: the same seed, machine and turn tell the same one. */
export interface Story {
  lines: string[];
  durationMs: number;
  files: { new: number; changed: number; unmodified: number };
  bytes: number;
  /** Bytes it adds, before and after compression. */
  added: number;
  packed: number;
  snapshotId: string;
  end: { state: "succeeded"; issues: BackupIssue[] } | { state: "failed"; error: JobError };
}

/** What goes wrong with real repositories, in the words of the agent. */
const ERRORS: readonly [JobError, ...JobError[]] = [
  { code: "repository_unreachable", message: "Dial tcp: connection refused." },
  { code: "repository_locked", message: "Repository is already locked exclusively by PID 4711 on client1." },
  { code: "wrong_password", message: "Wrong password or no key found." },
  { code: "repository_full", message: "Save(<data/3f…>) failed: no space left on device." },
  { code: "source_missing", message: "All source directories/files do not exist." },
  { code: "failed", message: "Fatal: unable to save snapshot: unexpected EOF." },
];
const FOLDERS = ["/srv/data", "/srv/www/site", "/home/ada/projects", "/home/ben", "/srv/mail/cur"] as const;
const NAMES = ["report", "invoice", "photo", "index", "message", "ledger", "draft", "backup"] as const;
const KINDS = ["pdf", "jpg", "html", "txt", "db", "eml", "csv"] as const;

/** Whether the `turn`-th backup (from 1) is one of those that happen each so-manieth time. */
const falls = (every: number, turn: number): boolean => every > 0 && turn % every === 0;

/** @param turn which backup of this machine it is, from 1. */
export function tellStory(seed: number, machine: number, turn: number, script: Script): Story {
  const random = seeded(seed, "story", machine, turn);
  const files = { new: between(random, 1, 400), changed: between(random, 0, 90), unmodified: 0 };
  files.unmodified = between(random, 1_000, 60_000);
  const added = (files.new + files.changed) * between(random, 20_000, 900_000);
  const slow = falls(script.slowEvery, turn) ? script.slowTimes : 1;
  return {
    lines: Array.from({ length: script.lines }, () => lineOf(random, script.lineBytes)),
    durationMs: script.durationMs * slow,
    files,
    bytes: files.unmodified * between(random, 30_000, 300_000),
    added,
    packed: Math.round(added * (0.4 + random() / 2)),
    snapshotId: hex(random, 64),
    end: falls(script.failEvery, turn)
      ? { state: "failed", error: ERRORS[(turn / script.failEvery - 1) % ERRORS.length] ?? ERRORS[0] }
      : { state: "succeeded", issues: falls(script.warnEvery, turn) ? issuesOf(random) : [] },
  };
}

/** A line as restic writes one for each file with `--verbose`, filled up to about `bytes`. */
export function lineOf(random: Random, bytes: number): string {
  const path = `${oneOf(random, FOLDERS)}/${oneOf(random, NAMES)}-${hex(random, 6)}.${oneOf(random, KINDS)}`;
  const size = (random() * 9_000).toFixed(3);
  const line = `new       ${path}, saved in ${(random() * 2).toFixed(3)}s (${size} KiB added)`;
  return line.length >= bytes ? line : `${line} ${"stored ".repeat(Math.ceil(bytes / 7))}`.slice(0, bytes);
}

function issuesOf(random: Random): BackupIssue[] {
  return Array.from({ length: between(random, 1, 5) }, () => ({
    path: `${oneOf(random, FOLDERS)}/${oneOf(random, NAMES)}-${hex(random, 4)}`,
    message: "open: permission denied",
  }));
}
