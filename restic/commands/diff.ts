import { z } from "zod";
import type { Hooks, ResticContext } from "../context.ts";
import type { Outcome, ResticError } from "../error.ts";
import { execute } from "../execute.ts";
import { parseMessage, type Message } from "../message.ts";
import { checkSnapshotId } from "./snapshot-id.ts";

export type DiffInput = { from: string; to: string; deadlineMs?: number };

/** `suspicious`: other content, but same size and times, which restic takes for a failing disk. restic gives no sizes of single files. */
export type Change = {
  path: string;
  is_folder: boolean;
  kind: "added" | "removed" | "modified" | "metadata" | "type_changed";
  suspicious: boolean;
};

/** Sizes in bytes: what only one of the two snapshots needs, as stored before compression. */
export type DiffSide = { files: number; folders: number; others: number; bytes: number };

export type DiffResult = {
  added: DiffSide;
  removed: DiffSide;
  changed_files: number;
  /** How many of each kind were told, folders included. */
  counts: Record<Change["kind"], number>;
};

export type DiffHooks = Hooks & {
  /** Called for each change as it is found; restic is held back until a returned promise settles. */
  onChange: (change: Change) => void | Promise<void>;
};

/** With metadata: owner, permissions and times are changes as well. */
export function diffArgs({ from, to }: DiffInput): string[] {
  return ["diff", "--json", "--no-lock", "--metadata", "--", from, to];
}

/** The change on a line of `diff --json`; undefined for any other message, and for marks that are not known. */
export function parseChange(message: Message): Change | undefined {
  const { path, modifier } = message;
  if (message.message_type !== "change" || typeof path !== "string" || typeof modifier !== "string")
    return undefined;
  const kind = kindOf(modifier);
  if (kind === undefined) return undefined;
  const is_folder = path.length > 1 && path.endsWith("/");
  return { path: is_folder ? path.slice(0, -1) : path, is_folder, kind, suspicious: modifier.includes("?") };
}

/** Several marks may come together; the gravest names the kind. */
function kindOf(modifier: string): Change["kind"] | undefined {
  const kinds = {
    "+": "added",
    "-": "removed",
    T: "type_changed",
    M: "modified",
    "?": "modified",
    U: "metadata",
  } as const;
  for (const [mark, kind] of Object.entries(kinds)) if (modifier.includes(mark)) return kind;
  return undefined;
}

const amount = z.number().nonnegative().catch(0);
const side = z
  .object({ files: amount, dirs: amount, others: amount, bytes: amount })
  .transform(({ dirs, ...rest }) => ({ ...rest, folders: dirs }));

const statistics = z.object({
  message_type: z.literal("statistics"),
  changed_files: amount,
  added: side,
  removed: side,
});

/** What `diff` adds up at its end; undefined for any other message. */
export function parseStatistics(message: Message): Omit<DiffResult, "counts"> | undefined {
  const parsed = statistics.safeParse(message);
  if (!parsed.success) return undefined;
  const { added, removed, changed_files } = parsed.data;
  return { added, removed, changed_files };
}

/** Compares two snapshots and tells each change as it is found. */
export async function diff(
  context: ResticContext,
  input: DiffInput,
  hooks: DiffHooks,
): Promise<Outcome<DiffResult>> {
  const invalid: ResticError | undefined = checkSnapshotId(input.from) ?? checkSnapshotId(input.to);
  if (invalid !== undefined) return { ok: false, error: invalid };
  const counts: DiffResult["counts"] = { added: 0, removed: 0, modified: 0, metadata: 0, type_changed: 0 };
  let sums: Omit<DiffResult, "counts"> | undefined;
  const { error } = await execute(
    context,
    {
      args: diffArgs(input),
      kind: "read",
      ...(input.deadlineMs === undefined ? {} : { deadlineMs: input.deadlineMs }),
      onLine(stream, { text }) {
        const message = stream === "stdout" ? parseMessage(text) : undefined;
        if (message === undefined) return false;
        const change = parseChange(message);
        if (change === undefined) {
          sums = parseStatistics(message) ?? sums;
          return message.message_type === "statistics";
        }
        counts[change.kind]++;
        return hooks.onChange(change) ?? true;
      },
    },
    hooks,
  );
  if (error !== undefined) return { ok: false, error };
  if (sums !== undefined) return { ok: true, value: { ...sums, counts } };
  const message = "restic diff ended without its statistics";
  return { ok: false, error: { code: "failed", message, exitCode: 0, signal: null } };
}
