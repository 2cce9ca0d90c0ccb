import type { ChaosHost } from "../host.ts";
import type { StoredJob } from "./outcomes.ts";

/** The snapshots the server lists are those of the repository, and each that a job says it saved is among them. */
export function checkSnapshots(
  host: ChaosHost,
  listed: readonly string[],
  inRepository: readonly string[],
  jobs: Iterable<StoredJob>,
): string[] {
  const wrong: string[] = [];
  const [server, repository] = [new Set(listed), new Set(inRepository)];
  for (const id of repository)
    if (!server.has(id)) wrong.push(`h${host.index}: snapshot ${id} is in the repository and not listed`);
  for (const id of server)
    if (!repository.has(id)) wrong.push(`h${host.index}: snapshot ${id} is listed and not in the repository`);
  for (const job of jobs) {
    if (job.host_id !== host.id || job.result === null) continue;
    const { snapshot_id } = JSON.parse(job.result) as { snapshot_id?: string };
    if (snapshot_id !== undefined && !repository.has(snapshot_id))
      wrong.push(`h${host.index}: job ${job.id} says it saved ${snapshot_id}, which the repository has not`);
  }
  return wrong;
}
