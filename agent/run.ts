import type { AgentFile } from "./agent-file.ts";
import type { Log } from "./log.ts";
import type { AgentPaths } from "./paths.ts";

export interface RunOptions {
  paths: AgentPaths;
  file: AgentFile;
  /** Aborted when the agent shall end. */
  signal: AbortSignal;
  log: Log;
}

/** Runs the agent until the signal is aborted. */
export async function runAgent(options: RunOptions): Promise<void> {
  throw new Error(`the agent of host ${options.file.host_id} cannot run yet: its link is not built in`);
}
