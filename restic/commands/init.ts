import { z } from "zod";
import type { Hooks, ResticContext } from "../context.ts";
import type { Outcome } from "../error.ts";
import { executeDocument } from "../document.ts";

export const initialized = z.object({ message_type: z.literal("initialized"), id: z.string().min(1) });

export const initArgs: readonly string[] = ["init", "--json"];

// Making a key takes 0.5 s; the server has its own patience, so do we.
const initDeadlineMs = 55_000;

/**
 * Creates a repository. Fails when there is one already, without looking at the password; ask `openRepository`
 * before, or use `prepareRepository`.
 */
export async function init(
  context: ResticContext,
  input: { deadlineMs?: number } = {},
  hooks: Hooks = {},
): Promise<Outcome<{ repositoryId: string }>> {
  const command = { args: initArgs, kind: "write" as const, deadlineMs: input.deadlineMs ?? initDeadlineMs };
  const outcome = await executeDocument(context, command, initialized, hooks);
  return outcome.ok ? { ok: true, value: { repositoryId: outcome.value.id } } : outcome;
}
