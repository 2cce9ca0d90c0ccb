import { z } from "zod";
import type { Hooks, ResticContext } from "../context.ts";
import { appendOnly, type Outcome, type ResticError } from "../error.ts";
import { execute } from "../execute.ts";
import { parseMessage } from "../message.ts";
import { repositoryAddress } from "../repository-url.ts";
import { checkWholeSnapshotId } from "./snapshot-id.ts";

export type TagInput = {
  /** Whole ids. */
  ids: readonly string[];
  /** All tags from now on (none: an empty list), or some more and some less. */
  edit: { set: readonly string[] } | { add: readonly string[]; remove: readonly string[] };
  retryLockSeconds?: number;
};

/** A snapshot with other tags is another snapshot: the old id is gone. */
export type TagResult = { changed: { old_id: string; new_id: string }[]; not_found: string[] };

export function tagArgs({ ids, edit }: TagInput): string[] {
  const options =
    "set" in edit
      ? // An empty value takes all tags away.
        (edit.set.length === 0 ? [""] : edit.set).map((tag) => `--set=${tag}`)
      : [...edit.add.map((tag) => `--add=${tag}`), ...edit.remove.map((tag) => `--remove=${tag}`)];
  return ["tag", "--json", ...options, ...ids];
}

/** Why this cannot be given to restic; undefined if it can. */
export function checkTagInput({ ids, edit }: TagInput): ResticError | undefined {
  const invalid = (message: string): ResticError => ({ code: "invalid_input", message });
  // Without an id it would be every snapshot of the repository.
  if (ids.length === 0 || ids.length > maxIds)
    return invalid(`1 to ${maxIds} snapshots can be tagged at a time`);
  const tags = "set" in edit ? edit.set : [...edit.add, ...edit.remove];
  if (!("set" in edit) && tags.length === 0) return invalid("no tag is added or removed");
  if (tags.some((tag) => tag === "" || tag.includes(",")))
    return invalid("a tag is empty or contains a comma");
  return ids.map(checkWholeSnapshotId).find((error) => error !== undefined);
}

const maxIds = 10_000;

const changed = z.object({
  message_type: z.literal("changed"),
  old_snapshot_id: z.string().min(1),
  new_snapshot_id: z.string().min(1),
});

/** The two ids on a line that tells of a changed snapshot; undefined for any other line. */
export function parseTagLine(text: string): TagResult["changed"][number] | undefined {
  const parsed = changed.safeParse(parseMessage(text));
  return parsed.success
    ? { old_id: parsed.data.old_snapshot_id, new_id: parsed.data.new_snapshot_id }
    : undefined;
}

/**
 * Changes the tags of snapshots; those that already have them stay as they are. Through an append-only server it is `append_only`, and
 * leaves a second snapshot with the new tags behind: do not try.
 */
export async function tag(
  context: ResticContext,
  input: TagInput,
  hooks: Hooks = {},
): Promise<Outcome<TagResult>> {
  const invalid = checkTagInput(input);
  if (invalid !== undefined) return { ok: false, error: invalid };
  const { retryLockSeconds } = input;
  const result: TagResult = { changed: [], not_found: [] };
  const { error, evidence } = await execute(
    context,
    {
      args: tagArgs(input),
      kind: "write",
      ...(retryLockSeconds === undefined ? {} : { retryLockSeconds }),
      onLine(stream, { text }) {
        const ids = stream === "stdout" ? parseTagLine(text) : undefined;
        if (ids !== undefined) result.changed.push(ids);
        const missing = /^Ignoring "([0-9a-f]{64})": no matching ID found/.exec(text)?.[1];
        if (missing !== undefined) result.not_found.push(missing);
        return false;
      },
    },
    hooks,
  );
  if (error?.code === "interrupted") return { ok: false, error };
  if (evidence.removalRefused) return { ok: false, error: appendOnly(repositoryAddress(context.access.url)) };
  return error === undefined ? { ok: true, value: result } : { ok: false, error };
}
