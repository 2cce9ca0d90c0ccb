import { z } from "zod";
import type { Hooks, ResticContext } from "../context.ts";
import { executeDocument } from "../document.ts";
import type { Outcome } from "../error.ts";

/** A repository's `config` file. `id` names the repository for ever and is the same for every host that uses it. */
export const repositoryConfig = z.object({ id: z.string().min(1), version: z.number().int() });
export type RepositoryConfig = z.infer<typeof repositoryConfig>;

// Without a lock: an exclusive one would otherwise hide whether the password is right.
export const catConfigArgs: readonly string[] = ["cat", "config", "--json", "--no-lock"];

/** Reads the repository's config, which needs the right password. Changes nothing. */
export function catConfig(
  context: ResticContext,
  input: { deadlineMs: number },
  hooks: Hooks = {},
): Promise<Outcome<RepositoryConfig>> {
  const command = { args: catConfigArgs, kind: "read" as const, deadlineMs: input.deadlineMs };
  return executeDocument(context, command, repositoryConfig, hooks);
}
