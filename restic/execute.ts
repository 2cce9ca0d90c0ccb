import type { Hooks, ResticContext } from "./context.ts";
import { resticEnvironment } from "./environment.ts";
import { classifyExit, isFull, type ResticError } from "./error.ts";
import { collectEvidence, type Evidence } from "./evidence.ts";
import { killAfterMs } from "./ladder.ts";
import type { Line } from "./lines.ts";
import { describeLine } from "./log-text.ts";
import { redactorFor, type Redact } from "./redact.ts";
import { checkRepositoryUrl, repositoryAddress } from "./repository-url.ts";
import { run, type RunOutcome } from "./run.ts";

export type Command = {
  args: readonly string[];
  stdin?: Uint8Array;
  /** Whether a kill could leave something half done; decides how patient the ladder is. */
  kind: "read" | "write";
  deadlineMs?: number;
  /** See `RunOptions`. */
  maxStdoutLineBytes?: number;
  gatherStdout?: boolean;
  /**
   * Lets restic use more memory for less CPU (Go's GOGC; restic asks for 50): `ls --json` of a million entries takes 8.7 s of CPU instead
   * of 10.5, and 180 MB instead of 155.
   */
  roomy?: boolean;
  /**
   * Takes a line before it goes to the log, as restic printed it, secrets and all. Returns true for data that is
   * no log line, or a promise when the next line has to wait.
   */
  onLine?: (stream: "stdout" | "stderr", line: Line) => boolean | Promise<void>;
  /** Takes standard output as it is, see `RunOptions`; nothing of it is logged then. */
  onStdoutBytes?: (chunk: Uint8Array) => void | Promise<void>;
  /** How long restic itself may wait for another's lock. */
  retryLockSeconds?: number;
};

export type Executed = {
  /** Undefined after exit 0. */
  error?: ResticError;
  evidence: Evidence;
  redact: Redact;
};

/** Runs one restic command on the context's repository and says how it ended. Throws only what a hook throws. */
export async function execute(context: ResticContext, command: Command, hooks: Hooks): Promise<Executed> {
  const redact = redactorFor(context.access);
  const collector = collectEvidence();
  const { evidence } = collector;
  const failed = (error: ResticError): Executed => ({ error, evidence, redact });

  const url = checkRepositoryUrl(context.access.url);
  if (url.state === "refused") return failed({ code: "invalid_input", message: url.message });
  const address = repositoryAddress(url.url);
  const invalid = command.args.find((arg) => arg.includes("\0"));
  if (invalid !== undefined)
    return failed({ code: "invalid_input", message: "an argument contains a NUL byte" });

  const full = new AbortController();
  const cancel = hooks.cancel === undefined ? full.signal : AbortSignal.any([hooks.cancel, full.signal]);
  let waiting: string | undefined;
  const noteWaiting = (): void => {
    const cause = evidence.retrying ? redact(evidence.retryCause ?? "") : undefined;
    // 0.18.0 retries a full repository for 15 minutes; nothing gets better by waiting.
    if (cause !== undefined && isFull(cause)) full.abort();
    if (cause !== waiting) hooks.onWaiting?.((waiting = cause));
  };
  const outcome = await run({
    program: context.program,
    args: withOptions(command.args, [...retryLockArgs(command), ...limitArgs(context.limits)]),
    env: { ...resticEnvironment(context), ...(command.roomy === true ? { GOGC: "400" } : {}) },
    cwd: context.workDir,
    ...(command.stdin === undefined ? {} : { stdin: command.stdin }),
    killAfterMs: killAfterMs[command.kind],
    ...(command.deadlineMs === undefined ? {} : { deadlineMs: command.deadlineMs }),
    ...(command.maxStdoutLineBytes === undefined ? {} : { maxStdoutLineBytes: command.maxStdoutLineBytes }),
    ...(command.gatherStdout === undefined ? {} : { gatherStdout: command.gatherStdout }),
    ...(command.onStdoutBytes === undefined ? {} : { onStdoutBytes: command.onStdoutBytes }),
    timers: context.timers,
    cancel,
    ...(hooks.kill === undefined ? {} : { kill: hooks.kill }),
    ...(hooks.onSpawn === undefined ? {} : { onSpawn: hooks.onSpawn }),
    onLine(stream, line) {
      const taken = command.onLine?.(stream, line);
      if (taken === true) return undefined;
      if (taken !== undefined && taken !== false) return taken;
      if (stream === "stderr") {
        collector.add(line.text);
        noteWaiting();
      }
      return log(stream, line, hooks, redact);
    },
  });
  if (outcome.state === "not_started") return failed(notStarted(outcome));
  const gaveUp = full.signal.aborted && hooks.cancel?.aborted !== true && hooks.kill?.aborted !== true;
  const facts = gaveUp ? { ...outcome.facts, interruptedByUs: false, timedOut: true } : outcome.facts;
  const { deadlineMs } = command;
  const error = classifyExit(facts, evidence, {
    address,
    redact,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  });
  return error === undefined ? { evidence, redact } : failed(error);
}

function log(
  stream: "stdout" | "stderr",
  line: Line,
  { onLog }: Hooks,
  redact: Redact,
): void | Promise<void> {
  if (onLog === undefined) return undefined;
  const texts = describeLine(line.text).map((text) =>
    redact(line.cut ? `${text} … [line cut at 1 MiB]` : text),
  );
  let waiting: Promise<void> | undefined;
  for (const text of texts) {
    const next =
      waiting === undefined ? onLog({ stream, text }) : waiting.then(() => onLog({ stream, text }));
    if (next !== undefined) waiting = next;
  }
  return waiting;
}

/** Options go before a `--`, after which everything is a path or an id. */
function withOptions(args: readonly string[], options: readonly string[]): string[] {
  const end = args.indexOf("--");
  return end === -1 ? [...args, ...options] : [...args.slice(0, end), ...options, ...args.slice(end)];
}

function retryLockArgs({ retryLockSeconds }: Command): string[] {
  const seconds = Math.ceil(retryLockSeconds ?? 0);
  return seconds > 0 ? [`--retry-lock=${seconds}s`] : [];
}

function limitArgs(limits: ResticContext["limits"]): string[] {
  const { uploadKiB, downloadKiB } = limits ?? {};
  return [
    ...(uploadKiB === undefined || uploadKiB <= 0 ? [] : [`--limit-upload=${Math.ceil(uploadKiB)}`]),
    ...(downloadKiB === undefined || downloadKiB <= 0 ? [] : [`--limit-download=${Math.ceil(downloadKiB)}`]),
  ];
}

function notStarted({ reason, message }: Extract<RunOutcome, { state: "not_started" }>): ResticError {
  switch (reason) {
    case "cancelled":
      return { code: "interrupted", message: "cancelled before restic started", byUs: true, killed: false };
    case "program_missing":
      return { code: "restic_missing", message: "restic is no longer where it was found" };
    case "failed":
      return {
        code: "failed",
        message: `restic could not be started: ${message}`,
        exitCode: null,
        signal: null,
      };
  }
}
