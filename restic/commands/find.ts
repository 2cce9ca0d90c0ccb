import { z } from "zod";
import type { Hooks, ResticContext } from "../context.ts";
import { executeDocument } from "../document.ts";
import type { Outcome, ResticError } from "../error.ts";
import { exactPattern } from "./restore-patterns.ts";
import { entryType, unixMode, type EntryType } from "./ls.ts";
import { checkSnapshotId } from "./snapshot-id.ts";

export type FindInput = {
  /** A path as `ls` gave it, for its versions; or restic's pattern (`*.conf`), for a search. */
  what: { path: string } | { pattern: string; ignoreCase?: boolean };
  /** Only snapshots of this host, with this tag; or only these. */
  host?: string;
  tag?: string;
  snapshotIds?: readonly string[];
  deadlineMs?: number;
};

/** A thing as it is in one snapshot. */
export type FileVersion = {
  snapshot_id: string;
  path: string;
  type: EntryType;
  size: number;
  mode: number;
  mtime_ms: number;
  uid: number;
  gid: number;
  /** Where a symbolic link points. */
  link_target?: string;
};

const amount = z.number().nonnegative().catch(0);

/** restic's answer: one entry per snapshot in which something was found. */
export const findDocument = z.array(
  z.object({
    snapshot: z.string(),
    matches: z
      .array(
        z.object({
          path: z.string(),
          type: z.string().catch(""),
          size: amount,
          mode: amount,
          mtime: z.string().catch(""),
          uid: amount,
          gid: amount,
          linktarget: z.string().optional().catch(undefined),
        }),
      )
      .nullish()
      .transform((matches) => matches ?? []),
  }),
);

export function findArgs({ what, host, tag, snapshotIds }: FindInput): string[] {
  return [
    "find",
    "--json",
    "--no-lock",
    ...("pattern" in what && what.ignoreCase === true ? ["--ignore-case"] : []),
    ...(host === undefined ? [] : [`--host=${host}`]),
    ...(tag === undefined ? [] : [`--tag=${tag}`]),
    ...(snapshotIds ?? []).map((id) => `--snapshot=${id}`),
    "--",
    "path" in what ? exactPattern(what.path) : what.pattern,
  ];
}

/** Why this cannot be given to restic; undefined if it can. */
export function checkFindInput({ what, snapshotIds }: FindInput): ResticError | undefined {
  const invalid = (message: string): ResticError => ({ code: "invalid_input", message });
  const text = "path" in what ? what.path : what.pattern;
  if ("path" in what && !text.startsWith("/")) return invalid("a path in a snapshot begins with /");
  if (text === "" || text === "/") return invalid("there is nothing to look for");
  if (text.includes("\0") || !text.isWellFormed()) return invalid("what to look for is no valid text");
  return (snapshotIds ?? []).map(checkSnapshotId).find((error) => error !== undefined);
}

/** Turns restic's answer into a flat list. What is below a folder that was asked for by its path is left out. */
export function versionsOf(document: z.infer<typeof findDocument>, what: FindInput["what"]): FileVersion[] {
  return document.flatMap(({ snapshot, matches }) =>
    matches
      .filter((match) => !("path" in what) || match.path === what.path)
      .map(({ mtime, linktarget, mode, type, ...rest }) => ({
        snapshot_id: snapshot,
        ...rest,
        type: entryType(type),
        mode: unixMode(mode),
        mtime_ms: Date.parse(mtime) || 0,
        ...(linktarget === undefined ? {} : { link_target: linktarget }),
      })),
  );
}

const findDeadlineMs = 10 * 60_000;

/**
 * Where something is in the repository's snapshots, by their order. Walks every snapshot that the filters leave, so give it some; more than
 * 64 MiB of matches (about 190,000) is an error.
 */
export async function find(
  context: ResticContext,
  input: FindInput,
  hooks: Hooks = {},
): Promise<Outcome<FileVersion[]>> {
  const invalid = checkFindInput(input);
  if (invalid !== undefined) return { ok: false, error: invalid };
  const command = {
    args: findArgs(input),
    kind: "read" as const,
    deadlineMs: input.deadlineMs ?? findDeadlineMs,
  };
  const outcome = await executeDocument(context, command, findDocument, hooks);
  return outcome.ok ? { ok: true, value: versionsOf(outcome.value, input.what) } : outcome;
}
