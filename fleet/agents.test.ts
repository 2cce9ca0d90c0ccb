import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SnapshotsPage } from "@restic-manager/protocol/api/hosts";
import { CreatedJob, Job, JobLogPage } from "@restic-manager/protocol/api/jobs";
import { until } from "../e2e/stage/until.ts";
import { startAgents, type Agents } from "./agents.ts";
import { FleetServer } from "./fleet-server.ts";
import { identityOf } from "./simulated/identity.ts";
import { flood, INSTANT, NIGHT } from "./simulated/script.ts";
import { tellStory } from "./simulated/story.ts";

const SEED = 11;
const script = { ...NIGHT, lines: 1_000, durationMs: 0, failEvery: 3, warnEvery: 2, slowEvery: 0 };
let folder: string;
let server: FleetServer;
let agents: Agents;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rm-fleet-"));
  server = await FleetServer.start({ folder, hosts: 20, seed: SEED });
  agents = await startAgents({ port: server.port, count: 20, seed: SEED, script, processes: 2 });
  await agents.connect();
});
afterAll(async () => {
  await agents.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function runNow(machine: number): Promise<Job> {
  const { hostId, groupId } = identityOf(SEED, machine);
  const path = `/api/hosts/${hostId}/source-groups/${groupId}/run`;
  return (await server.call(path, CreatedJob, { method: "POST", body: {} })).job;
}

async function backUp(machine: number): Promise<Job & { finished_at: string }> {
  const { id } = await runNow(machine);
  return await until(`job ${id} is over`, async () => {
    const job = await server.call(`/api/jobs/${id}`, Job);
    return "finished_at" in job ? job : undefined;
  });
}

test("a simulated backup's outcome, log and snapshot are on the server as its story tells them", async () => {
  const { hostId } = identityOf(SEED, 5);
  const stories = [1, 2, 3].map((turn) => tellStory(SEED, 5, turn, script));
  const first = await backUp(5);
  expect(first).toMatchObject({ state: "succeeded", result: { snapshot_id: stories[0]?.snapshotId } });
  const log = await server.call(`/api/jobs/${first.id}/log?limit=10000`, JobLogPage);
  expect(log.complete).toBe(true);
  expect(log.lines.map(({ text }) => text)).toEqual(stories[0]?.lines ?? []);
  expect(await backUp(5)).toMatchObject({ state: "succeeded", result: { issues: endOf(stories[1]).issues } });
  expect(await backUp(5)).toMatchObject({ state: "failed", error: { code: "repository_unreachable" } });
  const listed = await until("the snapshots are reported", async () => {
    const { items } = await server.call(`/api/hosts/${hostId}/snapshots`, SnapshotsPage);
    return items.length === 2 ? items : undefined;
  });
  expect(listed.map(({ id }) => String(id)).toSorted()).toEqual(
    stories
      .slice(0, 2)
      .map(({ snapshotId }) => snapshotId)
      .toSorted(),
  );
}, 30_000);

const endOf = (story: ReturnType<typeof tellStory> | undefined) =>
  story?.end.state === "succeeded" ? story.end : { issues: [] };

test("the moment when restic would be spawned is told for each job, once", async () => {
  await agents.follow(INSTANT);
  await agents.spawns();
  const jobs = await Promise.all([6, 7, 8].map(backUp));
  const spawns = await agents.spawns();
  expect(spawns.map(({ jobId }) => jobId).toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
  expect(new Set(spawns.map(({ machine }) => machine))).toEqual(new Set([6, 7, 8]));
  expect(await agents.spawns()).toEqual([]);
}, 30_000);

test("a flood's lines are all on the server, in order, without a gap", async () => {
  await agents.follow(flood(0, 25_600));
  const job = await backUp(9);
  expect(job.log).toEqual({ lines: 25_600, missing: 0 });
  const { waiting, counters } = await agents.look();
  expect([waiting, counters.errors]).toEqual([0, 0]);
}, 30_000);

test("agents come back after the server was killed, with the same state", async () => {
  await agents.disconnect();
  await server.kill();
  await server.start();
  const { at } = await agents.connect();
  expect(at).toBeGreaterThan(0);
  const { counters } = await agents.look();
  expect(counters).toMatchObject({ connected: 20, welcomes: 40, attempts: 40, errors: 0 });
}, 30_000);
