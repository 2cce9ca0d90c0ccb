import type { JobInput, JobProgress, JobResult } from "@restic-manager/protocol/jobs";
import { RESTORE_LISTED, type RestoreIssue } from "@restic-manager/protocol/jobs/restore";
import type {
  RestoreCounts,
  RestoreItem,
  RestoreOutcome,
  RestoreProgress,
} from "@restic-manager/restic/commands/restore";
import type { JobTools } from "../job-runner.ts";
import { speedometer } from "../speedometer.ts";
import { unpickedAbove } from "./above.ts";
import type { Measured } from "./measure.ts";
import type { Destination } from "./target.ts";

const NOTHING: RestoreCounts = {
  files_total: 0,
  files_restored: 0,
  files_skipped: 0,
  files_deleted: 0,
  bytes_total: 0,
  bytes_restored: 0,
  bytes_skipped: 0,
};
/** Newest errors that the live page shows. */
const NEWEST = 5;

export interface ReportParts {
  input: JobInput<"restore">;
  tools: JobTools<"restore">;
  destination: Destination;
  command: string | null;
}

/** All that is said of one restore: while it runs, when it is over, and when it was ended early. */
export class Report {
  readonly #parts: ReportParts;
  readonly #began: number;
  readonly #issues: RestoreIssue[] = [];
  readonly #deleted: string[] = [];
  readonly #above: ReadonlySet<string>;
  /** Items of what was picked, by what was done to them; restic's own counts have the folders above as well. */
  readonly #done = { restored: 0, skipped: 0 };
  readonly #speed: (bytes: number) => number | undefined;
  #phase: JobProgress<"restore">["phase"] = "measuring";
  #cause: string | undefined;
  #counts = NOTHING;
  /** Of all that was picked, with what is left as it is: what that will be differs between the dry run and the restore. */
  #total: { files: number; bytes: number } | undefined;
  #filesPlanned = 0;
  #ownershipDropped = false;
  #space: Measured["space"][number] | undefined;
  #issueCount = 0;
  #running: RestoreProgress | undefined;
  #nothing = false;
  #diskFull = false;

  constructor(parts: ReportParts) {
    this.#parts = parts;
    this.#began = parts.tools.timers.now();
    this.#above = new Set(unpickedAbove(parts.input.paths));
    this.#speed = speedometer(parts.tools.timers.now);
  }

  get nothingMatched(): boolean {
    return this.#nothing;
  }

  get diskFull(): boolean {
    return this.#diskFull;
  }

  begin(phase: JobProgress<"restore">["phase"]): void {
    this.#phase = phase;
    this.#running = undefined;
    this.#tell();
  }

  measured(measured: Measured): void {
    this.#space = measured.space[0];
    for (const path of measured.missing) this.issue({ path, message: "is not in the snapshot" });
  }

  ownershipDropped(): void {
    this.#ownershipDropped = true;
  }

  note(words: string): void {
    this.#parts.tools.log("manager", words);
  }

  issue({ path, message }: RestoreIssue): void {
    this.#issueCount += 1;
    this.note(`${path}: ${message}`);
    this.#list({ path, message });
  }

  waiting(cause: string | undefined): void {
    this.#cause = cause;
    this.#tell();
  }

  progress(progress: RestoreProgress): void {
    this.#running = progress;
    this.#tell();
  }

  /** One file or folder of the dry run before. */
  planned({ action, path }: RestoreItem): void {
    if (isThere(action) && !this.#above.has(path)) this.#filesPlanned += 1;
  }

  item({ action, path }: RestoreItem): void {
    if (action === "deleted" && this.#deleted.length < RESTORE_LISTED)
      this.#deleted.push(path.slice(0, 4_096));
    if (!isThere(action) || this.#above.has(path)) return;
    this.#done[action === "unchanged" ? "skipped" : "restored"] += 1;
  }

  /** @param trial what was counted is only what is to come. */
  ended(outcome: RestoreOutcome, trial: boolean): void {
    const counts = outcome.ok ? outcome.value : outcome.so_far;
    if (outcome.ok)
      this.#total ??= { files: this.#filesPlanned, bytes: counts.bytes_total + counts.bytes_skipped };
    if (outcome.ok) this.#nothing = outcome.value.nothing_matched;
    if (trial) return;
    const total = this.#total;
    this.#counts = {
      files_total: total?.files ?? 0,
      files_restored: this.#done.restored,
      files_skipped: this.#done.skipped,
      files_deleted: counts.files_deleted,
      bytes_total: total?.bytes ?? 0,
      bytes_restored: counts.bytes_restored,
      bytes_skipped: counts.bytes_skipped,
    };
    this.#issueCount += counts.issue_count;
    for (const issue of counts.issues) this.#list(issue);
    if (outcome.ok) this.#diskFull = outcome.value.disk_full;
  }

  /** What the restore came to, or had come to when it was ended. */
  result(complete: boolean): JobResult<"restore"> {
    const { input, destination, command, tools } = this.#parts;
    const space = this.#space;
    return {
      ...this.#counts,
      complete: complete && !this.#diskFull,
      dry_run: input.dry_run,
      in_place: destination.inPlace,
      where: destination.where,
      ownership_dropped: this.#ownershipDropped,
      verified: input.verify && !input.dry_run && complete,
      duration_seconds: Math.max(0, tools.timers.now() - this.#began) / 1_000,
      ...(space === undefined
        ? {}
        : { space: { needed: space.needed, free: space.free, enough: space.needed <= space.free } }),
      issue_count: this.#issueCount,
      issues: this.#issues,
      deleted: this.#deleted,
      command,
    };
  }

  /** What a dry run found. */
  planInWords(): string {
    const { files, bytes } = this.#total ?? {
      files: this.#counts.files_total,
      bytes: this.#counts.bytes_total,
    };
    const space = this.#space;
    const room =
      space === undefined ? "" : `; ${inBytes(space.needed)} to write, ${inBytes(space.free)} free`;
    return `Picked: ${files} files and folders, ${inBytes(bytes)}${room}`;
  }

  inWords(): string {
    const { files_restored, files_skipped, files_deleted, bytes_restored } = this.#counts;
    const parts = [
      `${files_restored} restored (${inBytes(bytes_restored)})`,
      ...(files_skipped > 0 ? [`${files_skipped} left as they were`] : []),
      ...(files_deleted > 0 ? [`${files_deleted} deleted`] : []),
      ...(this.#issueCount > 0 ? [`${this.#issueCount} with errors`] : []),
    ];
    const { inPlace, where } = this.#parts.destination;
    return `${parts.join(", ")}; they are ${inPlace ? "where they were" : `in ${where}`}`;
  }

  #list({ path, message }: RestoreIssue): void {
    if (this.#issues.length >= RESTORE_LISTED) return;
    this.#issues.push({ path: path.slice(0, 4_096), message: message.slice(0, 1_024) });
  }

  #tell(): void {
    const { tools, destination, input } = this.#parts;
    const running = this.#running;
    const { bytes_restored, bytes_skipped } = running ?? this.#counts;
    const bytesDone = bytes_restored + bytes_skipped;
    const filesDone = this.#done.restored + this.#done.skipped;
    const total = this.#total;
    const all = running !== undefined && total !== undefined && bytesDone >= total.bytes && total.bytes > 0;
    const phase = this.#phase === "restoring" && all && input.verify ? "verifying" : this.#phase;
    const measuring = this.#phase === "measuring";
    const speed = measuring ? undefined : this.#speed(bytesDone);
    const remaining = running?.seconds_remaining;
    tools.progress({
      phase: this.#cause === undefined ? phase : "waiting_for_repository",
      ...(measuring || total === undefined ? {} : { fraction: fraction(bytesDone, filesDone, total) }),
      files_done: measuring ? 0 : filesDone,
      ...(total === undefined ? {} : { files_total: total.files, bytes_total: total.bytes }),
      files_skipped: measuring ? 0 : this.#done.skipped,
      bytes_done: measuring ? 0 : bytesDone,
      seconds_elapsed: Math.round(Math.max(0, tools.timers.now() - this.#began) / 1_000),
      ...(measuring || remaining === undefined ? {} : { seconds_remaining: Math.round(remaining) }),
      ...(speed === undefined ? {} : { bytes_per_second: speed }),
      error_count: this.#issueCount + (running?.errors ?? 0),
      errors: [...this.#issues, ...(running?.newest_issues ?? [])]
        .slice(-NEWEST)
        .map(({ path, message }) => ({
          path: path.slice(0, 4_096),
          message: message.slice(0, 1_024),
        })),
      ...(measuring || running?.current_file === undefined
        ? {}
        : { current_file: running.current_file.slice(0, 4_096) }),
      where: destination.where,
      ...(this.#cause === undefined ? {} : { waiting_cause: this.#cause.slice(0, 1_024) }),
    });
  }
}

function isThere(action: RestoreItem["action"]): boolean {
  return action === "restored" || action === "updated" || action === "unchanged";
}

/** Of bytes; of files where there are none. */
function fraction(bytesDone: number, filesDone: number, total: { files: number; bytes: number }): number {
  const [done, of] = total.bytes > 0 ? [bytesDone, total.bytes] : [filesDone, total.files];
  return of === 0 ? 0 : Math.min(1, done / of);
}

/** For people. */
export function inBytes(bytes: number): string {
  if (bytes >= 1024 ** 3) return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  if (bytes >= 1024 ** 2) return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
  return bytes >= 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${bytes} bytes`;
}
