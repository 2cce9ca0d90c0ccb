import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import type { Hooks, ResticContext } from "../context.ts";
import type { ResticError } from "../error.ts";
import { execute } from "../execute.ts";
import { redactorFor } from "../redact.ts";
import {
  restoreOutput,
  type RestoreCounts,
  type RestoreIssue,
  type RestoreItem,
  type RestoreOutput,
  type RestoreProgress,
} from "./restore-output.ts";
import { checkPickedPath, includePatterns, type PickedPath } from "./restore-patterns.ts";
import { checkSnapshotId, checkSnapshotPath } from "./snapshot-id.ts";

export type { RestoreCounts, RestoreIssue, RestoreItem, RestoreProgress } from "./restore-output.ts";

export type RestoreInput = {
  snapshotId: string;
  /** Files and folders, mixed, absolute in the snapshot; what is below a folder comes with it. */
  paths: "everything" | readonly PickedPath[];
  /** Absolute; made if it is not there. The paths come below it, `/` puts them where they were. */
  target: string;
  /**
   * Takes this folder of the snapshot for its root: restored paths begin below it. `paths`, and all that is told, stay absolute. Nothing is
   * written of the folder itself but what comes into it.
   */
  subfolder?: string;
  /** `if-changed` trusts equal size and time. restic's own default is `always`. */
  overwrite: "always" | "if-changed" | "if-newer" | "never";
  /** Deletes what is in restored folders and not in the snapshot. */
  delete?: boolean;
  /** Writes nothing; counts and items are what would be done. */
  dryRun?: boolean;
  /** Reads all restored files again and compares. */
  verify?: boolean;
  /** Holes for zeros. */
  sparse?: boolean;
  /** One log line per file and folder. */
  verboseItems?: boolean;
  /**
   * `shared` keeps a prune away meanwhile, but fails with `repository_locked` while one runs; `none` always works, at the risk that a
   * prune takes what is about to be read. `none` when left out.
   */
  lock?: "shared" | "none";
  retryLockSeconds?: number;
};

export type RestoreResult = RestoreCounts & {
  /** At most 1,000; `issue_count` counts them all. A result with issues is "succeeded with issues". */
  issues: RestoreIssue[];
  issue_count: number;
  /** Nothing of what was picked is in the snapshot. */
  nothing_matched: boolean;
  /** The target had no space: the counts then include files that are not there. */
  disk_full: boolean;
  dry_run: boolean;
};

/** Also what a failed or cancelled restore had done by its last progress line. */
export type RestoreOutcome =
  | { ok: true; value: RestoreResult }
  | {
      ok: false;
      error: ResticError;
      so_far: RestoreCounts & { issues: RestoreIssue[]; issue_count: number };
    };

export type RestoreHooks = Hooks & {
  /** About once a second. Short restores may have none. */
  onProgress?: (progress: RestoreProgress) => void;
  /** Every file and folder as it is done. */
  onItem?: (item: RestoreItem) => void;
};

/** The command line. `includeFile` holds the picked paths; see `includePatterns`. */
export function restoreArgs(input: RestoreInput, includeFile?: string): string[] {
  const { snapshotId, target, subfolder, overwrite, lock } = input;
  return [
    "restore",
    "--json",
    // An item's line tells the current file, which progress lines do not.
    "--verbose=2",
    ...(lock === "shared" ? [] : ["--no-lock"]),
    `--target=${target}`,
    `--overwrite=${overwrite}`,
    ...(input.delete === true ? ["--delete"] : []),
    ...(input.dryRun === true ? ["--dry-run"] : []),
    ...(input.verify === true ? ["--verify"] : []),
    ...(input.sparse === true ? ["--sparse"] : []),
    ...(includeFile === undefined ? [] : [`--include-file=${includeFile}`]),
    "--",
    subfolder === undefined ? snapshotId : `${snapshotId}:${subfolder}`,
  ];
}

/** Why this cannot be given to restic; undefined if it can. */
export function checkRestoreInput(input: RestoreInput): ResticError | undefined {
  const { snapshotId, paths, target, subfolder } = input;
  const invalid = (message: string): ResticError => ({ code: "invalid_input", message });
  const wrong =
    checkSnapshotId(snapshotId) ?? (subfolder === undefined ? undefined : checkSnapshotPath(subfolder));
  if (wrong !== undefined) return wrong;
  if (!isAbsolute(target)) return invalid("the folder to restore to is not absolute");
  if (target.split(/[\\/]/).includes("..")) return invalid("the folder to restore to contains ..");
  if (paths === "everything") {
    // restic refuses it for / alone, and only there.
    return input.delete === true && /^[\\/]+$/.test(target)
      ? invalid("a whole snapshot is not restored to / with deletion; pick paths")
      : undefined;
  }
  if (paths.length === 0) return invalid("nothing is picked to restore");
  const bad = paths.map(checkPickedPath).find((words) => words !== undefined);
  if (bad !== undefined) return invalid(bad);
  const outside = subfolder !== undefined && paths.some((path) => below(path, subfolder) === undefined);
  return outside ? invalid("a picked path is not below the folder that stands for the root") : undefined;
}

/**
 * Restores exactly what was picked. Files that could not be restored are issues of a success as long as restic came to its end. Ownership
 * is restored when restic runs as root; restic has no way to leave it.
 */
export async function restore(
  context: ResticContext,
  input: RestoreInput,
  hooks: RestoreHooks = {},
): Promise<RestoreOutcome> {
  const output = restoreOutput({
    redact: redactorFor(context.access),
    ...(input.subfolder === undefined ? {} : { root: input.subfolder }),
    verboseItems: input.verboseItems ?? false,
    ...(hooks.onProgress === undefined ? {} : { onProgress: hooks.onProgress }),
    ...(hooks.onItem === undefined ? {} : { onItem: hooks.onItem }),
  });
  const invalid = checkRestoreInput(input);
  if (invalid !== undefined) return failed(invalid, output);
  const { paths, subfolder, retryLockSeconds } = input;
  let folder: string | undefined;
  let includeFile: string | undefined;
  try {
    if (paths !== "everything") {
      // A file, since a command line can carry neither raw bytes nor a million paths. Only ours to read: names are private.
      folder = await mkdtemp(join(context.tmpDir, "restore-"));
      includeFile = join(folder, "include");
      const relative = subfolder === undefined ? paths : paths.map((path) => below(path, subfolder) ?? path);
      await writeFile(includeFile, includePatterns(relative), { mode: 0o600 });
    }
    const { error } = await execute(
      context,
      {
        args: restoreArgs(input, includeFile),
        kind: input.lock === "shared" ? "write" : "read",
        ...(retryLockSeconds === undefined || input.lock !== "shared" ? {} : { retryLockSeconds }),
        onLine: (stream, { text }) => output.add(stream, text),
      },
      hooks,
    );
    return restoreEnd(error, output, input.dryRun === true);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** Exit 1 with a summary and nothing worse than "There were N errors" is a restore with issues. */
export function restoreEnd(
  error: ResticError | undefined,
  output: RestoreOutput,
  dryRun: boolean,
): RestoreOutcome {
  const { counts, issues, issueCount } = output;
  const onlyIssues =
    error?.code === "failed" && issueCount > 0 && /^There were \d+ errors/.test(error.message);
  if (error !== undefined && !(onlyIssues && output.hasSummary)) return failed(error, output);
  if (!output.hasSummary) {
    const message = "restic restore ended without a summary";
    return failed({ code: "failed", message, exitCode: 0, signal: null }, output);
  }
  return {
    ok: true,
    value: {
      ...counts,
      issues,
      issue_count: issueCount,
      nothing_matched: counts.files_total === 0 && counts.files_skipped === 0,
      disk_full: output.diskFull,
      dry_run: dryRun,
    },
  };
}

function failed(error: ResticError, { counts, issues, issueCount }: RestoreOutput): RestoreOutcome {
  return { ok: false, error, so_far: { ...counts, issues, issue_count: issueCount } };
}

/** The path as seen from a folder above it, still with its leading slash; undefined if the folder is not above. */
function below(path: PickedPath, folder: string): PickedPath | undefined {
  const root = folder.replace(/\/+$/, "");
  if (typeof path === "string") return path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
  const prefix = Buffer.from(`${root}/`);
  return Buffer.from(path.subarray(0, prefix.length)).equals(prefix)
    ? path.subarray(prefix.length - 1)
    : undefined;
}
