import { catConfig, type RepositoryConfig } from "./commands/cat-config.ts";
import { init } from "./commands/init.ts";
import type { Hooks, ResticContext } from "./context.ts";
import type { Outcome, ResticError } from "./error.ts";

export type OpenedRepository =
  | { state: "open"; id: string; version: number }
  | { state: "missing" }
  | { state: "wrong_password" }
  | { state: "error"; error: ResticError };

/**
 * 55 s: restic itself retries an unreachable repository for 15 minutes, and people are told within 60 s. The
 * remaining 5 s are the ladder's.
 */
export const openDeadlineMs = 55_000;

/**
 * The question before anything else: is there a repository, and does this password open it? Never inferred from
 * the words of another command: `init` says "already exists" whatever the password.
 */
export async function openRepository(
  context: ResticContext,
  input: { deadlineMs?: number } = {},
  hooks: Hooks = {},
): Promise<OpenedRepository> {
  const outcome = await catConfig(context, { deadlineMs: input.deadlineMs ?? openDeadlineMs }, hooks);
  if (outcome.ok) return { state: "open", id: outcome.value.id, version: outcome.value.version };
  const { error } = outcome;
  if (error.code === "repository_missing") return { state: "missing" };
  if (error.code === "wrong_password") return { state: "wrong_password" };
  return { state: "error", error };
}

/**
 * Makes sure that there is a repository that the password opens: adopts one, or creates it and opens it once more.
 * Two hosts may do so at the same time; the second adopts what the first made.
 */
export async function prepareRepository(
  context: ResticContext,
  input: { deadlineMs?: number } = {},
  hooks: Hooks = {},
): Promise<Outcome<RepositoryConfig & { created: boolean }>> {
  const deadlineMs = input.deadlineMs ?? openDeadlineMs;
  const first = await catConfig(context, { deadlineMs }, hooks);
  if (first.ok) return { ok: true, value: { ...first.value, created: false } };
  if (first.error.code !== "repository_missing") return first;
  const made = await init(context, { deadlineMs }, hooks);
  const interrupted = !made.ok && made.error.code === "interrupted";
  if (interrupted) return made;
  const second = await catConfig(context, { deadlineMs }, hooks);
  if (second.ok) return { ok: true, value: { ...second.value, created: made.ok } };
  return !made.ok && second.error.code === "repository_missing" ? made : second;
}
