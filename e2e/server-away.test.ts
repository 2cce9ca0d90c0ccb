import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { killAfterMs } from "@restic-manager/restic/ladder";
import { notBegun, notWhole } from "./stage/fake-log.ts";
import type { HostOnStage } from "./stage/host.ts";
import { RealRepository, smallFiles } from "./stage/real-repository.ts";
import { Stage } from "./stage/stage.ts";
import { until } from "./stage/until.ts";

/** The server is down, or the agent is told to end, while a backup runs. */

const LINES = 8_000;
let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
}, 30_000);
afterAll(() => stage?.strike());

describe("with a scripted restic", () => {
  let host: HostOnStage;

  beforeAll(async () => {
    host = await stage.addReadyHost();
    await host.atRest();
  }, 30_000);

  test(
    "a server that is down for a whole backup has the outcome and every log line after its return",
    () =>
      stage.tell(async () => {
        stage.fake.play({ backup: { log_lines: LINES, wait_for: "go" } });
        const { id } = await host.backUp();
        await until("restic runs", () => stage.fake.isWaiting());
        await stage.server.kill();
        stage.fake.release("go");
        await until("restic is done", () => host.agent.stateOf(id) === "finished");
        expect(host.agent.waiting()).toBeGreaterThan(LINES / 256 / 2);
        await stage.server.start();
        const job = await host.finished(id, 60);
        expect(job.state).toBe("succeeded");
        expect(notWhole(await host.log(id), LINES)).toBeUndefined();
        expect(job.log.missing).toBe(0);
        if (job.state !== "succeeded" || !("snapshot_id" in job.result))
          throw new Error("no snapshot was saved");
        const saved = job.result.snapshot_id;
        await until("the snapshot is listed", async () =>
          (await host.snapshots()).some((snapshot) => snapshot.id === saved),
        );
        await host.atRest();
      }),
    90_000,
  );

  test(
    "a server that stops as asked says so to its agents, loses nothing and ends with 0",
    () =>
      stage.tell(async () => {
        stage.fake.play({ backup: { log_lines: LINES, wait_for: "on" } });
        const { id } = await host.backUp();
        await until("the first half is known", async () => (await host.job(id)).log.lines === LINES / 2 + 1);
        expect(await stage.server.stop()).toBe(0);
        await host.agent.says(/Not connected to the server \(restarting\)/);
        stage.fake.release("on");
        await stage.server.start();
        const job = await host.finished(id, 60);
        expect(job.state).toBe("succeeded");
        expect(notWhole(await host.log(id), LINES)).toBeUndefined();
        await host.atRest();
      }),
    90_000,
  );

  test(
    "an agent that is told to end interrupts restic, and the job fails as agent_restarted, once",
    () =>
      stage.tell(async () => {
        stage.fake.play({ backup: { log_lines: LINES, wait_for: "never" } });
        const { id } = await host.backUp();
        await until("the first half is known", async () => (await host.job(id)).log.lines === LINES / 2 + 1);
        const began = performance.now();
        host.agent.signal("SIGTERM");
        expect(await host.agent.ended()).toBe(0);
        // restic did as it was asked: nobody had to kill it.
        expect(performance.now() - began).toBeLessThan(killAfterMs.write);
        const [start] = stage.fake.starts("backup").slice(-1);
        expect(stage.fake.runs()).toContainEqual({ event: "end", pid: start?.pid ?? 0, code: 130 });
        stage.fake.play({});
        host.agent.start();
        const job = await host.finished(id);
        expect(job).toMatchObject({ state: "failed", error: { code: "agent_restarted" } });
        const log = await host.log(id);
        expect(notBegun(log.slice(0, LINES / 2 + 1), LINES)).toBeUndefined();
        const next = await host.finished((await host.backUp()).id);
        expect(next.state).toBe("succeeded");
        await host.atRest();
        expect(await host.job(id)).toEqual(job);
      }),
    60_000,
  );
});

describe("with a real restic and a real rest-server", () => {
  let repository: RealRepository;

  beforeAll(async () => {
    repository = await RealRepository.start(stage.folder);
  });
  afterAll(() => repository?.stop());

  test(
    "a server that is down for a whole backup sees the snapshot after its return",
    () =>
      stage.tell(async () => {
        const source = smallFiles(join(stage.folder, "source"), 500);
        const host = await stage.addReadyHost(repository.casting("away", [source]));
        await host.atRest();
        const { id } = await host.backUp();
        await until("the agent has the command", () => host.agent.stateOf(id) !== undefined);
        await stage.server.kill();
        await until("restic is done", () => host.agent.stateOf(id) === "finished");
        await stage.server.start();
        const job = await host.finished(id, 60);
        expect(job).toMatchObject({ state: "succeeded", result: { files_new: 500, issue_count: 0 } });
        const log = await host.log(id);
        expect(log[0]).toBe(`start scan of ${source}`);
        expect(log.at(-1)).toMatch(/^snapshot [0-9a-f]{8} saved$/);
        await until("the snapshot is listed", async () => (await host.snapshots()).length === 1);
        const [listed] = await host.snapshots();
        const real: unknown = JSON.parse(
          await repository.restic("away", ["snapshots", "--json", "--no-lock"]),
        );
        expect(real).toMatchObject([{ id: listed?.id, tags: ["default"] }]);
        await host.atRest();
      }),
    90_000,
  );

  test(
    "kill -9 of agent and restic leaves a lock, which the next life removes; the next backup works",
    () =>
      stage.tell(async () => {
        const source = join(stage.folder, "large");
        mkdirSync(source);
        writeFileSync(join(source, "data"), randomBytes(8 * 1024 * 1024));
        const host = await stage.addReadyHost(repository.casting("killed", [source]));
        await host.atRest();
        // So slow that it is still at it when it dies.
        const { id } = await host.backUp({ upload_kib_per_s: 64 });
        const locks = () => repository.restic("killed", ["list", "locks", "--no-lock"]);
        await until("restic holds its lock", async () => (await locks()).trim() !== "");
        await until("its pid is written down", () => host.agent.pidOf(id) !== undefined);
        const pid = host.agent.pidOf(id) ?? 0;
        await host.agent.kill();
        process.kill(-pid, "SIGKILL");
        expect((await locks()).trim()).not.toBe("");
        host.agent.start();
        expect(await host.finished(id, 60)).toMatchObject({
          state: "failed",
          error: { code: "agent_restarted" },
        });
        await until("the lock is gone", async () => (await locks()).trim() === "");
        expect((await host.finished((await host.backUp()).id, 60)).state).toBe("succeeded");
        await host.atRest();
      }),
    120_000,
  );
});
