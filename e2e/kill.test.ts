import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { identifyProcess } from "@restic-manager/restic/process-start";
import { onEveryDatabase } from "@restic-manager/server/testing/databases";
import { notBegun, notWhole } from "./stage/fake-log.ts";
import type { HostOnStage } from "./stage/host.ts";
import { Stage } from "./stage/stage.ts";
import { until } from "./stage/until.ts";

/** `kill -9` of either end and of both, at the three worst moments of a backup: issue 2, section 8. */

const LINES = 3_000;
const VICTIMS = ["agent", "server", "both"] as const;
const MOMENTS = ["after dispatch", "mid-backup", "between restic's exit and the acknowledgement"] as const;
const CASES = MOMENTS.flatMap((moment) => VICTIMS.map((victim) => ({ moment, victim })));

onEveryDatabase("kill -9", (open, kind) => {
  let stage: Stage;
  let host: HostOnStage;
  let jobsSoFar = 0;

  beforeAll(async () => {
    stage = await Stage.open(kind === "sqlite" ? {} : { databaseUrl: await open() });
    host = await stage.addReadyHost();
    await host.atRest();
    jobsSoFar = (await host.jobs()).length;
  }, 60_000);
  afterAll(() => stage?.strike());

  /** Brings a backup to the moment; it stays there until something is killed. */
  async function bringTo(moment: (typeof MOMENTS)[number], release: string): Promise<string> {
    stage.fake.play({ backup: { log_lines: LINES, wait_for: release } });
    if (moment === "after dispatch") {
      // The command is on its way to an agent that does not read it.
      host.agent.signal("SIGSTOP");
      const { id } = await host.backUp();
      await until("the job is marked as sent", () =>
        stage.store(async (db) => {
          const job = await db.selectFrom("jobs").select("sent_at").where("id", "=", id).executeTakeFirst();
          return typeof job?.sent_at === "number";
        }),
      );
      stage.fake.release(release);
      return id;
    }
    const { id } = await host.backUp();
    await until("restic stands in the middle", () => stage.fake.isWaiting());
    await until("the first half is known", async () => (await host.job(id)).log.lines === LINES / 2 + 1);
    if (moment === "mid-backup") return id;
    // The server neither commits nor acknowledges any more.
    stage.server.signal("SIGSTOP");
    stage.fake.release(release);
    await until("the agent has the outcome", () => host.agent.stateOf(id) === "finished");
    return id;
  }

  async function killAndStart(victim: (typeof VICTIMS)[number]): Promise<void> {
    if (victim !== "server") await host.agent.kill();
    if (victim !== "agent") await stage.server.kill();
    if (victim === "agent") stage.server.signal("SIGCONT");
    else await stage.server.start();
    if (victim === "server") host.agent.signal("SIGCONT");
    else host.agent.start();
  }

  test.each(CASES)(
    "of $victim, $moment: one outcome, a whole log, one run of restic, and the next backup works",
    ({ moment, victim }) =>
      stage.tell(async () => {
        const release = `${moment} ${victim}`.replaceAll(/\W/g, "-");
        const before = stage.fake.starts("backup").length;
        const id = await bringTo(moment, release);
        await killAndStart(victim);
        const cutOff = moment === "mid-backup" && victim !== "server";
        if (moment === "mid-backup" && victim === "server") stage.fake.release(release);

        const job = await host.finished(id, 60);
        const log = await host.log(id);
        if (cutOff) {
          expect(job).toMatchObject({ state: "failed", error: { code: "agent_restarted" } });
          expect(log.length).toBe(LINES / 2 + 1);
          expect(notBegun(log, LINES)).toBeUndefined();
        } else {
          expect(job.state).toBe("succeeded");
          expect(notWhole(log, LINES)).toBeUndefined();
        }
        expect(job.log).toEqual({ lines: log.length, missing: 0 });
        expect(stage.fake.starts("backup").length).toBe(before + 1);

        await host.online();
        stage.fake.play({});
        const next = await host.finished((await host.backUp()).id, 60);
        expect(next.state).toBe("succeeded");
        await host.atRest();
        expect(stage.fake.starts("backup").length).toBe(before + 2);
        // The outcome did not change with what came again later.
        expect(await host.job(id)).toEqual(job);
        const jobs = await host.jobs();
        expect(jobs.length).toBe((jobsSoFar += 2));
        expect(jobs.filter(({ state }) => state === "queued" || state === "running")).toEqual([]);
      }),
    90_000,
  );

  test("nothing that came twice was kept twice, and nothing was refused", () =>
    stage.tell(async () => {
      expect(stage.fake.starts("backup").length).toBe(2 * CASES.length);
      // The two that were cut off saved no snapshot.
      const saved = 2 * CASES.length - 2;
      await until("all snapshots are listed", async () => (await host.snapshots()).length === saved);
      expect(await stage.store((db) => db.selectFrom("rejected_frames").selectAll().execute())).toEqual([]);
    }));

  test(
    "a restic that outlived its agent is ended by the next life, before anything else runs",
    () =>
      stage.tell(async () => {
        stage.fake.release("an earlier wait");
        stage.fake.play({ backup: { wait_for: "never" } });
        const { id } = await host.backUp();
        await until("restic stands in the middle", () => stage.fake.isWaiting());
        const orphan = stage.fake.starts("backup").at(-1)?.pid ?? 0;
        await host.agent.kill();
        expect(identifyProcess(orphan)).toBeDefined();
        stage.fake.play({});
        host.agent.start();
        const queued = await host.backUp();
        const cut = await host.finished(id);
        expect(cut).toMatchObject({ state: "failed", error: { code: "agent_restarted" } });
        expect(identifyProcess(orphan)).toBeUndefined();
        const next = await host.finished(queued.id);
        expect(next.state).toBe("succeeded");
        expect(Date.parse(next.started_at ?? "")).toBeGreaterThanOrEqual(Date.parse(cut.finished_at));
        await host.atRest();
      }),
    60_000,
  );

  test(
    "a lock of a restic that died with its agent is removed by the next life",
    () =>
      stage.tell(async () => {
        stage.fake.release("an earlier wait");
        stage.fake.play({ backup: { wait_for: "never" } });
        const { id } = await host.backUp();
        await until("restic stands in the middle", () => stage.fake.isWaiting());
        await host.agent.kill();
        const dead = stage.fake.starts("backup").at(-1)?.pid ?? 0;
        process.kill(dead, "SIGKILL");
        // Whoever inherits orphans takes their last breath; restic counts a process as alive until then.
        await until("restic is buried", () => !existsSync(`/proc/${dead}`));
        stage.fake.play({});
        host.agent.start();
        expect(await host.finished(id)).toMatchObject({
          state: "failed",
          error: { code: "agent_restarted" },
        });
        await host.agent.says(/removed locks left behind by this agent removed=[1-9]/);
        await host.atRest();
      }),
    60_000,
  );

  test(
    "regression: what the hook before a backup stopped stayed stopped when the agent died: the next life ends that hook and runs the last",
    () =>
      stage.tell(async () => {
        stage.fake.play({});
        const database = join(stage.folder, `database-${kind}`);
        const path = `/api/hosts/${host.id}/hooks`;
        const pre = `echo "down $$" > ${database}; sleep 600 & wait`;
        const post = `echo "up $RM_JOB_STATUS" | tee ${database}`;
        expect((await stage.server.api.ask("PUT", path, { pre, post })).status).toBe(200);
        await until("the agent has its hooks on disk", async () => {
          const { config } = await host.look();
          return config.version === config.applied_version;
        });
        const before = stage.fake.starts("backup").length;
        const { id } = await host.backUp();
        const said = () => (existsSync(database) ? readFileSync(database, "utf8") : "");
        await until("the hook has stopped the database", () => said().endsWith("\n"));
        const orphan = Number(said().replace("down ", ""));
        await host.agent.kill();
        expect(identifyProcess(orphan)).toBeDefined();
        host.agent.start();
        expect(await host.finished(id)).toMatchObject({
          state: "failed",
          error: { code: "agent_restarted" },
        });
        expect(identifyProcess(orphan)).toBeUndefined();
        expect(said()).toBe("up failed\n");
        expect((await host.log(id)).at(-1)).toBe("hook(post): up failed");
        expect(stage.fake.starts("backup").length).toBe(before);
        expect((await stage.server.api.ask("PUT", path, { pre: null, post: null })).status).toBe(200);
        await host.atRest();
      }),
    60_000,
  );
});
