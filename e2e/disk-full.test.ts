import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Problem } from "@restic-manager/protocol/api/errors";
import { FleetSummary } from "@restic-manager/protocol/api/fleet";
import { JobLogPage } from "@restic-manager/protocol/api/jobs";
import { notWhole } from "./stage/fake-log.ts";
import type { HostOnStage } from "./stage/host.ts";
import { SmallDisk } from "./stage/small-disk.ts";
import { Stage } from "./stage/stage.ts";
import { until } from "./stage/until.ts";

/** No room left, at either end: nothing is lost but log lines, and those are marked. */

const LINES = 6_000;
let folder: string;
let disk: SmallDisk;
let stage: Stage;
let host: HostOnStage;

describe("when the server's disk is full", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "rm-full-"));
    disk = new SmallDisk(join(folder, "server"), 16);
    stage = await Stage.open({ dataDir: join(disk.path, "data") });
    host = await stage.addReadyHost();
    await host.atRest();
  }, 30_000);
  afterAll(async () => {
    await stage?.strike();
    disk?.unmount();
    rmSync(folder, { recursive: true, force: true });
  });

  const store = async () => {
    const summary = await stage.server.api.call("GET", "/api/fleet/summary", FleetSummary);
    return summary.store;
  };

  test(
    "agents keep what they have to say, the console says why, and all is delivered once there is room",
    () =>
      stage.tell(async () => {
        stage.fake.play({ backup: { log_lines: LINES, wait_for: "full" } });
        const { id } = await host.backUp();
        await until("the first half is known", async () => (await host.job(id)).log.lines === LINES / 2 + 1);
        disk.fill();
        stage.fake.release("full");
        await until("restic is done", () => host.agent.stateOf(id) === "finished");
        const trouble = await until("the server says so", async () => {
          const now = await store();
          return now.state === "failing" ? now : undefined;
        });
        expect(trouble.message).toMatch(/full/);
        expect(host.agent.waiting()).toBeGreaterThan(0);
        expect((await host.job(id)).state).toBe("running");

        const answer = await stage.server.api.ask("POST", "/api/enrollment-tokens", {
          host_name: "no-room",
          repository_url: "/srv/r",
        });
        expect({ status: answer.status, ...Problem.parse(await answer.json()) }).toMatchObject({
          status: 507,
          code: "store_full",
          hint: expect.stringContaining("make space"),
        });
        expect((await fetch(`${stage.server.origin}/healthz`)).status).toBe(200);

        disk.relieve();
        const job = await host.finished(id, 60);
        expect(job.state).toBe("succeeded");
        expect(notWhole(await host.log(id), LINES)).toBeUndefined();
        await until("all is well again", async () => (await store()).state === "ok");
        await host.atRest();
      }),
    90_000,
  );

  test(
    "an agent that comes while the disk is full is told to come back, and the trouble is over when it can",
    () =>
      stage.tell(async () => {
        await host.agent.kill();
        await until("the host is offline", async () => !(await host.look()).online);
        disk.fill();
        host.agent.start();
        await host.agent.says(/Not connected to the server \(the server cannot write to its store/);
        expect((await store()).state).toBe("failing");
        disk.relieve();
        await host.online();
        await until("all is well again", async () => (await store()).state === "ok");
      }),
    90_000,
  );

  test(
    "a server that is killed on a full disk starts again when there is room, with everything it had committed",
    () =>
      stage.tell(async () => {
        const before = await host.jobs();
        disk.fill();
        await stage.server.kill();
        disk.relieve();
        await stage.server.start();
        await host.online();
        expect(await host.jobs()).toEqual(before);
        stage.fake.play({});
        expect((await host.finished((await host.backUp()).id)).state).toBe("succeeded");
        await host.atRest();
      }),
    60_000,
  );
});

describe("when the agent's disk is full", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "rm-full-"));
    disk = new SmallDisk(join(folder, "agent"), 32);
    stage = await Stage.open();
    host = await stage.addReadyHost({ stateDir: join(disk.path, "state") });
    await host.atRest();
  }, 30_000);
  afterAll(async () => {
    await stage?.strike();
    disk?.unmount();
    rmSync(folder, { recursive: true, force: true });
  });

  /** All the log lines the server has, and how many it knows to be missing. */
  async function log(id: string): Promise<{ lines: number; missing: number; end: number }> {
    let [lines, missing, from] = [0, 0, 0];
    for (;;) {
      const page = await stage.server.api.call(
        "GET",
        `/api/jobs/${id}/log?from=${from}&limit=10000`,
        JobLogPage,
      );
      lines += page.lines.length;
      missing += page.gaps.reduce((sum, gap) => sum + gap.count, 0);
      const next = Math.max(
        from,
        ...page.lines.slice(-1).map((line) => line.n + 1),
        ...page.gaps.map((gap) => gap.first_line + gap.count),
      );
      if (next === from) return { lines, missing, end: page.end };
      from = next;
    }
  }

  test(
    "the outcome is kept, and what is missing of the log is marked",
    () =>
      stage.tell(async () => {
        stage.fake.play({ backup: { log_lines: LINES, wait_for: "full" } });
        const { id } = await host.backUp();
        await until("the first half is known", async () => (await host.job(id)).log.lines === LINES / 2 + 1);
        await stage.server.kill();
        disk.fill();
        stage.fake.release("full");
        await until("restic is done", () => host.agent.stateOf(id) === "finished", 60);
        await stage.server.start();
        const job = await host.finished(id, 60);
        expect(job.state).toBe("succeeded");
        const kept = await log(id);
        expect(kept.end).toBe(LINES + 6);
        expect(kept.lines + kept.missing).toBe(LINES + 6);
        expect(job.log).toEqual({ lines: LINES + 6, missing: kept.missing });
        await host.atRest();
      }),
    90_000,
  );

  test(
    "acknowledgements that cannot be written down do not end the agent, even with its reserve gone",
    () =>
      stage.tell(async () => {
        disk.relieve();
        stage.fake.play({
          commands: {
            backup: [
              { do: "wait_for", file: "more" },
              { do: "lines", count: 2_000 },
              { do: "wait_for", file: "room" },
              { do: "exit", code: 1 },
            ],
          },
        });
        const { id } = await host.backUp();
        await until("restic runs", () => stage.fake.isWaiting());
        stage.server.signal("SIGSTOP");
        stage.fake.release("more");
        await until("all lines wait", () => stage.fake.isWaiting() && host.agent.waiting() >= 2_000 / 256);
        rmSync(join(host.agent.stateDir, "agent.db.ballast"), { force: true });
        disk.fill();
        stage.server.signal("SIGCONT");
        await until("the server has them", async () => (await host.job(id)).log.lines > 2_000);
        expect(host.agent.waiting()).toBeGreaterThan(0);
        disk.relieve();
        stage.fake.release("room");
        expect((await host.finished(id)).state).toBe("failed");
        await host.atRest();
        expect(host.agent.tail()).not.toContain("error");
      }),
    60_000,
  );

  test(
    "an outcome that has no room at all is held until there is some",
    () =>
      stage.tell(async () => {
        stage.fake.play({ backup: { log_lines: LINES, wait_for: "no reserve" } });
        const { id } = await host.backUp();
        await until("the first half is known", async () => (await host.job(id)).log.lines === LINES / 2 + 1);
        rmSync(join(host.agent.stateDir, "agent.db.ballast"), { force: true });
        disk.fill();
        stage.fake.release("no reserve");
        await host.agent.says(new RegExp(`could not write down how job ${id} ended.*free some space`));
        expect((await host.job(id)).state).toBe("running");
        disk.relieve();
        const job = await host.finished(id);
        expect(job.state).toBe("succeeded");
        const kept = await log(id);
        expect(kept.lines).toBeGreaterThanOrEqual(LINES / 2 + 1);
        expect(kept.lines + kept.missing).toBe(LINES + 6);
        await host.atRest();
      }),
    60_000,
  );

  test(
    "an agent that was killed there starts again, finishes what was cut off, and backs up",
    () =>
      stage.tell(async () => {
        // A start lays the reserve anew; so does the look around every half minute.
        await host.agent.kill();
        host.agent.start();
        await host.online();
        await until("the reserve is laid", () => existsSync(join(host.agent.stateDir, "agent.db.ballast")));
        stage.fake.play({ backup: { log_lines: LINES, wait_for: "never" } });
        const { id } = await host.backUp();
        await until("the first half is known", async () => (await host.job(id)).log.lines === LINES / 2 + 1);
        disk.fill();
        await host.agent.kill();
        host.agent.start();
        expect(await host.finished(id, 60)).toMatchObject({
          state: "failed",
          error: { code: "agent_restarted" },
        });
        stage.fake.play({});
        expect((await host.finished((await host.backUp()).id, 60)).state).toBe("succeeded");
        expect(disk.freeBytes).toBeLessThan(16 * 1024 * 1024);
        disk.relieve();
        expect((await host.finished((await host.backUp()).id, 60)).state).toBe("succeeded");
        await host.atRest();
      }),
    90_000,
  );
});
