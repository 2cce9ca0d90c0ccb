import type { Database } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { hashToken, mintToken, sameHash } from "../platform/token.ts";
import { administratorExists, replaceSetupToken, setupTokenHash } from "./store.ts";

/**
 * Makes a new set-up token while no administrator exists; the one before is worth nothing then.
 *
 * @returns the token, to be shown once; null when set-up is over.
 */
export async function renewSetupToken(db: Database): Promise<string | null> {
  if (await administratorExists(db)) return null;
  const token = mintToken();
  await replaceSetupToken(db, hashToken(token));
  return token;
}

/**
 * @returns the token's hash, to be taken in the transaction that uses it.
 * @throws ApiProblem `already_set_up` or `setup_token_wrong`.
 */
export async function checkSetupToken(db: Database, token: string): Promise<string> {
  if (await administratorExists(db))
    throw new ApiProblem("already_set_up", "this server has an administrator already: sign in instead");
  const [given, stored] = [hashToken(token), await setupTokenHash(db)];
  if (stored === null || !sameHash(given, stored))
    throw new ApiProblem("setup_token_wrong", "this set-up link is not valid", {
      hint: "each start of the server prints a new one; use the newest, or start the server again",
    });
  return given;
}
