import type { BenchOptions } from "./bench.ts";

/** What every part of the agent's benchmark works with. */
export interface AgentBench extends BenchOptions {
  /** On tmpfs, so that no disk has a say. */
  folder: string;
  /** The compiled agent, built for this run as `script/build` builds it. */
  agent: string;
  /** The least program that does the same in the same runtime; see floor-program.ts. */
  floor: string;
  restic: string;
}
