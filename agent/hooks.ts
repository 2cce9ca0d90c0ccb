import type { JobError } from "@restic-manager/protocol/job-error";
import { signalGroup } from "@restic-manager/restic/ladder";
import { run } from "@restic-manager/restic/run";
import { LOG_LINE_CHARACTERS } from "@restic-manager/protocol/limits";
import type { Timers } from "@restic-manager/restic/timers";

/** A hook that is asked to end has so long before it is killed. */
const KILL_AFTER_MS = 5_000;
/** After a cancel, or when the agent is stopped, nobody waits longer for what tidies up. systemd itself waits for 90 s. */
const AFTER_CANCEL_MS = 60_000;
/** Of what a hook prints the log keeps so much; the log is the backup's, and the hook's own log is its own affair. */
const MOST_LINES = 1_000;
const MOST_CHARACTERS = 256 * 1024;
const SEE_LOG = "The log has what it printed.";
/** The service's sandbox leaves root its reading, and takes most of its writing and its other rights: deploy/install/install.sh. */
const DROP_IN = "systemctl edit restic-manager-agent, [Service]";
const SANDBOXED = [
  [
    /read-only file system/i,
    `The service may write to a few folders only. To let it write to this one: ${DROP_IN}, ReadWritePaths=<the folder>, and restart it.`,
  ],
  [
    /operation not permitted|permission denied/i,
    `The service has only some of root's rights. If the hook needs another, such as to become another user: ${DROP_IN}, CapabilityBoundingSet=CAP_SETUID CAP_SETGID, and restart it.`,
  ],
] as const;
const UNIX_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What a hook is told, as its environment: this, a PATH, and nothing of the agent's own. */
export interface HookFacts {
  host: string;
  group: string;
  jobId: string;
  /** `running` before a backup, then how it ended. */
  status: "running" | "succeeded" | "failed" | "cancelled";
}

export interface HookRun {
  when: "pre" | "post";
  body: string;
  timeoutSeconds: number;
  facts: HookFacts;
  /** Where it runs. */
  cwd: string;
  tmpDir: string;
  /** Aborted, now or while it runs: it is asked to end. */
  cancel?: AbortSignal;
  /** Aborted, now or while it runs: it has a minute from then on, and never more than its own time. */
  hurry?: AbortSignal;
  /** Aborted, now or while it runs: all of it is killed at once. */
  kill?: AbortSignal;
  /** Called as soon as its process exists, which leads a group of its own. */
  onSpawn?: (pid: number) => void;
  log: (text: string) => void;
  timers: Timers;
  platform?: NodeJS.Platform;
}

export type HookEnd = { ok: true } | { ok: false; error: JobError };

/** What went wrong, and what to do about it unless that is to read the log. */
export function hookWords({ message, hint }: JobError): string {
  return hint === undefined || hint === SEE_LOG ? message : `${message} ${hint}`;
}

/**
 * Runs one hook in a process group of its own, which has ended when this comes back: what a hook leaves behind is killed. Its output
 * goes to the log, cut where it is endless.
 *
 * The body is in no argument and no variable, where every user of the machine could read it: the shell takes it from a pipe. Windows'
 * `cmd.exe` can only take it as an argument.
 */
export async function runHook(hook: HookRun): Promise<HookEnd> {
  const { when, log, facts, platform = process.platform } = hook;
  const output = bounded((text) => log(`hook(${when}): ${text}`));
  let group: number | undefined;
  let hint = SEE_LOG;
  const end = endOf(hook);
  const outcome = await run({
    ...shell(hook.body, platform),
    env: {
      ...minimalEnvironment(hook.tmpDir, platform),
      RM_HOST: facts.host,
      RM_GROUP: facts.group,
      RM_JOB_ID: facts.jobId,
      RM_JOB_STATUS: facts.status,
    },
    cwd: hook.cwd,
    onSpawn(pid) {
      group = pid;
      hook.onSpawn?.(pid);
    },
    onLine(_stream, line) {
      output.line(line.text);
      if (hint === SEE_LOG && platform === "linux") hint = hintIn(line.text);
    },
    deadlineMs: hook.timeoutSeconds * 1_000,
    killAfterMs: KILL_AFTER_MS,
    timers: hook.timers,
    cancel: end.signal,
    ...(hook.kill === undefined ? {} : { kill: hook.kill }),
  }).finally(end.callOff);
  // What it started and left to itself, without any pipe to us. The group's number is not given again while one of it lives.
  if (group !== undefined) signalGroup(group, "SIGKILL");
  output.end();
  if (outcome.state === "not_started") return failed(when, hint, `could not be started: ${outcome.message}`);
  const { code, signal, timedOut, interruptedByUs } = outcome.facts;
  if (timedOut) return failed(when, hint, `was ended after ${hook.timeoutSeconds} s`);
  if (code === 0) return { ok: true };
  if (interruptedByUs) return failed(when, hint, "was ended early, since the job was to end");
  return failed(when, hint, code === null ? `was ended by ${signal ?? "a signal"}` : `ended with ${code}`);
}

function hintIn(line: string): string {
  // No shorter line has any of these words: a hook may print millions of them.
  if (line.length < "Permission denied".length) return SEE_LOG;
  return SANDBOXED.find(([words]) => words.test(line))?.[1] ?? SEE_LOG;
}

/** Aborted with `cancel`, and a minute after `hurry`. */
function endOf({ cancel, hurry, timers }: HookRun): { signal: AbortSignal; callOff: () => void } {
  const end = new AbortController();
  let callOffTimer = (): void => {};
  const now = (): void => end.abort();
  const soon = (): void => void (callOffTimer = timers.after(AFTER_CANCEL_MS, now));
  if (cancel?.aborted === true) now();
  if (hurry?.aborted === true) soon();
  cancel?.addEventListener("abort", now);
  hurry?.addEventListener("abort", soon);
  return {
    signal: end.signal,
    callOff() {
      cancel?.removeEventListener("abort", now);
      hurry?.removeEventListener("abort", soon);
      callOffTimer();
    },
  };
}

function failed(when: "pre" | "post", hint: string, what: string): HookEnd {
  const place = when === "pre" ? "before" : "after";
  return {
    ok: false,
    error: {
      code: "hook_failed",
      message: `The hook ${place} the backup ${what}.`,
      hint,
    },
  };
}

function shell(
  body: string,
  platform: NodeJS.Platform,
): { program: string; args: string[]; stdin?: Uint8Array } {
  if (platform === "win32") {
    const root = process.env["SystemRoot"] ?? "C:\\Windows";
    return { program: `${root}\\System32\\cmd.exe`, args: ["/D", "/S", "/C", body] };
  }
  // Read whole before it runs, so that the hook's own commands find an empty standard input.
  return { program: "/bin/sh", args: ["-c", 'eval "$(cat)"'], stdin: new TextEncoder().encode(body) };
}

function minimalEnvironment(tmpDir: string, platform: NodeJS.Platform): Record<string, string> {
  if (platform !== "win32") return { PATH: UNIX_PATH };
  // Without these Windows programs do not start.
  const root = process.env["SystemRoot"] ?? "C:\\Windows";
  return { PATH: `${root}\\System32;${root}`, SystemRoot: root, TEMP: tmpDir, TMP: tmpDir };
}

/** Hands on what comes first, then only counts. */
function bounded(hand: (text: string) => void): { line: (text: string) => void; end: () => void } {
  let [lines, characters, left] = [0, 0, 0];
  return {
    line(whole) {
      const text = whole.slice(0, LOG_LINE_CHARACTERS);
      if (lines >= MOST_LINES || characters + text.length > MOST_CHARACTERS) {
        left += 1;
        // Nothing shorter comes after the cut.
        characters = MOST_CHARACTERS;
        return;
      }
      lines += 1;
      characters += text.length;
      hand(text);
    },
    end() {
      if (left > 0) hand(`[cut: ${left} more lines]`);
    },
  };
}
