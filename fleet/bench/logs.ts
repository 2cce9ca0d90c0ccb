import { inBenchFolder } from "./bench-folder.ts";
import type { BenchOptions } from "./bench.ts";
import { figure, median, type Figure } from "./figure.ts";
import { LogLoad, type Streamed } from "./log-load.ts";

const AGENTS = 1_000;
const CHUNKS = 50;
const WARM_UP_CHUNKS = 20;
const ROUNDS = 5;

/** 1,000 agents stream logs: lines committed and acknowledged a second, beside a hub that appends the same frames to a file. */
export async function benchLogs({ quick, say }: BenchOptions): Promise<Figure[]> {
  const agents = quick ? AGENTS / 5 : AGENTS;
  return await inBenchFolder(async (folder) => {
    const load = await LogLoad.start(folder, agents);
    const pairs: { ours: Streamed; bare: Streamed; kept: number }[] = [];
    try {
      // The first frames meet code that no compiler has seen yet, at both ends.
      await load.ours(WARM_UP_CHUNKS);
      await load.bare(WARM_UP_CHUNKS);
      for (let round = 1; round <= (quick ? 1 : ROUNDS); round += 1) {
        const before = load.stored();
        const ours = await load.ours(CHUNKS);
        const after = load.stored();
        const kept = (after.bytes - before.bytes) / (after.raw - before.raw);
        const bare = await load.bare(CHUNKS);
        pairs.push({ ours, bare, kept });
        say(`  round ${round}: ${told(ours)}; bare hub ${told(bare)}; ${(kept * 100).toFixed(1)} % kept`);
      }
    } finally {
      await load.stop();
    }
    return [
      figure(
        "logs.lines",
        {
          value: median(pairs.map(({ ours }) => ours.linesPerSecond)),
          unit: "lines/s",
          baseline: median(pairs.map(({ bare }) => bare.linesPerSecond)),
          ratio: median(pairs.map(({ ours, bare }) => ours.linesPerSecond / bare.linesPerSecond)),
        },
        { least: 0.25, of: "ratio" },
      ),
      figure(
        "logs.cpu_per_line",
        {
          value: median(pairs.map(({ ours }) => ours.cpuPerLine)),
          unit: "µs",
          baseline: median(pairs.map(({ bare }) => bare.cpuPerLine)),
        },
        { most: 0.5, of: "value" },
      ),
      figure(
        "logs.stored",
        { value: median(pairs.map(({ kept }) => kept * 100)), unit: "%" },
        { most: 20, of: "value" },
      ),
    ];
  });
}

const told = ({ linesPerSecond, cpuPerLine, seconds }: Streamed): string =>
  `${(linesPerSecond / 1e6).toFixed(2)} M lines/s in ${seconds.toFixed(1)} s, ${cpuPerLine.toFixed(2)} µs of CPU a line`;
