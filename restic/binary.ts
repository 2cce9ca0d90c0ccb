import { dirname, isAbsolute } from "node:path";
import { parseVersion, versionArgs } from "./commands/version.ts";
import { resticEnvironment } from "./environment.ts";
import type { ResticError } from "./error.ts";
import { hasFeature, needs } from "./features.ts";
import { killAfterMs } from "./ladder.ts";
import { run } from "./run.ts";
import type { Timers } from "./timers.ts";

/** What is known about the restic of a machine. */
export type ResticBinary =
  | { state: "ok"; version: string; path: string }
  | { state: "missing" }
  | { state: "too_old"; version: string };

/** The oldest restic that is driven. */
export const oldestRestic = needs.driving;

export type FindOptions = {
  /** Used as it is when given; must be absolute. */
  path?: string;
  /** Where to look otherwise, in the form of PATH. */
  searchPath: string;
  tmpDir: string;
  timers: Timers;
};

// `version` opens nothing and takes 0.03 s; a machine under load gets some patience.
const versionDeadlineMs = 10_000;

/** The restic program's absolute path, if there is one. It is not run. */
export function locateRestic({
  path,
  searchPath,
}: Pick<FindOptions, "path" | "searchPath">): string | undefined {
  if (path !== undefined) return isAbsolute(path) ? path : undefined;
  return Bun.which("restic", { PATH: searchPath }) ?? undefined;
}

/** Finds restic and asks it for its version. What does not answer as a restic does counts as missing. */
export async function findRestic(options: FindOptions): Promise<ResticBinary> {
  const program = locateRestic(options);
  if (program === undefined) return { state: "missing" };
  const lines: string[] = [];
  const outcome = await run({
    program,
    args: versionArgs,
    env: resticEnvironment({ cacheDir: options.tmpDir, tmpDir: options.tmpDir }),
    // A folder that is certainly there.
    cwd: dirname(program),
    killAfterMs: killAfterMs.read,
    deadlineMs: versionDeadlineMs,
    timers: options.timers,
    onLine(stream, { text }) {
      if (stream === "stdout" && lines.length < 10) lines.push(text);
    },
  });
  if (outcome.state === "not_started" || outcome.facts.code !== 0) return { state: "missing" };
  const version = parseVersion(lines);
  if (version === undefined) return { state: "missing" };
  return hasFeature(version, "driving")
    ? { state: "ok", version, path: program }
    : { state: "too_old", version };
}

/** The error that a job ends with when there is no usable restic; undefined when there is one. */
export function binaryError(binary: ResticBinary): ResticError | undefined {
  switch (binary.state) {
    case "ok":
      return undefined;
    case "missing":
      return {
        code: "restic_missing",
        message: `there is no restic on this machine; install ${oldestRestic} or newer`,
      };
    case "too_old":
      return {
        code: "restic_too_old",
        message: `restic ${binary.version} is too old; install ${oldestRestic} or newer`,
        version: binary.version,
      };
  }
}
