import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AdminCredentialsView } from "@restic-manager/protocol/api/repository";
import { CreatedJob } from "@restic-manager/protocol/api/jobs";
import { SourceGroup, SourceGroups } from "@restic-manager/protocol/api/sources";
import type { FinishedJob, HostOnStage } from "./stage/host.ts";
import { RealRepository } from "./stage/real-repository.ts";
import { Stage } from "./stage/stage.ts";

/**
 * Two machines on one repository, both always busy, while everything that needs the repository for itself runs too. `RM_TEST_MINUTES`
 * makes it as long as one likes; in a test run it is short.
 */
const MINUTES = Number(process.env["RM_TEST_MINUTES"] ?? "0.5");
const REPOSITORY = "shared";
const KINDS = ["backup", "forget", "prune", "check"] as const;

let stage: Stage;
let repository: RealRepository;
let hosts: HostOnStage[];

beforeAll(async () => {
  stage = await Stage.open();
  repository = await RealRepository.start(stage.folder);
  hosts = [];
  for (const name of ["anna", "bert"]) {
    const folder = join(stage.folder, `data-${name}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "file"), "first");
    const casting = { ...repository.casting(REPOSITORY, [folder]), name };
    const host = await stage.addReadyHost(casting);
    hosts.push(host);
    const { api } = stage.server;
    // The same account: what counts here is that somebody may delete.
    const { username, password } = casting;
    const slot = `/api/hosts/${host.id}/admin-credentials`;
    await api.call("PUT", slot, AdminCredentialsView, { username, password });
    const { items } = await api.call("GET", `/api/hosts/${host.id}/source-groups`, SourceGroups);
    for (const { id, name: group, includes, excludes } of items)
      await api.call("PUT", `/api/hosts/${host.id}/source-groups/${id}`, SourceGroup, {
        name: group,
        includes,
        excludes,
        retention_policy: { keep_last: 2 },
      });
    await host.atRest();
  }
}, 120_000);
afterAll(async () => {
  await stage?.strike();
  await repository?.stop();
});

/** It did what it was for; a check found nothing wrong. */
function isHappy(job: FinishedJob): boolean {
  if (job.state !== "succeeded") return false;
  return !("result" in job.result) || job.result.result === "ok";
}

/** How many jobs of each kind there were and how long they took, for who runs it for long. */
function figures(ended: readonly FinishedJob[]): string {
  return KINDS.map((kind) => {
    const seconds = ended
      .filter((job) => job.kind === kind)
      .map((job) => (Date.parse(job.finished_at) - Date.parse(job.created_at)) / 1_000)
      .toSorted((a, b) => a - b);
    const at = (part: number) => (seconds[Math.floor(part * (seconds.length - 1))] ?? 0).toFixed(1);
    return `${kind}: ${seconds.length}, from order to end half in ${at(0.5)} s, slowest ${at(1)} s`;
  }).join("\n");
}

/** Starts a job of that kind and waits until it is over. */
async function upkeep(host: HostOnStage, kind: "forget" | "prune" | "check"): Promise<FinishedJob> {
  const path = `/api/hosts/${host.id}/repo/${kind}`;
  const { job } = await stage.server.api.call("POST", path, CreatedJob, {});
  return await host.finished(job.id, 300);
}

test(
  "two machines on one repository back up, forget, prune and check at once: no job fails, and the repository is whole",
  () =>
    stage.tell(async () => {
      const end = Date.now() + MINUTES * 60_000;
      const ended: FinishedJob[] = [];
      const backups = async (host: HostOnStage): Promise<void> => {
        for (let n = 0; Date.now() < end; n += 1) {
          writeFileSync(join(stage.folder, `data-${host.name}`, "file"), crypto.randomUUID().repeat(1_000));
          ended.push(await host.finished((await host.backUp()).id, 300));
        }
      };
      const maintenance = async (host: HostOnStage): Promise<void> => {
        while (Date.now() < end)
          for (const kind of ["forget", "prune", "check"] as const) ended.push(await upkeep(host, kind));
      };
      await Promise.all(hosts.flatMap((host) => [backups(host), maintenance(host)]));
      const unhappy = ended.filter((job) => !isHappy(job));
      if (MINUTES >= 1) console.log(figures(ended));
      expect(unhappy).toEqual([]);
      for (const host of hosts)
        for (const kind of KINDS)
          expect(ended.filter((job) => job.host.id === host.id && job.kind === kind).length).toBeGreaterThan(
            0,
          );
      await repository.restic(REPOSITORY, ["check", "--read-data"]);
      for (const host of hosts) {
        const kept = JSON.parse(
          await repository.restic(REPOSITORY, ["snapshots", "--json", `--host=${host.name}`]),
        ) as { id: string }[];
        await host.atRest();
        const listed: string[] = (await host.snapshots()).map(({ id }) => id);
        expect(listed.toSorted()).toEqual(kept.map(({ id }) => id).toSorted());
      }
    }),
  (MINUTES + 6) * 60_000,
);
