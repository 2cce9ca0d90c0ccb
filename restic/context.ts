import type { Passthrough, RepositoryAccess } from "./environment.ts";
import type { StreamName } from "./run.ts";
import type { Timers } from "./timers.ts";

/** A restic, a repository, and where restic may leave its files. The folders must exist. */
export type ResticContext = {
  /** Absolute path of restic, from `findRestic`. */
  program: string;
  access: RepositoryAccess;
  /** restic's cache; kept between runs. */
  cacheDir: string;
  tmpDir: string;
  /** Working directory of restic; some commands write files there. */
  workDir: string;
  home?: string;
  passthrough?: Passthrough;
  /** In KiB per second, on every call. */
  limits?: { uploadKiB?: number; downloadKiB?: number };
  timers: Timers;
};

/** A line for people, free of secrets and terminal control. */
export type LogLine = { stream: StreamName; text: string };

/** What a caller may listen to and interfere with while a command runs. All optional. */
export type Hooks = {
  /** Aborting it interrupts restic: SIGTERM, and SIGKILL after 5 s (reads) or 70 s (writes). */
  cancel?: AbortSignal;
  /** Aborting it kills restic at once. */
  kill?: AbortSignal;
  /** Called synchronously, right after the spawn. */
  onSpawn?: (pid: number) => void;
  /** Called for each line in order; restic is held back until a returned promise settles. */
  onLog?: (line: LogLine) => void | Promise<void>;
  /** restic began to wait for the repository (with its reason), or no longer does. */
  onWaiting?: (cause: string | undefined) => void;
};
