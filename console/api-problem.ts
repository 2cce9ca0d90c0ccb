import type { Problem } from "@restic-manager/protocol/api/errors";

/** An answer that is not a success, or no answer at all. Its message is a sentence that can be shown as it is. */
export class ApiProblem extends Error {
  readonly code: string;
  /** HTTP status; 0 when nothing answered. */
  readonly status: number;
  /** What to do next. */
  readonly hint: string | undefined;
  /** Field path to what is wrong with it. */
  readonly fields: Readonly<Record<string, string>>;
  /** With `group_in_use`: the schedules that fire the group. */
  readonly schedules: readonly { id: string; cron: string }[];
  /** With `host_offline` in a snapshot: its folders that can be shown all the same. */
  readonly folders: readonly string[];
  /** With `changed_meanwhile`: what is stored now, and whose it is. */
  readonly newest: Problem["newest"];

  constructor(problem: Problem, status: number) {
    super(problem.message);
    this.name = "ApiProblem";
    this.code = problem.code;
    this.status = status;
    this.hint = problem.hint;
    this.fields = problem.fields ?? {};
    this.schedules = problem.schedules ?? [];
    this.folders = problem.folders ?? [];
    this.newest = problem.newest;
  }
}

/** Any error as a problem that can be shown. */
export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ApiProblem({ code: "internal", message }, 0);
}

/** The problem in an answer's body, or one that says what came instead: a proxy's error page, for example. */
export function problemOf(status: number, body: unknown): ApiProblem {
  if (typeof body === "object" && body !== null && "code" in body && "message" in body) {
    const { code, message } = body;
    const hint = "hint" in body && typeof body.hint === "string" ? { hint: body.hint } : {};
    const fields = "fields" in body ? { fields: textsOf(body.fields) } : {};
    if (typeof code === "string" && typeof message === "string") {
      const schedules = "schedules" in body ? { schedules: schedulesOf(body.schedules) } : {};
      const folders = "folders" in body ? { folders: foldersOf(body.folders) } : {};
      const newest = "newest" in body ? newestOf(body.newest) : {};
      return new ApiProblem(
        { code, message, ...hint, ...fields, ...schedules, ...folders, ...newest },
        status,
      );
    }
  }
  return new ApiProblem(
    {
      code: "unavailable",
      message: `The server answered with HTTP ${status} and nothing that this page understands.`,
      hint: "If a proxy stands before it, look there first. Then try again.",
    },
    status,
  );
}

function textsOf(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function schedulesOf(value: unknown): { id: string; cron: string }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown) => {
    if (typeof one !== "object" || one === null || !("id" in one) || !("cron" in one)) return [];
    const { id, cron } = one;
    return typeof id === "string" && typeof cron === "string" ? [{ id, cron }] : [];
  });
}

function foldersOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

function newestOf(value: unknown): Pick<Problem, "newest"> {
  if (typeof value !== "object" || value === null || !("version" in value) || !("changed" in value))
    return {};
  const { version, changed } = value;
  if (typeof version !== "number") return {};
  const known =
    typeof changed === "object" && changed !== null && "at" in changed && "by" in changed ? changed : null;
  return {
    newest: {
      version,
      changed: known === null ? null : { at: String(known.at), by: String(known.by) },
    },
  };
}
