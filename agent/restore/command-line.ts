import type { JobInput } from "@restic-manager/protocol/jobs";
import { exactPattern } from "@restic-manager/restic/commands/restore-patterns";
import type { Destination } from "./target.ts";

/** Longer than this nobody pastes. */
const LONGEST = 32_000;

/**
 * What does the same with restic alone, to be pasted into a shell; null when there are too many paths. It has the repository's address and
 * no password: restic asks for it.
 */
export function commandLine(
  input: JobInput<"restore">,
  { inPlace, where }: Destination,
  url: string,
  dropsOwnership: boolean,
  root?: string,
): string | null {
  const options = [
    ...(input.delete ? ["--delete"] : []),
    ...(input.dry_run ? ["--dry-run"] : []),
    ...(input.verify && !input.dry_run ? ["--verify"] : []),
    ...(input.sparse ? ["--sparse"] : []),
  ];
  const picked = input.paths.includes("/") ? [] : input.paths;
  const words = [
    "restic",
    "-r",
    quoted(url),
    "restore",
    root === undefined ? input.snapshot_id : quoted(`${input.snapshot_id}:${root}`),
    "--target",
    quoted(root ?? where),
    "--overwrite",
    input.overwrite,
    ...options,
    ...picked.flatMap((path) => ["--include", quoted(exactPattern(path.slice(root?.length ?? 0)))]),
  ];
  const chown =
    inPlace || input.dry_run || !dropsOwnership ? "" : ` && chown -hR "$(id -u):$(id -g)" ${quoted(where)}`;
  const line = words.join(" ") + chown;
  return line.length > LONGEST ? null : line;
}

/** For any shell of the Bourne family. */
export function quoted(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
