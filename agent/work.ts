import type { RepositoryCredentials } from "@restic-manager/protocol/config";
import type { JobKind, JobProgress } from "@restic-manager/protocol/jobs";
import type { TransientMessage } from "@restic-manager/protocol/messages";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import { identifyProcess } from "@restic-manager/restic/process-start";
import { HookMark } from "./hook-mark.ts";
import type { HeldJob, Journal } from "./journal.ts";
import type { JobRunner, JobTools } from "./job-runner.ts";
import { jobRunners, type JobRunners } from "./jobs.ts";
import type { Log } from "./log.ts";
import { LogWriter } from "./log-writer.ts";
import type { Meta } from "./meta.ts";
import { pace } from "./pace.ts";
import { repositoryReport } from "./report.ts";
import type { resticContext } from "./restic-access.ts";
import type { Cancel, Timers } from "./timers.ts";

/** Progress goes to the server at most this often. */
const PROGRESS_MS = 1_000;

const NO_ADMIN: ReturnType<typeof resticContext> = {
  ok: false,
  error: {
    code: "no_credentials",
    message: "The credentials that may delete did not come with this job.",
    hint: "Enter admin credentials on the host's page, and run it again.",
  },
};

export interface WorkParts {
  journal: Journal;
  timers: Timers;
  meta: Meta;
  log: Log;
  /** @param instead credentials that stand in place of the everyday ones. */
  access: (
    bandwidth?: Parameters<typeof resticContext>[3],
    instead?: RepositoryCredentials,
  ) => ReturnType<typeof resticContext>;
  hostName: () => string;
  hooks?: JobTools<JobKind>["hooks"];
  places?: JobTools<JobKind>["places"];
  lookInto?: JobTools<JobKind>["lookInto"];
  /** Who runs what; the product's own unless told. */
  runners?: JobRunners;
}

/** Runs one job with its log, its progress and the record of its process. */
export async function workOn(
  job: HeldJob,
  signals: { cancel: AbortSignal; kill: AbortSignal },
  parts: WorkParts & { say: (message: TransientMessage) => void; admin?: RepositoryCredentials | undefined },
): Promise<JobOutcome> {
  const { journal, timers, meta, log, say } = parts;
  const writer = new LogWriter({
    jobId: job.id,
    firstLine: job.logLines,
    timers,
    write: (chunk) => journal.log(chunk),
  });
  const mayTell = pace(PROGRESS_MS, timers.now);
  const tell = (progress: JobProgress): void =>
    say({
      type: "job.progress",
      job_id: job.id,
      kind: job.kind,
      at: new Date(timers.now()).toISOString(),
      progress,
    });
  /** The newest that came too soon: it is told a little later, since nothing may follow it for an hour. */
  let held: JobProgress | undefined;
  let telling: Cancel | undefined;
  const tellHeld = (): void => {
    if (held === undefined) return;
    if (mayTell()) {
      const newest = held;
      held = undefined;
      return tell(newest);
    }
    // Once more until it is told: another one may have gone out since this was set.
    telling ??= timers.after(PROGRESS_MS, () => {
      telling = undefined;
      tellHeld();
    });
  };
  const tools: JobTools<JobKind> = {
    ...signals,
    restic(bandwidth, slot) {
      if (slot === undefined) return parts.access(bandwidth);
      return parts.admin === undefined ? NO_ADMIN : parts.access(bandwidth, parts.admin);
    },
    repositoryId: () => meta.get("repository_id"),
    jobId: job.id,
    ...(parts.hooks === undefined ? {} : { hooks: parts.hooks }),
    hookMark: new HookMark({ journal, meta, log }),
    ...(parts.places === undefined ? {} : { places: parts.places }),
    ...(parts.lookInto === undefined ? {} : { lookInto: parts.lookInto }),
    tell: (message) => journal.together(() => journal.append(message)),
    hostName: parts.hostName(),
    timers,
    log: (stream, text) => writer.line(stream, text),
    spawned(pid) {
      const identity = identifyProcess(pid);
      if (identity === undefined) return;
      try {
        journal.spawned(job.id, identity);
      } catch (error) {
        // Only a later life would need it, to know an orphan; this backup does not end for that.
        log.warn("could not note restic's process", { error: toError(error) });
      }
    },
    progress(progress) {
      held = progress;
      tellHeld();
    },
    rememberRepository: (id) => meta.set("repository_id", id),
  };
  try {
    const outcome = await runnerFor(job.kind, parts.runners)(job.input, tools);
    if (outcome.state === "failed") writer.line("manager", outcome.error.message);
    if (outcome.state === "cancelled") writer.line("manager", "Cancelled.");
    return outcome;
  } finally {
    telling?.();
    writer.flush();
  }
}

/** Tells the server what the repository holds, as the step between two jobs. `later`: it did not answer; the report stays due. */
export async function reportRepository(cancel: AbortSignal, parts: WorkParts): Promise<"told" | "later"> {
  const { journal, meta, log, access, hostName, timers } = parts;
  const restic = access();
  // Without a restic or credentials there is nothing to tell; the next success makes it due again.
  if (!restic.ok) {
    journal.report([]);
    return "told";
  }
  const made = await repositoryReport(restic.context, {
    hostName: hostName(),
    repositoryId: meta.get("repository_id"),
    now: timers.now,
    cancel,
  });
  if (made.ok) {
    meta.set("repository_id", made.repositoryId);
    journal.report(made.messages);
    return "told";
  }
  if (!cancel.aborted)
    log.warn("could not read what the repository holds; trying again later", { why: made.error.message });
  return "later";
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error("unknown error");
}

function runnerFor(kind: JobKind, runners: JobRunners = jobRunners): JobRunner<JobKind> {
  // Kind and input of a held job were read together by `parseOrder`; the compiler cannot carry that through the table.
  return runners[kind] as JobRunner<JobKind>;
}
