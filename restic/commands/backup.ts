import type { Hooks, ResticContext } from "../context.ts";
import type { Outcome, ResticError } from "../error.ts";
import { execute } from "../execute.ts";
import { oneLine } from "../log-text.ts";
import { redactorFor } from "../redact.ts";
import { backupOutput, type BackupIssue, type BackupProgress, type BackupSummary } from "./backup-output.ts";

export type { BackupIssue, BackupProgress, BackupSummary } from "./backup-output.ts";

export type BackupInput = {
  /** Absolute paths, taken literally: no patterns, any byte but NUL. */
  includes: readonly string[];
  /** restic's exclude patterns. */
  excludes?: readonly string[];
  tags: readonly string[];
  /** The host name that the snapshot carries; must be unique in the fleet. */
  host: string;
  /** One log line per file and folder (about 200 bytes each). */
  verboseItems?: boolean;
  /** How long restic may wait for another's lock; not at all when left out. */
  retryLockSeconds?: number;
};

export type BackupResult = BackupSummary & {
  /** At most 1,000; `issue_count` counts them all. A result with issues is "succeeded with issues". */
  issues: BackupIssue[];
  issue_count: number;
  /** Set when restic said that the repository itself may be damaged; that is no matter of the sources. */
  damage?: string;
};

export type BackupHooks = Hooks & {
  /** About once a second. Short backups may have none. */
  onProgress?: (progress: BackupProgress) => void;
};

/** The command line. What to back up is not on it; see `backupStdin`. */
export function backupArgs({ excludes, tags, host, verboseItems }: BackupInput): string[] {
  return [
    "backup",
    "--json",
    ...(verboseItems === true ? ["--verbose=2"] : []),
    `--host=${host}`,
    ...tags.map((tag) => `--tag=${tag}`),
    // On the command line, not in a file: restic trims lines of a file and expands $VARIABLES in them.
    ...(excludes ?? []).filter((pattern) => pattern !== "").map((pattern) => `--exclude=${pattern}`),
    "--files-from-raw=-",
  ];
}

/** The paths for restic's standard input, each ended by NUL, so that none can be an option or two paths. */
export function backupStdin(includes: readonly string[]): Uint8Array {
  return Buffer.from(includes.map((path) => `${path}\0`).join(""));
}

/** Why this input cannot be given to restic; undefined if it can. */
export function checkBackupInput({ includes, tags, host }: BackupInput): ResticError | undefined {
  const invalid = (message: string): ResticError => ({ code: "invalid_input", message });
  if (includes.length === 0) return invalid("there is nothing to back up: no path is included");
  if (includes.some((path) => path === "")) return invalid("an included path is empty");
  if (includes.some((path) => path.includes("\0"))) return invalid("an included path contains a NUL byte");
  if (host === "") return invalid("the host name is empty");
  // restic would make two tags of it.
  if (tags.some((tag) => tag === "" || tag.includes(",")))
    return invalid("a tag is empty or contains a comma");
  return undefined;
}

/**
 * Backs up. Sources that could not be read are issues of a success as long as restic saved a snapshot; if none
 * exists the error is `source_missing`.
 */
export async function backup(
  context: ResticContext,
  input: BackupInput,
  hooks: BackupHooks = {},
): Promise<Outcome<BackupResult>> {
  const invalid = checkBackupInput(input);
  if (invalid !== undefined) return { ok: false, error: invalid };
  const redact = redactorFor(context.access);
  // With --json restic says nothing until the end; a reader of the live log should see what was begun.
  await hooks.onLog?.({ stream: "stdout", text: redact(startText(input)) });
  const output = backupOutput({
    includes: input.includes,
    redact,
    ...(hooks.onProgress === undefined ? {} : { onProgress: hooks.onProgress }),
  });
  const { error } = await execute(
    context,
    {
      args: backupArgs(input),
      stdin: backupStdin(input.includes),
      kind: "write",
      ...(input.retryLockSeconds === undefined ? {} : { retryLockSeconds: input.retryLockSeconds }),
      onLine: (stream, line) => output.add(stream, line.text),
    },
    hooks,
  );
  const { summary, issues, issueCount, damage } = output;
  // Exit 3 with a summary: a snapshot was saved without what could not be read.
  if (error !== undefined && (error.code !== "incomplete" || summary === undefined))
    return { ok: false, error };
  if (summary === undefined) {
    return {
      ok: false,
      error: { code: "failed", message: "restic ended without a summary", exitCode: 0, signal: null },
    };
  }
  const value = { ...summary, issues, issue_count: issueCount, ...(damage === undefined ? {} : { damage }) };
  return { ok: true, value };
}

const namedPaths = 10;

function startText({ includes, excludes }: BackupInput): string {
  const named = includes
    .slice(0, namedPaths)
    .map((path) => oneLine(path))
    .join(", ");
  const more = includes.length > namedPaths ? ` and ${includes.length - namedPaths} more` : "";
  const without =
    excludes === undefined || excludes.length === 0 ? "" : ` (${excludes.length} exclude patterns)`;
  return `start scan of ${named}${more}${without}`;
}
