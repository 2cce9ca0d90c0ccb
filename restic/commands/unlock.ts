import type { Hooks, ResticContext } from "../context.ts";
import type { Outcome } from "../error.ts";
import { execute } from "../execute.ts";

export type UnlockInput = {
  /** Takes away live locks too, of any host: only for a person who has seen whose they are. */
  removeAll?: boolean;
  deadlineMs?: number;
};

export function unlockArgs({ removeAll }: UnlockInput): string[] {
  return ["unlock", ...(removeAll === true ? ["--remove-all"] : [])];
}

/** The number in `successfully removed N locks`; undefined for any other line. It prints nothing for none. */
export function parseRemovedLocks(text: string): number | undefined {
  const removed = /^successfully removed (\d+) locks?$/.exec(text)?.[1];
  return removed === undefined ? undefined : Number(removed);
}

const unlockDeadlineMs = 2 * 60_000;

/**
 * Removes stale locks: those of this host whose process is dead, and those older than 30 minutes. Live ones
 * stay unless `removeAll` is given; so do unreadable lock files. An append-only server lets locks go.
 */
export async function unlock(
  context: ResticContext,
  input: UnlockInput = {},
  hooks: Hooks = {},
): Promise<Outcome<{ removed: number }>> {
  let removed = 0;
  const { error } = await execute(
    context,
    {
      args: unlockArgs(input),
      kind: "write",
      deadlineMs: input.deadlineMs ?? unlockDeadlineMs,
      onLine(stream, { text }) {
        if (stream === "stdout") removed += parseRemovedLocks(text) ?? 0;
        return false;
      },
    },
    hooks,
  );
  return error === undefined ? { ok: true, value: { removed } } : { ok: false, error };
}
