import { join } from "node:path";
import type { FleetServer } from "../fleet-server.ts";
import { moment } from "../simulated/moment.ts";
import { inBenchFolder } from "./bench-folder.ts";
import type { BenchOptions } from "./bench.ts";
import { figure, median, type Figure } from "./figure.ts";
import { LogLoad, type Streamed } from "./log-load.ts";

const PROGRAM = join(import.meta.dirname, "viewers-program.ts");
const AGENTS = 1_000;
const VIEWERS = 200;
const CHUNKS = 50;
const WARM_UP_CHUNKS = 20;
const ROUNDS = 5;
/** From the last line until every viewer has seen the end. */
const PATIENCE_MS = 30_000;
const LOOK_MS = 50;

interface State {
  open: number;
  ended: number;
  bytes: number;
}

/** 200 browsers look at one of 1,000 jobs that stream logs; beside the same without anybody looking. */
export async function benchViewers({ quick, say }: BenchOptions): Promise<Figure[]> {
  // The share of what is watched in all that comes stays the same.
  const agents = quick ? AGENTS / 5 : AGENTS;
  const count = quick ? VIEWERS / 5 : VIEWERS;
  return await inBenchFolder(async (folder) => {
    const load = await LogLoad.start(folder, agents);
    const pairs: { alone: Streamed; watched: Streamed }[] = [];
    const lags: number[] = [];
    try {
      await load.ours(WARM_UP_CHUNKS);
      for (let round = 1; round <= (quick ? 1 : ROUNDS); round += 1) {
        let bytes = 0;
        const watch = async (jobId: string) => {
          const viewers = await openViewers(load.server, jobId, count);
          return async () => {
            const began = moment();
            bytes = await viewers.finish();
            lags.push(moment() - began);
          };
        };
        // In turn first and second, since a store that grows and a machine that warms up favour one of them.
        const one = round % 2 === 1 ? await load.ours(CHUNKS) : undefined;
        const watched = await load.ours(CHUNKS, watch);
        const alone = one ?? (await load.ours(CHUNKS));
        pairs.push({ alone, watched });
        say(
          `  round ${round}: ${(watched.linesPerSecond / 1e6).toFixed(2)} M lines/s with ${count} viewers, who took ` +
            `${(bytes / 1e6).toFixed(0)} MB, ${(alone.linesPerSecond / 1e6).toFixed(2)} M alone; ` +
            `${watched.cpuPerLine.toFixed(2)} and ${alone.cpuPerLine.toFixed(2)} µs of CPU a line`,
        );
      }
    } finally {
      await load.stop();
    }
    return [
      figure(
        "viewers.lines",
        {
          value: median(pairs.map(({ watched }) => watched.linesPerSecond)),
          unit: "lines/s",
          baseline: median(pairs.map(({ alone }) => alone.linesPerSecond)),
          ratio: median(pairs.map(({ watched, alone }) => watched.linesPerSecond / alone.linesPerSecond)),
        },
        { least: 0.9, of: "ratio" },
      ),
      figure("viewers.cpu_per_line", {
        value: median(pairs.map(({ watched }) => watched.cpuPerLine)),
        unit: "µs",
        baseline: median(pairs.map(({ alone }) => alone.cpuPerLine)),
        ratio: median(pairs.map(({ watched, alone }) => watched.cpuPerLine / alone.cpuPerLine)),
      }),
      // From the last acknowledgement until every viewer had the whole log.
      figure("viewers.behind", { value: median(lags), unit: "ms" }),
    ];
  });
}

/** Opens the streams; `finish` waits until each has come to the log's end, and answers how many bytes they took. */
async function openViewers(
  server: FleetServer,
  jobId: string,
  count: number,
): Promise<{ finish: () => Promise<number> }> {
  const waiting: ((state: State) => void)[] = [];
  const program = Bun.spawn([process.execPath, PROGRAM], {
    stdio: ["ignore", "inherit", "inherit"],
    // Whoever answers is that program, and it sends nothing else.
    ipc: (message) => waiting.shift()?.(message as State),
  });
  const ask = (order: unknown) =>
    new Promise<State>((resolve) => {
      waiting.push(resolve);
      program.send(order);
    });
  const { port, cookie } = server;
  await ask({ port, cookie, path: `/api/jobs/${jobId}/stream`, count });
  return {
    async finish() {
      const late = moment() + PATIENCE_MS;
      try {
        for (;;) {
          const { ended, bytes } = await ask("look");
          if (ended === count) return bytes;
          if (moment() > late) throw new Error(`${ended} of ${count} viewers have seen the log's end`);
          await Bun.sleep(LOOK_MS);
        }
      } finally {
        program.kill();
        await program.exited;
      }
    },
  };
}
