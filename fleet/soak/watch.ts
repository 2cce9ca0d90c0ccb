import { readdirSync } from "node:fs";
import { memoryOf } from "../bench/process-figures.ts";
import { leastOfEachMinute, trendOf, type Reading, type Trend } from "./slope.ts";

/** One process under watch. */
interface Watched {
  name: string;
  pid: number;
  memory: Reading[];
  files: Reading[];
}

/** What became of a process after the warm-up. */
export interface Drift {
  name: string;
  /** MB now, and its line. */
  memory: number;
  memoryTrend: Trend;
  files: number;
  filesTrend: Trend;
}

/** Reads memory and open files of processes, again and again. */
export class Watch {
  readonly #watched: Watched[];
  readonly #began = performance.now();

  constructor(processes: readonly { name: string; pid: number }[]) {
    this.#watched = processes.map(({ name, pid }) => ({ name, pid, memory: [], files: [] }));
  }

  get minute(): number {
    return (performance.now() - this.#began) / 60_000;
  }

  /** Throws when a process is gone. */
  sample(): void {
    const { minute } = this;
    for (const { pid, memory, files } of this.#watched) {
      memory.push({ minute, value: memoryOf(pid).resident });
      files.push({ minute, value: readdirSync(`/proc/${pid}/fd`).length });
    }
  }

  /** @param from the minute when everything was warm. */
  drifts(from: number): Drift[] {
    const after = (readings: readonly Reading[]) =>
      leastOfEachMinute(readings.filter(({ minute }) => minute >= from));
    return this.#watched.map(({ name, memory, files }) => ({
      name,
      memory: memory.at(-1)?.value ?? 0,
      memoryTrend: trendOf(after(memory)),
      files: files.at(-1)?.value ?? 0,
      filesTrend: trendOf(after(files)),
    }));
  }
}
