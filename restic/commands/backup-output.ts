import { z } from "zod";
import { firstLine, parseMessage, type Message } from "../message.ts";
import type { Redact } from "../redact.ts";

/** How far a backup is. Totals grow while restic still scans. Sizes in bytes, times in seconds. */
export type BackupProgress = {
  /** 0 to 100. */
  percent: number;
  files_done: number;
  files_total: number;
  bytes_done: number;
  bytes_total: number;
  seconds_elapsed: number;
  /** Not known at the start and at the end. */
  seconds_remaining?: number;
  current_files: string[];
  errors: number;
};

/** Something that was not backed up. */
export type BackupIssue = { path: string; message: string; during: "scan" | "archival" | "start" };

/** What a backup counted. Sizes in bytes. */
export type BackupSummary = {
  /** Absent when nothing had changed and restic was told to skip. */
  snapshot_id?: string;
  files_new: number;
  files_changed: number;
  files_unmodified: number;
  dirs_new: number;
  dirs_changed: number;
  dirs_unmodified: number;
  /** Bytes added to the repository before compression, and as stored. */
  data_added: number;
  data_added_packed: number;
  total_files_processed: number;
  total_bytes_processed: number;
  total_duration_seconds: number;
};

// restic leaves out what is zero.
const amount = z.number().nonnegative().catch(0);

const status = z.object({
  percent_done: amount,
  total_files: amount,
  files_done: amount,
  total_bytes: amount,
  bytes_done: amount,
  seconds_elapsed: amount,
  seconds_remaining: z.number().nonnegative().optional().catch(undefined),
  current_files: z.array(z.string()).catch([]),
  error_count: amount,
});

const summary = z.object({
  snapshot_id: z.string().min(1).optional(),
  files_new: amount,
  files_changed: amount,
  files_unmodified: amount,
  dirs_new: amount,
  dirs_changed: amount,
  dirs_unmodified: amount,
  data_added: amount,
  data_added_packed: amount,
  total_files_processed: amount,
  total_bytes_processed: amount,
  // 0.18 gives minus 292 years when it skipped an unchanged backup.
  total_duration: amount,
});

const itemError = z.object({
  error: z.object({ message: z.string().catch("") }).catch({ message: "" }),
  message: z.string().optional().catch(undefined),
  during: z.enum(["scan", "archival"]).catch("archival"),
  item: z.string().catch(""),
});

export function parseProgress(message: Message): BackupProgress | undefined {
  const parsed = status.safeParse(message);
  if (message.message_type !== "status" || !parsed.success) return undefined;
  const s = parsed.data;
  return {
    percent: Math.min(100, s.percent_done * 100),
    files_done: s.files_done,
    files_total: s.total_files,
    bytes_done: s.bytes_done,
    bytes_total: s.total_bytes,
    seconds_elapsed: s.seconds_elapsed,
    ...(s.seconds_remaining === undefined ? {} : { seconds_remaining: s.seconds_remaining }),
    current_files: s.current_files,
    errors: s.error_count,
  };
}

export function parseSummary(message: Message): BackupSummary | undefined {
  const parsed = summary.safeParse(message);
  if (message.message_type !== "summary" || !parsed.success) return undefined;
  const { total_duration, snapshot_id, ...counts } = parsed.data;
  return {
    ...(snapshot_id === undefined ? {} : { snapshot_id }),
    ...counts,
    total_duration_seconds: total_duration,
  };
}

/** Issues kept in the result; the rest are only counted, and are in the log. */
export const maxIssues = 1000;

export type BackupOutput = {
  /** Takes one line of either stream. Returns true for progress, which is no log line. */
  add(stream: "stdout" | "stderr", text: string): boolean;
  readonly summary: BackupSummary | undefined;
  readonly issues: BackupIssue[];
  readonly issueCount: number;
  /** The parent's tree is not in the index: the repository is damaged, not the source. */
  readonly damage: string | undefined;
};

export type BackupOutputOptions = {
  /** As given to restic, to recognise a path that spans lines. */
  includes: readonly string[];
  redact: Redact;
  onProgress?: (progress: BackupProgress) => void;
};

/** Reads a backup's output line by line. The same item's errors (`scan`, then `archival`) count once. */
export function backupOutput({ includes, redact, onProgress }: BackupOutputOptions): BackupOutput {
  const issues: BackupIssue[] = [];
  // Bounded: a million unreadable files must not be kept in memory; beyond it `scan` and `archival` may count twice.
  const seen = new Set<string>();
  let issueCount = 0;
  let found: BackupSummary | undefined;
  let damage: string | undefined;

  const addIssue = (issue: BackupIssue): void => {
    if (seen.has(issue.path)) return;
    if (seen.size < maxSeen) seen.add(issue.path);
    issueCount++;
    if (issues.length < maxIssues) {
      issues.push({ ...issue, path: redact(issue.path), message: redact(issue.message) });
    }
  };

  return {
    add(stream, text) {
      const message = parseMessage(text);
      if (message === undefined) {
        const missing = stream === "stderr" ? /^(.*) does not exist, skipping$/.exec(text)?.[1] : undefined;
        if (missing !== undefined) {
          addIssue({ path: wholePath(missing, includes), message: "does not exist", during: "start" });
        }
        return false;
      }
      switch (message.message_type) {
        case "status": {
          const progress = onProgress === undefined ? undefined : parseProgress(message);
          if (progress !== undefined) {
            onProgress?.({ ...progress, current_files: progress.current_files.map(redact) });
          }
          return true;
        }
        case "summary":
          found = parseSummary(message) ?? found;
          return false;
        case "error": {
          const parsed = itemError.safeParse(message);
          if (!parsed.success) return false;
          const { error, item, during } = parsed.data;
          const words = firstLine(
            error.message === "" ? (parsed.data.message ?? "could not be read") : error.message,
          );
          if (words.includes("the repository could be damaged")) damage = redact(words);
          addIssue({ path: item, message: words, during });
          return false;
        }
        default:
          return false;
      }
    },
    get summary() {
      return found;
    },
    issues,
    get issueCount() {
      return issueCount;
    },
    get damage() {
      return damage;
    },
  };
}

const maxSeen = 20_000;

/** restic prints a path with line breaks as it is, so only its last line can be seen here. */
function wholePath(printed: string, includes: readonly string[]): string {
  if (includes.includes(printed)) return printed;
  return includes.find((path) => path.endsWith(`\n${printed}`)) ?? printed;
}
