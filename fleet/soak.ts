import { statSync } from "node:fs";
import { join } from "node:path";
import { FleetSummary } from "@restic-manager/protocol/api/fleet";
import { startPostgres } from "@restic-manager/server/testing/postgres-cluster";
import { startAgents } from "./agents.ts";
import { inBenchFolder } from "./bench/bench-folder.ts";
import { FleetServer } from "./fleet-server.ts";
import { NIGHT, type Script } from "./simulated/script.ts";
import { soakOptions, type SoakOptions } from "./soak/options.ts";
import { Watch } from "./soak/watch.ts";
import { keepBusy } from "./soak/work.ts";

/** Each machine begins a backup so often; it takes most of that, and one in 15 overruns into the next. */
const EVERY_MS = 60_000;
/** Logs are short, so that half an hour of 2,000 machines leaves some 300 MB. */
const WORK: Script = { ...NIGHT, lines: 100, durationMs: 45_000, slowTimes: 2, snapshots: 5 };
const SAMPLE_MS = 5_000;
const TELL_MS = 30_000;
/** The first third warms up: caches fill, each machine's few kept outcomes and snapshots come together. */
const WARM_UP = 1 / 3;
/** A window shorter than this says nothing of a heap that swings by some MB. */
const LEAST_JUDGED_MINUTES = 10;
/** Anything that a process forgets to let go of with each job is larger than this. */
const BYTES_PER_JOB = 100;
/** A line less sure than this share of the memory in an hour says nothing. */
const MOST_UNSURE = 0.25;
/** Open files belong to connections, whose number stands still. */
const FILES_PER_HOUR = 10;

/** Runs a fleet under constant work and says whether the memory and the open files of both ends stay where they are. */
async function main(words: string[]): Promise<number> {
  const options = soakOptions(words, Math.floor(Math.random() * 1e6));
  if (typeof options === "string") {
    console.error(options);
    return 2;
  }
  const postgres = options.postgres ? await startPostgres() : undefined;
  try {
    return await inBenchFolder((folder) => soak(options, folder, postgres?.url));
  } finally {
    await postgres?.stop();
  }
}

async function soak(
  { minutes, agents: count, seed }: SoakOptions,
  folder: string,
  databaseUrl: string | undefined,
): Promise<number> {
  const store = databaseUrl === undefined ? "SQLite" : "PostgreSQL";
  console.error(`soak: ${count} agents for ${minutes} minutes on ${store}, seed ${seed}`);
  const server = await FleetServer.start({
    folder,
    hosts: count,
    seed,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  });
  const agents = await startAgents({ port: server.port, count, seed, script: WORK, processes: 2 });
  let ended = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => (ended = true));
  try {
    await agents.connect({ withinMs: 120_000 });
    const simulators = agents.pids.map((pid, at) => ({ name: `simulator ${at + 1}`, pid }));
    const watch = new Watch([{ name: "server", pid: server.pid }, ...simulators]);
    const work = keepBusy(server, count, seed, EVERY_MS);
    let told = 0;
    while (watch.minute < minutes && !ended) {
      await Bun.sleep(SAMPLE_MS);
      watch.sample();
      if (watch.minute * 60_000 < told) continue;
      told += TELL_MS;
      // What nobody takes would be kept, and counted as a leak.
      await agents.spawns();
      await agents.collect();
      const { running_jobs, queued_jobs } = await server.call("/api/fleet/summary", FleetSummary);
      const parts = watch
        .drifts(0)
        .map(({ name, memory, files }) => `${name} ${memory.toFixed(0)} MB ${files} files`);
      console.error(
        `  ${watch.minute.toFixed(1)} min: ${parts.join(", ")}; ${work.requested} jobs, ${running_jobs} run, ${queued_jobs} wait`,
      );
    }
    const jobs = work.requested;
    await work.stop();
    if (ended) console.error(`ended after ${round(watch.minute)} of ${minutes} minutes`);
    const { counters } = await agents.look();
    const { online, running_jobs } = await server.call("/api/fleet/summary", FleetSummary);
    const troubles = [
      ...(work.refused > 0 ? [`${work.refused} requests were refused: ${work.lastRefusal}`] : []),
      ...(counters.errors > 0 ? [`agents stumbled ${counters.errors} times`] : []),
      ...(online !== count ? [`${count - online} agents are not connected`] : []),
      ...(counters.losses > 0 ? [`agents lost their connection ${counters.losses} times`] : []),
      ...(running_jobs === 0 ? ["nothing ran at the end"] : []),
    ];
    if (databaseUrl === undefined)
      console.error(`  store: ${(statSync(join(folder, "server.db")).size / 1e6).toFixed(0)} MB`);
    return judge(watch, watch.minute, jobs, troubles);
  } finally {
    await agents.kill();
    await server.stop();
  }
}

/** Prints the slopes as JSON lines and answers the exit code. */
function judge(watch: Watch, minutes: number, jobs: number, troubles: string[]): number {
  const window = minutes * (1 - WARM_UP);
  const rises: string[] = [];
  const most = ((jobs / minutes) * 60 * BYTES_PER_JOB) / 1e6;
  for (const drift of watch.drifts(minutes * WARM_UP)) {
    const { name, memoryTrend, filesTrend } = drift;
    console.log(
      JSON.stringify({
        name,
        memory_mb: round(drift.memory),
        memory_mb_per_hour: round(memoryTrend.perHour),
        plus_minus: round(2 * memoryTrend.error),
        most_mb_per_hour: round(most),
        files: drift.files,
        files_per_hour: round(filesTrend.perHour),
      }),
    );
    if (memoryTrend.perHour - 2 * memoryTrend.error > most)
      rises.push(`${name} grows by ${round(memoryTrend.perHour)} MB an hour`);
    if (filesTrend.perHour > FILES_PER_HOUR)
      rises.push(`${name} opens ${round(filesTrend.perHour)} files an hour`);
    if (2 * memoryTrend.error > MOST_UNSURE * drift.memory)
      rises.push(`the memory of ${name} swings too much to tell a rise`);
  }
  const judged = window >= LEAST_JUDGED_MINUTES;
  if (!judged) console.error(`${round(window)} minutes after the warm-up are too few to judge the slopes by`);
  const wrong = judged ? [...troubles, ...rises] : troubles;
  if (wrong.length > 0) console.error(`NOT GOOD: ${wrong.join("; ")}`);
  else if (judged) console.error("flat");
  return wrong.length === 0 ? 0 : 1;
}

const round = (value: number): number => Math.round(value * 100) / 100;

process.exit(await main(process.argv.slice(2)));
