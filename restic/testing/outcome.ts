import type { Outcome, ResticError } from "../error.ts";

/** What a command found; throws its error. */
export function valueOf<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
  return outcome.value;
}

/** Why a command failed; throws when it did not. */
export function errorOf(outcome: { ok: true } | { ok: false; error: ResticError }): ResticError {
  if (outcome.ok) throw new Error("it succeeded");
  return outcome.error;
}
