import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Schedule, Schedules } from "@restic-manager/protocol/api/schedules";
import { HostHooks, SourceGroup, SourceGroups } from "@restic-manager/protocol/api/sources";
import type { Job } from "@restic-manager/protocol/api/jobs";
import type { HostOnStage } from "./stage/host.ts";
import { Stage } from "./stage/stage.ts";
import { realRestic } from "@restic-manager/restic/testing/real";
import { until } from "./stage/until.ts";

/** Schedules, with a real server, a real agent and a real restic. */

let stage: Stage;
let host: HostOnStage;
let folder: string;

beforeAll(async () => {
  stage = await Stage.open();
  folder = join(stage.folder, "data");
  mkdirSync(folder);
  writeFileSync(join(folder, "file"), "content");
  host = await stage.addReadyHost({ restic: realRestic(), includes: [folder] });
  await host.atRest();
}, 60_000);
afterAll(() => stage?.strike());

const schedules = () => stage.server.api.call("GET", `/api/hosts/${host.id}/schedules`, Schedules);
const inSync = () =>
  until("the agent has the newest schedules", async () => {
    const { sync } = await schedules();
    return sync.version === sync.applied_version;
  });
const groups = async () =>
  (await stage.server.api.call("GET", `/api/hosts/${host.id}/source-groups`, SourceGroups)).items;
const scheduled = async (): Promise<Job[]> =>
  (await host.jobs()).filter((job) => job.actor.kind === "schedule");

/** What the agent knows, beside it. `change` only while it does not run. */
function agentDb<T>(use: (db: Database) => T): T {
  const db = new Database(join(host.agent.stateDir, "agent.db"));
  try {
    db.run("pragma busy_timeout = 2000");
    return use(db);
  } finally {
    db.close();
  }
}
const finishedBySchedule = () =>
  agentDb((db) =>
    db
      .query<{ id: string }, []>("select id from job where actor_kind = 'schedule' and state = 'finished'")
      .all()
      .map((row) => row.id),
  );

test(
  "a new schedule reaches its agent and fires while the server is away: its run is here after, once, with its hooks' words",
  () =>
    stage.tell(async () => {
      const { api } = stage.server;
      const [group] = await groups();
      if (group === undefined) throw new Error("the host has no group");
      await api.call("PUT", `/api/hosts/${host.id}/hooks`, HostHooks, {
        pre: 'echo "before $RM_GROUP as $RM_JOB_STATUS"',
        post: 'echo "after it $RM_JOB_STATUS"',
      });
      const made = await api.call("POST", `/api/hosts/${host.id}/schedules`, Schedule, {
        cron: "* * * * *",
        source_group_ids: [group.id],
      });
      await inSync();
      await stage.server.kill();
      const [id = ""] = await until(
        "the schedule has fired and restic is done",
        () => {
          const done = finishedBySchedule();
          return done.length > 0 && done;
        },
        100,
      );
      // An agent that has just begun need not wait long before it connects.
      await host.agent.kill();
      await stage.server.start();
      host.agent.start();
      const job = await host.finished(id, 60);
      expect(job).toMatchObject({
        state: "succeeded",
        actor: { kind: "schedule" },
        schedule: { id: made.id, attempt: 0, missed_count: 0 },
        source_group: { name: "default" },
      });
      const log = await host.log(id);
      expect(log).toContain("hook(pre): before default as running");
      expect(log).toContain("hook(post): after it succeeded");
      const all = await scheduled();
      expect(new Set(all.map((one) => one.schedule?.scheduled_at)).size).toBe(all.length);
      const { items } = await schedules();
      expect(items[0]?.last_run?.job_ids).toHaveLength(1);
      await api.call("DELETE", `/api/hosts/${host.id}/schedules/${made.id}`, { parse: () => undefined });
      await inSync();
      await host.atRest();
    }),
  180_000,
);

test(
  "an agent that was off for hours runs once in place of all that it missed, also when schedule and group are gone meanwhile",
  () =>
    stage.tell(async () => {
      const { api } = stage.server;
      const before = new Set<string>((await scheduled()).map((job) => job.id));
      const group = await api.call("POST", `/api/hosts/${host.id}/source-groups`, SourceGroup, {
        name: "hourly",
        includes: [folder],
      });
      const made = await api.call("POST", `/api/hosts/${host.id}/schedules`, Schedule, {
        cron: "0 * * * *",
        source_group_ids: [group.id],
      });
      await inSync();
      await host.agent.kill();
      const hours = 5;
      agentDb((db) => db.run("update schedule_state set until = until - ?", [hours * 3_600_000]));
      await stage.server.kill();
      host.agent.start();
      const [id = ""] = await until(
        "the missed run is done",
        () => {
          const fresh = finishedBySchedule().filter((one) => !before.has(one));
          return fresh.length > 0 && fresh;
        },
        60,
      );
      await host.agent.kill();
      await stage.server.start();
      // Deleted before the server heard of the run.
      const path = `/api/hosts/${host.id}`;
      await api.call("DELETE", `${path}/schedules/${made.id}`, { parse: () => undefined });
      await api.call("DELETE", `${path}/source-groups/${group.id}`, { parse: () => undefined });
      host.agent.start();
      const job = await host.finished(id, 60);
      expect(job).toMatchObject({
        state: "succeeded",
        source_group: { name: "hourly" },
        schedule: { id: made.id, missed_count: hours },
      });
      expect((await scheduled()).filter((one) => !before.has(one.id))).toHaveLength(1);
      await inSync();
      await host.atRest();
    }),
  180_000,
);
