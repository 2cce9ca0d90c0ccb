import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobKind, JobProgress } from "@restic-manager/protocol/jobs";
import type { DurableMessage } from "@restic-manager/protocol/messages";
import { findRestic } from "@restic-manager/restic/binary";
import { realRestic } from "@restic-manager/restic/testing/real";
import { systemTimers as resticTimers } from "@restic-manager/restic/timers";
import type { JobTools } from "../job-runner.ts";
import { resticContext } from "../restic-access.ts";
import { systemTimers } from "../timers.ts";

export interface TestTools {
  tools: JobTools<JobKind>;
  log: string[];
  progress: JobProgress[];
  /** Repositories that were remembered. */
  known: string[];
  told: DurableMessage[];
  cancel: AbortController;
  kill: AbortController;
}

/** Tools over a repository in a folder with a real restic, which write down what a job says. */
export async function testTools(
  folder: string,
  options: { repository?: string; password?: string; jobId?: string } = {},
): Promise<TestTools> {
  const binary = await findRestic({
    path: realRestic(),
    searchPath: "",
    tmpDir: tmpdir(),
    timers: resticTimers,
  });
  const log: string[] = [];
  const progress: JobProgress[] = [];
  const known: string[] = [];
  const told: DurableMessage[] = [];
  const cancel = new AbortController();
  const kill = new AbortController();
  const state = join(folder, "state");
  const places = {
    cacheDir: join(state, "cache"),
    tmpDir: join(state, "tmp"),
    workDir: state,
    passthrough: {},
    timers: resticTimers,
  };
  for (const place of [places.cacheDir, places.tmpDir]) mkdirSync(place, { recursive: true });
  const config = {
    version: 1,
    host_name: "client1",
    repository: {
      url: join(folder, options.repository ?? "repository"),
      repository_password: options.password ?? "a password",
    },
    bandwidth: {},
  };
  const tools: JobTools<JobKind> = {
    restic: (bandwidth) => resticContext(binary, config, places, bandwidth),
    jobId: options.jobId ?? "01JD0000000000000000000001",
    hostName: "client1",
    places: { restoreDir: join(folder, "restored"), own: [state] },
    cancel: cancel.signal,
    kill: kill.signal,
    spawned: () => {},
    log: (_stream, text) => void log.push(text),
    progress: (one: JobProgress) => void progress.push(one),
    tell: (message) => void told.push(message),
    timers: systemTimers(),
    rememberRepository: (id) => void known.push(id),
  };
  return { tools, log, progress, known, told, cancel, kill };
}
