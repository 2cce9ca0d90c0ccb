import { HostsPage } from "@restic-manager/protocol/api/hosts";
import { JobsPage } from "@restic-manager/protocol/api/jobs";
import { figure, median, type Figure } from "./figure.ts";
import type { BenchServer } from "./server-program.ts";

/** "Unchanged ± 20 %": only slower counts. */
const MOST = 1.2;

/** The console's questions to a young and to an old store of the same fleet, in turn. */
export async function pagesCompared(
  young: BenchServer,
  old: BenchServer,
  rounds: number,
  say: (text: string) => void,
): Promise<Figure[]> {
  const [ours, theirs] = [await pathsOf(old), await pathsOf(young)];
  const figures: Figure[] = [];
  for (const [name, path] of Object.entries(ours)) {
    const times: number[] = [];
    const baseline: number[] = [];
    const ratios: number[] = [];
    for (let round = -20; round < rounds; round++) {
      const theirTime = await timed(young, theirs[name] ?? path);
      const ourTime = await timed(old, path);
      if (round < 0) continue;
      times.push(ourTime);
      baseline.push(theirTime);
      ratios.push(ourTime / theirTime);
    }
    say(`  ${median(times).toFixed(2)} ms (young ${median(baseline).toFixed(2)}): ${path}`);
    const measured = {
      value: median(times),
      unit: "ms" as const,
      baseline: median(baseline),
      ratio: median(ratios),
    };
    figures.push(figure(`growth.api.${name}`, measured, { most: MOST, of: "ratio" }));
  }
  return figures;
}

async function pathsOf(server: BenchServer): Promise<Record<string, string>> {
  const [host] = HostsPage.parse(JSON.parse(await server.ask("/api/hosts?sort=name&limit=1"))).items;
  const [job] = JobsPage.parse(
    JSON.parse(await server.ask(`/api/jobs?limit=1&host_id=${host?.id ?? ""}`)),
  ).items;
  return {
    fleet: "/api/hosts?limit=200",
    fleet_by_last_backup: "/api/hosts?limit=200&sort=last_backup&order=desc",
    host: `/api/hosts/${host?.id}`,
    snapshots: `/api/hosts/${host?.id}/snapshots?limit=200`,
    host_jobs: `/api/jobs?limit=100&host_id=${host?.id}`,
    jobs: "/api/jobs?limit=100",
    jobs_failed: "/api/jobs?limit=20&state=failed",
    job: `/api/jobs/${job?.id}`,
    log: `/api/jobs/${job?.id}/log?from=0&limit=1000`,
    summary: "/api/fleet/summary",
  };
}

async function timed(server: BenchServer, path: string): Promise<number> {
  const began = performance.now();
  await server.ask(path);
  return performance.now() - began;
}
