import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CreatedJob } from "@restic-manager/protocol/api/jobs";
import { RepositoryPage } from "@restic-manager/protocol/api/repository-page";
import { AdminCredentialsView } from "@restic-manager/protocol/api/repository";
import { SourceGroup, SourceGroups } from "@restic-manager/protocol/api/sources";
import { onEveryDatabase } from "@restic-manager/server/testing/databases";
import { AppendOnlyRepository, BOSS, filesWith } from "./stage/append-only.ts";
import type { FinishedJob, HostOnStage } from "./stage/host.ts";
import { incompressible } from "./stage/real-repository.ts";
import { HERE, Stage } from "./stage/stage.ts";
import { until } from "./stage/until.ts";

/** Forget, prune, check and unlock with the real restic, behind an append-only rest-server: issue 4, section 2. */

setDefaultTimeout(180_000);

const NAME = "one";
onEveryDatabase("maintenance", (open, kind) => {
  let stage: Stage;
  let repository: AppendOnlyRepository;
  let host: HostOnStage;
  let data: string;

  beforeAll(async () => {
    stage = await Stage.open(kind === "sqlite" ? {} : { databaseUrl: await open() });
    repository = await AppendOnlyRepository.start(stage.folder);
    data = join(stage.folder, "data");
    mkdirSync(data);
    write("first", 400_000);
    host = await stage.addReadyHost(repository.casting(HERE, NAME, [data]));
  });
  afterAll(async () => {
    await stage?.strike();
    await repository?.stop();
  });

  const write = (name: string, bytes: number) => incompressible(join(data, name), bytes);
  const page = () => stage.server.api.call("GET", `/api/hosts/${host.id}/repository`, RepositoryPage);

  async function order(kind: string, wish: object = {}): Promise<string> {
    const path = `/api/hosts/${host.id}/repo/${kind}`;
    return (await stage.server.api.call("POST", path, CreatedJob, wish)).job.id;
  }

  async function run(kind: string, wish: object = {}): Promise<FinishedJob> {
    return await host.finished(await order(kind, wish), 120);
  }

  async function backUp(): Promise<void> {
    expect(await host.finished((await host.backUp()).id, 90)).toMatchObject({ state: "succeeded" });
  }

  /** What the page says is what the restic CLI says. */
  async function sameAsTheCli(): Promise<void> {
    await host.atRest();
    const listed = JSON.parse(
      await repository.restic(NAME, ["snapshots", "--json", "--no-lock"]),
    ) as unknown[];
    const stats = JSON.parse(
      await repository.restic(NAME, ["stats", "--mode", "raw-data", "--json", "--no-lock"]),
    ) as { total_size: number };
    await until("the page has what the CLI has", async () => {
      const { size, snapshots } = await page();
      return size?.total_size === stats.total_size && snapshots.total === listed.length;
    });
    expect((await page()).snapshots.by_tag.map(({ tag, count }) => [tag, count])).toEqual([
      ["default", listed.length],
    ]);
  }

  test("without admin credentials check and unlock work; forget is refused by the server and prune not even tried", () =>
    stage.tell(async () => {
      for (const name of ["second", "third"]) {
        await backUp();
        write(name, 200_000);
      }
      await backUp();
      expect(await page()).toMatchObject({
        append_only: null,
        admin: null,
        run_now: { prune: { code: "admin_creds_required" }, check: null },
      });
      const { items } = await stage.server.api.call(
        "GET",
        `/api/hosts/${host.id}/source-groups`,
        SourceGroups,
      );
      const [group] = items;
      if (group === undefined) throw new Error("there is no group");
      const { name, includes, excludes, retry_max, retry_backoff_seconds } = group;
      const change = { name, includes, excludes, retry_max, retry_backoff_seconds };
      const retention_policy = { keep_last: 1 };
      const path = `/api/hosts/${host.id}/source-groups/${group.id}`;
      await stage.server.api.call("PUT", path, SourceGroup, { ...change, retention_policy });

      const preview = await run("forget", { dry_run: true });
      expect(preview).toMatchObject({
        kind: "forget",
        state: "succeeded",
        result: {
          dry_run: true,
          groups: [{ outcome: "done", removed_count: 2, kept: [{ reasons: ["last snapshot"] }] }],
        },
      });
      expect(await run("forget")).toMatchObject({ state: "failed", error: { code: "append_only" } });
      expect(order("prune")).rejects.toThrow("admin_creds_required");
      expect(await run("check", { read_data_percent: 100 })).toMatchObject({
        state: "succeeded",
        result: { result: "ok", read_data_percent: 100 },
      });
      expect(await run("unlock")).toMatchObject({ state: "succeeded", result: { removed_count: 0 } });
      await sameAsTheCli();
      expect(await page()).toMatchObject({
        snapshots: { total: 3 },
        append_only: { seen: true },
        locks: { state: "free" },
        maintenance: {
          forget: {
            last_run: { error: { code: "append_only" } },
            hindrance: { code: "admin_creds_required" },
          },
          check: { last_success: { outcome: { result: "ok" } } },
        },
      });
      expect((await host.look()).status).toBe("issues");
    }));

  test("wrong admin credentials fail with words, and change nothing", () =>
    stage.tell(async () => {
      const path = `/api/hosts/${host.id}/admin-credentials`;
      const url = repository.deletingUrl(NAME);
      const wrong = { url, username: BOSS.username, password: "not the password" };
      await stage.server.api.call("PUT", path, AdminCredentialsView, wrong);
      expect(await run("forget")).toMatchObject({ state: "failed", error: { code: "unauthorized" } });
      // The right account at another repository: nothing is deleted from one that this machine's backups are not in.
      await repository.restic("another", ["init"]);
      const elsewhere = { ...BOSS, url: repository.deletingUrl("another") };
      await stage.server.api.call("PUT", path, AdminCredentialsView, elsewhere);
      expect(await run("prune")).toMatchObject({
        state: "failed",
        error: { code: "invalid_input", message: expect.stringContaining("another repository") },
      });
      expect(await host.snapshots()).toHaveLength(3);
    }));

  test("with them forget and prune work, and no file of the agent ever holds them", () =>
    stage.tell(async () => {
      const path = `/api/hosts/${host.id}/admin-credentials`;
      const right = { ...BOSS, url: repository.deletingUrl(NAME) };
      const shown = await stage.server.api.call("PUT", path, AdminCredentialsView, right);
      expect(JSON.stringify(shown)).not.toContain(BOSS.password);
      expect(await run("forget")).toMatchObject({
        state: "succeeded",
        result: { groups: [{ kept_count: 1, removed_count: 2, not_removed_count: 0 }] },
      });
      await sameAsTheCli();
      // All of the data is still needed by the newest: now something is not.
      write("first", 300_000);
      await backUp();
      expect(await run("forget")).toMatchObject({ state: "succeeded" });

      // Taken by the agent and not begun, when the agent dies: the command is needed once more.
      write("slow", 3_000_000);
      const slow = await host.backUp({ upload_kib_per_s: 20 });
      await until("it saves", async () => (await host.job(slow.id)).state === "running");
      const waits = await order("prune");
      await until("the agent has taken the prune", () => host.agent.stateOf(waits) === "accepted");
      expect(filesWith(join(stage.folder, `agent-${HERE}`), BOSS.password)).toEqual([]);
      await host.agent.kill();
      host.agent.start();
      expect(await host.finished(slow.id, 90)).toMatchObject({ error: { code: "agent_restarted" } });
      const pruned = await host.finished(waits, 120);
      expect(pruned).toMatchObject({ kind: "prune", state: "succeeded" });
      const { last_success } = (await page()).maintenance.prune;
      expect(last_success?.outcome?.kind === "prune" ? last_success.outcome.freed_bytes : 0).toBeGreaterThan(
        390_000,
      );
      await backUp();
      await sameAsTheCli();
      expect(filesWith(join(stage.folder, `agent-${HERE}`), BOSS.password)).toEqual([]);
      expect(filesWith(join(stage.folder, "server"), BOSS.password)).toEqual([]);
      expect(await page()).toMatchObject({
        maintenance: {
          forget: { hindrance: null },
          prune: { hindrance: null, last_success: { job_id: waits } },
        },
        admin: { username: BOSS.username, has_password: true },
      });
      expect((await host.look()).status).toBe("protected");
    }));

  test("flipped bytes in a pack: check says which, and the host fails until a check finds none", () =>
    stage.tell(async () => {
      const { pack, mend } = repository.flipByte(NAME);
      const job = await run("check", { read_data_percent: 100 });
      expect(job).toMatchObject({
        state: "succeeded",
        result: { result: "errors_found", broken_packs: [pack], broken_pack_count: 1 },
      });
      expect((await page()).maintenance.check.last_run?.outcome).toMatchObject({ broken_packs: [pack] });
      expect(await host.look()).toMatchObject({ status: "failed" });
      mend();
      expect(await run("check", { read_data_percent: 100 })).toMatchObject({ result: { result: "ok" } });
      expect((await host.look()).status).toBe("protected");
    }));

  test("a lock of the dead is removed by itself", () =>
    stage.tell(async () => {
      const holder = await repository.holdLock(NAME);
      holder.kill("SIGKILL");
      await holder.exited;
      const job = await run("check", { read_data_percent: 0 });
      expect(job).toMatchObject({ state: "succeeded", result: { result: "ok" } });
      expect((await host.log(job.id)).join("\n")).toContain("Removed a lock that was left over");
      expect(await repository.locks(NAME)).toEqual([]);
    }));

  test("a living lock is shown with whose it is, waited for, and removed by one who says so", () =>
    stage.tell(async () => {
      const holder = await repository.holdLock(NAME);
      try {
        const looked = await run("unlock");
        expect(looked).toMatchObject({
          state: "succeeded",
          result: { removed_count: 0, remaining: [{ pid: holder.pid, state: "live" }] },
        });
        expect(await page()).toMatchObject({
          locks: { state: "locked", stale: false, locks: [{ pid: holder.pid }] },
        });
        const waits = await order("check");
        await until("the check waits for whoever it is", async () => {
          const job = await host.job(waits);
          return JSON.stringify(job).includes(`locked by process ${holder.pid} `);
        });
        await stage.server.api.call("POST", `/api/jobs/${waits}/cancel`, { parse: () => undefined }, {});
        expect(await host.finished(waits, 30)).toMatchObject({ state: "cancelled" });
        expect(order("unlock", { remove_all: true })).rejects.toThrow("confirm_host_name");
        const done = await run("unlock", { remove_all: true, confirm_host_name: HERE });
        expect(done).toMatchObject({ result: { removed_count: 1, remaining: [] } });
        expect(await page()).toMatchObject({ locks: { state: "free" } });
      } finally {
        holder.kill("SIGKILL");
        await holder.exited;
      }
    }));

  test("re-initialising wipes nothing, and says what to do", () =>
    stage.tell(async () => {
      const job = await run("reinit", { confirm_host_name: HERE });
      expect(job).toMatchObject({ kind: "init", state: "succeeded", result: { created: false } });
      expect((await host.log(job.id)).join("\n")).toContain("restic wipes nothing");
      await sameAsTheCli();
    }));

  test("what may delete is in no log of server or agent", () => {
    for (const name of ["server.log", join(`agent-${HERE}`, `agent-${HERE}.log`)]) {
      const log = readFileSync(join(stage.folder, name), "utf8");
      expect(log).not.toContain(BOSS.password);
    }
  });
});
