import { HTTPException } from "hono/http-exception";
import { API_ERRORS, type ApiErrorCode, type Problem } from "@restic-manager/protocol/api/errors";
import { storeFailure } from "../db/errors.ts";

export interface ProblemExtras {
  /** What to do next, when the message does not say it. */
  hint?: string;
  /** Field path to what is wrong with it. */
  fields?: Record<string, string>;
  /** With `host_offline` in a snapshot. */
  folders?: string[];
  /** With `group_in_use`. */
  schedules?: { id: string; cron: string }[];
  /** With `changed_meanwhile`. */
  newest?: Problem["newest"];
  /** Whole seconds after which another try makes sense. */
  retryAfterSeconds?: number;
  /** Methods the path does answer; for 405. */
  allow?: string;
  /** For the log only; never reaches the caller. */
  cause?: unknown;
}

/** Thrown by a room to answer with an error of the table `API_ERRORS`. The message says what happened, and to what. */
export class ApiProblem extends Error {
  override name = "ApiProblem";
  readonly code: ApiErrorCode;
  readonly extras: ProblemExtras;

  constructor(code: ApiErrorCode, message: string, extras: ProblemExtras = {}) {
    super(message, { cause: extras.cause });
    this.code = code;
    this.extras = extras;
  }
}

/** The one translation of a problem to HTTP: `{code, message, hint?, fields?}` with the table's status. */
export function problemResponse(problem: ApiProblem): Response {
  const { retryAfterSeconds, allow } = problem.extras;
  const headers: Record<string, string> = { "cache-control": "no-store" };
  if (retryAfterSeconds !== undefined)
    headers["retry-after"] = String(Math.max(1, Math.ceil(retryAfterSeconds)));
  if (allow !== undefined) headers["allow"] = allow;
  return Response.json(problemBody(problem), { status: API_ERRORS[problem.code], headers });
}

/** A problem as an answer shows it: as its body, or beside what did succeed. */
export function problemBody({
  code,
  message,
  extras: { hint, fields, folders, schedules, newest },
}: ApiProblem): Problem {
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(fields === undefined ? {} : { fields }),
    ...(folders === undefined ? {} : { folders }),
    ...(schedules === undefined ? {} : { schedules }),
    ...(newest === undefined ? {} : { newest }),
  };
}

/** What to answer for anything that was thrown. What nobody expected says nothing of its inside. */
export function problemOf(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof HTTPException) return ofFramework(error);
  switch (storeFailure(error)) {
    case "full":
      return new ApiProblem("store_full", "the server's disk is full: nothing was saved", {
        hint: "make space on the disk that holds the server's data; backups go on meanwhile",
        cause: error,
      });
    case "locked":
    case "unreachable":
      return new ApiProblem("unavailable", "the server cannot reach its database right now", {
        hint: "try again in a moment",
        retryAfterSeconds: 5,
        cause: error,
      });
    case "unstorable":
      return new ApiProblem(
        "validation_failed",
        "the request holds a character that cannot be stored (NUL)",
        {
          cause: error,
        },
      );
    case "corrupt":
    case "other":
    case null:
      return new ApiProblem("internal", "something went wrong in the server; its log says what", {
        cause: error,
      });
  }
}

/** Hono's own refusals: it throws them while it reads a body. */
function ofFramework(error: HTTPException): ApiProblem {
  if (error.status === 400) return new ApiProblem("malformed_json", "the request's body is not valid JSON");
  if (error.status === 413) return tooLarge();
  if (error.status === 415)
    return new ApiProblem("unsupported_media_type", "the request's body must be application/json");
  return new ApiProblem("internal", "something went wrong in the server; its log says what", {
    cause: error,
  });
}

export function tooLarge(): ApiProblem {
  return new ApiProblem("too_large", "the request's body is larger than 1 MiB");
}
