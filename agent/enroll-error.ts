import { Problem } from "@restic-manager/protocol/api/errors";

/** A server that does not answer so long is not waited for. */
export const DEADLINE_MS = 30_000;
const NEW_TOKEN = "Make a new token in the console";

export type EnrollErrorCode =
  | "bad_server"
  | "already_enrolled"
  | "not_writable"
  | "unreachable"
  | "refused"
  | "bad_answer"
  | "not_saved";

/** Why a machine was not enrolled, and what to do. `token_spent`: another try needs a new token. */
export class EnrollError extends Error {
  override readonly name = "EnrollError";
  readonly code: EnrollErrorCode;
  /** The server's own code when it refused, such as `token_expired`. */
  readonly refusal: string | undefined;
  readonly tokenSpent: boolean;

  constructor(code: EnrollErrorCode, message: string, more: { refusal?: string; tokenSpent?: boolean } = {}) {
    super(message);
    this.code = code;
    this.refusal = more.refusal;
    this.tokenSpent = more.tokenSpent ?? false;
  }
}

/** What the server said when it refused, as a sentence. `body` is what it answered, parsed if it was JSON. */
export function refusal(server: URL, status: number, body: unknown): EnrollError {
  const problem = Problem.safeParse(body);
  if (!problem.success) {
    const what = `${server.origin} answered ${status} and not as restic-manager does. Is the address right?`;
    return new EnrollError("refused", what);
  }
  const { code, message, hint, fields } = problem.data;
  const because = Object.entries(fields ?? {}).map(([field, what]) => `${field}: ${what}`);
  const said = [
    `${message}${because.length === 0 ? "" : ` (${because.join("; ")})`}`,
    ...(hint === undefined ? [] : [hint]),
  ];
  const words = REFUSALS[code] ?? `${server.origin} refused: ${said.join(". ")}`;
  return new EnrollError("refused", words, { refusal: code, tokenSpent: code.startsWith("token_") });
}

const REFUSALS: Record<string, string | undefined> = {
  token_expired: `the token has expired: a token lives for one hour. ${NEW_TOKEN}.`,
  token_used: `the token has been used already: a token works once. If this machine is not in the console, somebody else used it. ${NEW_TOKEN}.`,
  token_unknown: `the server does not know this token. Was all of it copied, and is this the right server? If so: ${NEW_TOKEN}.`,
  rate_limited:
    "the server has had too many attempts from this address. Wait a minute and try again; the token was not used.",
};

/** Codes of Bun's fetch and of sockets that mean: nothing was sent, the token is as good as before. */
const NOT_CONNECTED: Record<string, string | undefined> = {
  ConnectionRefused: "connection refused",
  ECONNREFUSED: "connection refused",
  FailedToOpenSocket: "no connection, or no such name",
  ENOTFOUND: "no such name",
  EAI_AGAIN: "the name cannot be looked up now",
};

/** What kept the server from answering, as a sentence that names its address. */
export function unreachable(server: URL, error: unknown): EnrollError {
  const code = codeOf(error);
  const early = NOT_CONNECTED[code];
  if (early !== undefined)
    return new EnrollError("unreachable", `${server.origin} cannot be reached: ${early}`);
  if (/CERT|SIGNATURE|TLS|SSL|ISSUER/.test(code)) {
    const then =
      "Name its CA with --ca-file, or pin its certificate with --pin-sha256; the token was not used";
    return new EnrollError(
      "unreachable",
      `the certificate of ${server.origin} is not trusted (${code}). ${then}.`,
    );
  }
  const slow = error instanceof Error && error.name === "TimeoutError";
  const why = slow
    ? `no answer within ${DEADLINE_MS / 1000} s`
    : error instanceof Error
      ? error.message
      : String(error);
  const then =
    "Try again; if the token is then used up, remove this machine in the console and make a new one";
  return new EnrollError("unreachable", `${server.origin} did not answer: ${why}. ${then}.`);
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}
