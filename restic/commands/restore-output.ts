import { z } from "zod";
import { firstLine, parseMessage, type Message } from "../message.ts";
import type { Redact } from "../redact.ts";

/** What a restore has done so far. Folders and links count as files; sizes in bytes. */
export type RestoreCounts = {
  files_total: number;
  files_restored: number;
  /** Left as they are: the same already, or not to be overwritten. */
  files_skipped: number;
  files_deleted: number;
  bytes_total: number;
  bytes_restored: number;
  bytes_skipped: number;
};

/** About once a second. Totals grow while restic still plans. */
export type RestoreProgress = RestoreCounts & {
  /** 0 to 100. */
  percent: number;
  seconds_elapsed: number;
  seconds_remaining?: number;
  /** The last one that was finished. */
  current_file?: string;
  errors: number;
  /** The last few of them. */
  newest_issues: RestoreIssue[];
};

/** Something that was not restored as it should be. `path` is that in the snapshot. */
export type RestoreIssue = { path: string; message: string };

/** One file or folder. `deleted` has the path on the disk, the others that in the snapshot. */
export type RestoreItem = {
  action: "restored" | "updated" | "unchanged" | "deleted" | "other";
  path: string;
  size: number;
};

const amount = z.number().nonnegative().catch(0);

const counts = z.object({
  total_files: amount,
  files_restored: amount,
  files_skipped: amount,
  files_deleted: amount,
  total_bytes: amount,
  bytes_restored: amount,
  bytes_skipped: amount,
  percent_done: amount,
  seconds_elapsed: amount,
  seconds_remaining: z.number().nonnegative().optional().catch(undefined),
});

const item = z.object({ action: z.string().catch(""), item: z.string(), size: amount });

const itemError = z.object({
  error: z.object({ message: z.string().catch("") }).catch({ message: "" }),
  item: z.string().catch(""),
});

function countsOf(m: z.infer<typeof counts>): RestoreCounts {
  return {
    files_total: m.total_files,
    files_restored: m.files_restored,
    files_skipped: m.files_skipped,
    files_deleted: m.files_deleted,
    bytes_total: m.total_bytes,
    bytes_restored: m.bytes_restored,
    bytes_skipped: m.bytes_skipped,
  };
}

/** Issues kept in the result; the rest are only counted, and are in the log. */
export const maxRestoreIssues = 1000;
const maxSeen = 20_000;
const newestKept = 5;
const noCounts: RestoreCounts = {
  files_total: 0,
  files_restored: 0,
  files_skipped: 0,
  files_deleted: 0,
  bytes_total: 0,
  bytes_restored: 0,
  bytes_skipped: 0,
};

export type RestoreOutput = {
  /** Takes one line of either stream. Returns true for what is no log line. */
  add(stream: "stdout" | "stderr", text: string): boolean;
  /** The summary's, or the last progress line's. */
  readonly counts: RestoreCounts;
  readonly hasSummary: boolean;
  readonly issues: RestoreIssue[];
  readonly issueCount: number;
  readonly diskFull: boolean;
};

export type RestoreOutputOptions = {
  redact: Redact;
  /** The folder of the snapshot that restic takes for its root: it leaves that out of the paths, which have it again here. */
  root?: string;
  /** Items go to the log as well. */
  verboseItems?: boolean;
  onProgress?: (progress: RestoreProgress) => void;
  onItem?: (item: RestoreItem) => void;
};

/** Reads a restore's output line by line. The errors of one item count once. */
export function restoreOutput(options: RestoreOutputOptions): RestoreOutput {
  const { redact, root = "", verboseItems = false, onProgress, onItem } = options;
  const prefix = root.replace(/\/+$/, "");
  const whole = (path: string): string => (path.startsWith("/") ? prefix + path : path);
  const issues: RestoreIssue[] = [];
  const seen = new Set<string>();
  const newest: RestoreIssue[] = [];
  let issueCount = 0;
  let latest = noCounts;
  let hasSummary = false;
  let current: string | undefined;
  let diskFull = false;

  const addIssue = (path: string, message: string): void => {
    diskFull ||= /no space left on device|not enough space on the disk/i.test(message);
    if (seen.has(path)) return;
    if (seen.size < maxSeen) seen.add(path);
    issueCount++;
    const issue = { path: redact(path), message: redact(message) };
    if (issues.length < maxRestoreIssues) issues.push(issue);
    newest.push(issue);
    if (newest.length > newestKept) newest.shift();
  };
  const addStatus = (message: Message): void => {
    const parsed = counts.safeParse(message);
    if (!parsed.success) return;
    const { percent_done, seconds_elapsed, seconds_remaining } = parsed.data;
    latest = countsOf(parsed.data);
    onProgress?.({
      ...latest,
      percent: Math.min(100, percent_done * 100),
      seconds_elapsed,
      ...(seconds_remaining === undefined ? {} : { seconds_remaining }),
      ...(current === undefined ? {} : { current_file: redact(current) }),
      errors: issueCount,
      newest_issues: [...newest],
    });
  };

  return {
    add(stream, text) {
      const message = parseMessage(text);
      if (message === undefined) return false;
      switch (message.message_type) {
        case "status":
          addStatus(message);
          return true;
        case "verbose_status": {
          const parsed = item.safeParse(message);
          if (!parsed.success) return false;
          const { action, item: path, size } = parsed.data;
          const known = knownAction(action);
          const named = known === "deleted" ? path : whole(path);
          current = named;
          onItem?.({ action: known, path: named, size });
          return !verboseItems;
        }
        case "summary": {
          const parsed = stream === "stdout" ? counts.safeParse(message) : undefined;
          if (parsed?.success === true) {
            latest = countsOf(parsed.data);
            hasSummary = true;
          }
          // Its figures are in the result, in words that people read.
          return parsed?.success === true;
        }
        case "error": {
          const parsed = itemError.safeParse(message);
          if (!parsed.success) return false;
          const words = firstLine(parsed.data.error.message);
          addIssue(whole(parsed.data.item), words === "" ? "could not be restored" : words);
          return false;
        }
        default:
          return false;
      }
    },
    get counts() {
      return latest;
    },
    get hasSummary() {
      return hasSummary;
    },
    issues,
    get issueCount() {
      return issueCount;
    },
    get diskFull() {
      return diskFull;
    },
  };
}

function knownAction(action: string): RestoreItem["action"] {
  switch (action) {
    case "restored":
    case "updated":
    case "unchanged":
    case "deleted":
      return action;
    default:
      return "other";
  }
}
