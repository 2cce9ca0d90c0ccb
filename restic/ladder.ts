import type { Timers } from "./timers.ts";

/**
 * How long restic may take to end after SIGTERM before it is killed. Measured: most commands end within 1.3 s,
 * a prune under a rate limit 9 s, anything that holds a lock on a server that hangs exactly 60 s. A killed
 * restic leaves its lock behind, so what writes gets the whole 60 s and some to spare.
 */
export const killAfterMs = { read: 5_000, write: 70_000 } as const;

export type Ladder = {
  /** SIGTERM now, SIGKILL when the time is up. A second call changes nothing. */
  interrupt(): void;
  /** SIGKILL now. */
  kill(): void;
  /** The process has ended: no more signals. */
  done(): void;
  readonly interrupted: boolean;
  readonly killed: boolean;
};

/** The order in which a process group is asked, then made, to end. `send` must not throw. */
export function ladder(
  timers: Timers,
  afterMs: number,
  send: (signal: "SIGTERM" | "SIGKILL") => void,
): Ladder {
  let state: "running" | "interrupted" | "killed" | "done" = "running";
  let interrupted = false;
  let killed = false;
  let callOff = (): void => {};
  const kill = (): void => {
    if (state === "killed" || state === "done") return;
    callOff();
    state = "killed";
    interrupted = killed = true;
    send("SIGKILL");
  };
  return {
    interrupt() {
      if (state !== "running") return;
      state = "interrupted";
      interrupted = true;
      send("SIGTERM");
      callOff = timers.after(afterMs, kill);
    },
    kill,
    done() {
      callOff();
      state = "done";
    },
    get interrupted() {
      return interrupted;
    },
    get killed() {
      return killed;
    },
  };
}

/**
 * Signals a whole process group, so that restic's children (ssh, rclone) end with it. On Windows, where there
 * are no groups, the process alone. No error: a group that is gone needs no signal (macOS says EPERM of one that
 * has only dead members).
 */
export function signalGroup(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(process.platform === "win32" ? pid : -pid, signal);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}
