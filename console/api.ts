import type {
  Me,
  Setup,
  SetupFacts,
  SetupProbeResult,
  SetupState,
  SignIn,
} from "@restic-manager/protocol/api/session";
import { ApiProblem, problemOf } from "./api-problem.ts";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/**
 * Asks the server. The answer's shape is what the protocol says of this path; the server and its tests answer for that,
 * so that the page need not carry a validator. Throws `ApiProblem` with a sentence for everything else.
 */
export async function ask<Answer>(method: Method, path: string, body?: unknown): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      credentials: "same-origin",
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch {
    throw new ApiProblem(
      {
        code: "unreachable",
        message: "The server did not answer.",
        hint: "Backups go on without it. Check that it runs and that this machine can reach it, then try again.",
      },
      0,
    );
  }
  const text = await response.text();
  const answer = parse(text);
  if (!response.ok) throw problemOf(response.status, answer);
  return answer as Answer;
}

function parse(text: string): unknown {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

/** Every question this console asks, by what it is about. */
export const api = {
  setupState: () => ask<SetupState>("GET", "/setup"),
  setupFacts: (token: string) => ask<SetupFacts>("POST", "/setup/facts", { token }),
  setupProbe: (probe: { token: string; base_url: string }) =>
    ask<SetupProbeResult>("POST", "/setup/probe", probe),
  setup: (setup: Setup) => ask<Me>("POST", "/setup", setup),
  signIn: (credentials: SignIn) => ask<Me>("POST", "/session", credentials),
  signOut: () => ask<null>("DELETE", "/session"),
  me: () => ask<Me>("GET", "/me"),
};
