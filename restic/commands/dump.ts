import type { Hooks, ResticContext } from "../context.ts";
import type { Outcome, ResticError } from "../error.ts";
import { execute } from "../execute.ts";
import { checkSnapshotId, checkSnapshotPath } from "./snapshot-id.ts";

export type DumpInput = {
  snapshotId: string;
  /** Absolute. A file comes as it is, a folder as an archive, with its full path inside. */
  path: string;
  /** Of a folder; `tar` when left out. */
  archive?: "tar" | "zip";
};

export type DumpHooks = Hooks & {
  /** Takes the next bytes, which are the caller's to keep; restic is held back until a returned promise settles. */
  onBytes: (chunk: Uint8Array) => void | Promise<void>;
};

export function dumpArgs({ snapshotId, path, archive }: DumpInput): string[] {
  return ["dump", "--no-lock", `--archive=${archive ?? "tar"}`, "--", snapshotId, path];
}

/** Why this cannot be given to restic; undefined if it can. */
export function checkDumpInput({ snapshotId, path }: DumpInput): ResticError | undefined {
  return checkSnapshotId(snapshotId) ?? checkSnapshotPath(path);
}

/**
 * Hands over a file's content, or a folder as an archive. After an error the bytes handed over so far are a torso and must not pass for
 * the whole. What is not there is `path_missing`; a link or a device is `failed`. A name that is no UTF-8 is refused: dump its folder.
 */
export async function dump(
  context: ResticContext,
  input: DumpInput,
  hooks: DumpHooks,
): Promise<Outcome<{ bytes: number }>> {
  const invalid = checkDumpInput(input);
  if (invalid !== undefined) return { ok: false, error: invalid };
  let bytes = 0;
  const { error } = await execute(
    context,
    {
      args: dumpArgs(input),
      kind: "read",
      onStdoutBytes(chunk) {
        bytes += chunk.byteLength;
        return hooks.onBytes(chunk);
      },
    },
    hooks,
  );
  return error === undefined ? { ok: true, value: { bytes } } : { ok: false, error };
}
