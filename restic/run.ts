import { closeSync, existsSync } from "node:fs";
import {
  gatheringReader,
  openKernelPipe,
  pausingReader,
  type ByteReader,
  type KernelPipe,
} from "./kernel-pipe.ts";
import { ladder, signalGroup } from "./ladder.ts";
import { lineSplitter, type Line } from "./lines.ts";
import type { Timers } from "./timers.ts";

export type StreamName = "stdout" | "stderr";

/** Called for each line in order; the stream is not read further until a returned promise settles. */
export type OnLine = (stream: StreamName, line: Line) => void | Promise<void>;

export type RunOptions = {
  /** Absolute path. */
  program: string;
  args: readonly string[];
  /** Exactly this; nothing of the caller's own environment is added. */
  env: Record<string, string>;
  cwd: string;
  /** Written to the child's standard input, which is then closed. Without it, standard input is empty. */
  stdin?: Uint8Array;
  onLine: OnLine;
  /**
   * Takes standard output as bytes instead of lines. The chunk is the caller's to keep; the next one waits until a returned promise
   * settles.
   */
  onStdoutBytes?: (chunk: Uint8Array) => void | Promise<void>;
  /**
   * Reads standard output in large pieces, from a pipe of the kernel where there is one. restic writes every line by itself, and a reader
   * that is woken by each of a million lines slows both down. For lines only. See docs/decisions/looking-into-snapshots.md.
   */
  gatherStdout?: boolean;
  /** The bound of one line of standard output; `maxLineBytes` unless a whole document is one line. */
  maxStdoutLineBytes?: number;
  /** Called before anything else happens, as soon as the process exists. */
  onSpawn?: (pid: number) => void;
  /** Aborting it interrupts the process group, then kills it after `killAfterMs`. */
  cancel?: AbortSignal;
  /** Aborting it kills the process group at once. */
  kill?: AbortSignal;
  killAfterMs: number;
  /** The process is interrupted when it runs longer. */
  deadlineMs?: number;
  timers: Timers;
};

/** What is known about a process that ended. `code` is null when a signal ended it. */
export type ExitFacts = {
  code: number | null;
  signal: string | null;
  /** `cancel` or `kill` was aborted while it ran. */
  interruptedByUs: boolean;
  timedOut: boolean;
  /** We sent SIGKILL. */
  killed: boolean;
};

export type RunOutcome =
  | { state: "exited"; facts: ExitFacts }
  | { state: "not_started"; reason: "cancelled" | "program_missing" | "failed"; message: string };

/** How long the pipes may stay silent and open after the process has ended: a grandchild may hold them. */
export const pipeGraceMs = 2_000;
/** What may still come out of the pipes after the end, in bytes, before the rest is given up. */
const pipeGraceBytes = 128 * 1024 * 1024;

/**
 * Runs a program in a process group of its own and feeds its output to `onLine`, both streams at once. Comes
 * back when the process has ended and its output has been handed over. Throws only what `onLine` or `onSpawn` throw; the
 * process group is killed then.
 */
export async function run(options: RunOptions): Promise<RunOutcome> {
  const { timers, cancel, kill } = options;
  const pipe = options.gatherStdout === true ? await openKernelPipe() : undefined;
  if (cancel?.aborted === true || kill?.aborted === true) {
    if (pipe !== undefined) closeBoth(pipe);
    return { state: "not_started", reason: "cancelled", message: "cancelled before it started" };
  }
  const started = start(options, pipe);
  if ("state" in started) return started;
  const { spawned, stdout, stderr } = started;
  const steps = ladder(timers, options.killAfterMs, (signal) => signalGroup(spawned.pid, signal));
  let interruptedByUs = false;
  let timedOut = false;
  const onCancel = (): void => {
    interruptedByUs = true;
    steps.interrupt();
  };
  const onKill = (): void => {
    interruptedByUs = true;
    steps.kill();
  };
  cancel?.addEventListener("abort", onCancel);
  kill?.addEventListener("abort", onKill);
  const callOffDeadline =
    options.deadlineMs === undefined
      ? () => {}
      : timers.after(options.deadlineMs, () => {
          timedOut = true;
          steps.interrupt();
        });
  const stopListening = (): void => {
    callOffDeadline();
    cancel?.removeEventListener("abort", onCancel);
    kill?.removeEventListener("abort", onKill);
  };
  try {
    options.onSpawn?.(spawned.pid);
    // The group outlives its leader when something in it does; its id is not reused before that.
    const killLeftovers = (): void => signalGroup(spawned.pid, "SIGKILL");
    const pipes = [
      readPipe(stdout, "stdout", options, killLeftovers),
      readPipe(stderr, "stderr", options, killLeftovers),
    ];
    const exited = spawned.exited.then(() => {
      stopListening();
      steps.done();
      for (const pipe of pipes) pipe.processEnded();
    });
    await Promise.all([exited, ...pipes.map((pipe) => pipe.finished)]);
  } catch (error) {
    steps.kill();
    // Nobody may have begun to read.
    for (const reader of [stdout, stderr]) reader.cancel().catch(() => {});
    await spawned.exited;
    throw error;
  } finally {
    stopListening();
  }
  const signal = spawned.signalCode === null ? null : String(spawned.signalCode);
  const facts = { code: spawned.exitCode, signal, interruptedByUs, timedOut, killed: steps.killed };
  return { state: "exited", facts };
}

/** A process, and where its output comes from. */
interface Started {
  spawned: Bun.Subprocess;
  stdout: ByteReader;
  stderr: ByteReader;
}

function start(options: RunOptions, pipe: KernelPipe | undefined): Started | RunOutcome {
  const how = {
    cwd: options.cwd,
    env: options.env,
    stdin: options.stdin ?? "ignore",
    stderr: "pipe",
    detached: true,
  } as const;
  const argv = [options.program, ...options.args];
  try {
    if (pipe === undefined) {
      const spawned = Bun.spawn(argv, { ...how, stdout: "pipe" });
      const stdout: ByteReader = spawned.stdout.getReader();
      const gathered = options.gatherStdout === true ? pausingReader(stdout, options.timers) : stdout;
      return { spawned, stdout: gathered, stderr: spawned.stderr.getReader() };
    }
    const spawned = Bun.spawn(argv, { ...how, stdout: pipe.writeFd });
    closeSync(pipe.writeFd);
    const stdout = gatheringReader(pipe.readFd, options.timers);
    return { spawned, stdout, stderr: spawned.stderr.getReader() };
  } catch (error) {
    if (pipe !== undefined) closeBoth(pipe);
    const message = error instanceof Error ? error.message : String(error);
    // ENOENT is also what a missing working directory gives.
    const reason = existsSync(options.program) ? "failed" : "program_missing";
    return { state: "not_started", reason, message };
  }
}

function closeBoth({ readFd, writeFd }: KernelPipe): void {
  closeSync(readFd);
  closeSync(writeFd);
}

type Pipe = {
  /** Settles when the pipe is at its end or given up, and all lines have been taken. Rejects as `onLine` does. */
  finished: Promise<void>;
  /** Tells the pipe that the process has ended, so that whoever still holds it cannot keep us. */
  processEnded(): void;
};

/** Reads a pipe to its end. After the process ended: until it was silent for two graces. */
function readPipe(
  reader: ByteReader,
  name: StreamName,
  { onLine, onStdoutBytes, timers, maxStdoutLineBytes }: RunOptions,
  killLeftovers: () => void,
): Pipe {
  const splitter = lineSplitter(name === "stdout" ? maxStdoutLineBytes : undefined);
  let state: "reading" | "handing" | "finished" = "reading";
  let chunks = 0;
  let bytesAfterEnd: number | undefined;
  let callOff = (): void => {};
  // Settling is not awaited: a pipe that a grandchild holds may never confirm.
  const giveUp = (): void => void reader.cancel().catch(() => {});

  const hand = async (lines: Line[]): Promise<void> => {
    for (const line of lines) {
      const waiting = onLine(name, line);
      if (waiting !== undefined) await waiting;
    }
  };
  const readAll = async (): Promise<void> => {
    try {
      for (;;) {
        state = "reading";
        const { done, value } = await reader.read();
        if (done) break;
        state = "handing";
        chunks++;
        if (bytesAfterEnd !== undefined) bytesAfterEnd += value.byteLength;
        if (name === "stdout" && onStdoutBytes !== undefined) await onStdoutBytes(value);
        else await hand(splitter.push(value));
        if (bytesAfterEnd !== undefined && bytesAfterEnd > pipeGraceBytes) break;
      }
      await hand(splitter.end());
    } finally {
      state = "finished";
      callOff();
      giveUp();
    }
  };
  const watch = (seen: number, silentBefore: boolean): void => {
    callOff = timers.after(pipeGraceMs, () => {
      if (state === "finished") return;
      // A slow consumer is not a silent pipe.
      const silent = state === "reading" && chunks === seen;
      if (silent && silentBefore) return giveUp();
      if (silent) killLeftovers();
      watch(chunks, silent);
    });
  };
  return {
    finished: readAll(),
    processEnded() {
      bytesAfterEnd = 0;
      if (state !== "finished") watch(chunks, false);
    },
  };
}
