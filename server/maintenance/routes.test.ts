import { expect, test } from "bun:test";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { RepoMaintenance } from "@restic-manager/protocol/api/maintenance";
import { RepositoryPage } from "@restic-manager/protocol/api/repository-page";
import type { HostId } from "@restic-manager/protocol/ids";
import { refreshHost } from "../hosts/refresh.ts";
import { createJob, jobIds } from "../jobs/create.ts";
import type { Database } from "../platform/db/schema.ts";
import { adminCredentialsRoom } from "../repositories/admin-routes.ts";
import { adminCredentials } from "../repositories/admin.ts";
import { sealCredentials } from "../repositories/credentials.ts";
import { callRoom, testParts } from "../testing/parts.ts";
import { addHost, addJob, addSourceGroup, newHostId, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { damageIn } from "../testing/upkeep.ts";
import { maintenanceRoom } from "./routes.ts";
import { noteTrouble } from "./trouble.ts";

const MINUTE = 60_000;
const REPOSITORY = "a".repeat(64);
const lock = {
  id: "1".repeat(64),
  hostname: "web",
  username: "root",
  pid: 7,
  exclusive: true,
  refreshed_at: "2026-11-21T11:00:00.000Z",
  age_seconds: 3_600,
  state: "expired",
};

function world(db: Database) {
  const parts = testParts(db);
  const nextId = jobIds(parts.clock);
  const room = maintenanceRoom({
    ...parts,
    createJob: (trx, job) => createJob(trx, { clock: parts.clock, nextId }, job),
    viewJob: (id) => Promise.resolve({ id } as Job),
  });
  const call = callRoom(room, "operator");
  const page = async (host: HostId) =>
    RepositoryPage.parse((await call("GET", `/api/hosts/${host}/repository`)).body);
  const host = async (given: Parameters<typeof addHost>[1] = {}) => {
    const id = await addHost(db, {
      protocol_version: 3,
      repository_id: REPOSITORY,
      timezone: "Europe/Berlin",
      ...given,
    });
    const everyday = { url: "rest:https://vault/a/", repository_password: "repo-pw" };
    await db
      .insertInto("repository_credentials")
      .values(sealCredentials(parts.seal, id, everyday, NOON))
      .execute();
    return id;
  };
  const keep = (id: string, policy: object) =>
    db
      .updateTable("source_groups")
      .set({ retention_policy: JSON.stringify(policy) })
      .where("id", "=", id as never)
      .execute();
  const admin = callRoom(adminCredentialsRoom(parts), "admin");
  const jobs = async () =>
    (await db.selectFrom("jobs").selectAll().orderBy("id").execute()).map((job) => ({
      kind: job.kind,
      input: JSON.parse(job.input) as unknown,
    }));
  const trail = async () =>
    (await db.selectFrom("audit").select(["action", "detail"]).orderBy("id").execute()).map((row) => ({
      action: row.action,
      detail: row.detail,
    }));
  return { ...parts, call, boss: callRoom(room, "admin"), page, host, keep, admin, jobs, trail };
}

const task = (cron: string, enabled = true) => ({ cron, enabled });
const settings = {
  forget: task("0 1 * * *"),
  prune: task("0 2 * * 0", false),
  check: { ...task("0 3 * * 0"), read_data_percent: 5 },
};

onEveryStore("a repository's maintenance", (open) => {
  test("has defaults, is saved whole, recorded once, and shown in the machine's own times", async () => {
    const db = await open();
    const { call, host, trail, published } = world(db);
    const id = await host();
    const path = `/api/hosts/${id}/repo-maintenance`;
    const first = RepoMaintenance.parse((await call("GET", path)).body);
    expect(first).toMatchObject({ updated_at: null, effective_timezone: "Europe/Berlin" });
    expect(first.forget.hindrance?.code).toBe("missing_retention");
    expect(first.prune.hindrance?.code).toBe("admin_creds_required");
    expect(first.check).toMatchObject({ enabled: true, hindrance: null, last_run: null });
    const saved = await call("PUT", path, settings);
    expect(saved.body).toMatchObject({
      forget: { next_run: { at: "2026-11-22T00:00:00.000Z", local: "2026-11-22T01:00:00+01:00" } },
      prune: { enabled: false, next_run: null },
      check: { read_data_percent: 5, next_run: { at: "2026-11-22T02:00:00.000Z" } },
      updated_at: "2026-11-21T12:00:00.000Z",
    });
    await call("PUT", path, settings);
    expect((await trail()).map((row) => row.action)).toEqual(["maintenance.updated"]);
    expect(published.filter(([topic]) => topic === "host.changed").length).toBeGreaterThan(0);
    expect((await call("PUT", `/api/hosts/${newHostId()}/repo-maintenance`, settings)).status).toBe(404);
  });

  test.each([
    ["forget.cron", { forget: task("@daily") }],
    ["prune.cron", { prune: task("0 0 30 2 *") }],
    ["check.read_data_percent", { check: { ...settings.check, read_data_percent: 101 } }],
    ["check.read_data_percent", { check: { ...settings.check, read_data_percent: "abc" } }],
  ])("refuses a bad %s by name (%#)", async (field, change) => {
    const db = await open();
    const { call, host } = world(db);
    const path = `/api/hosts/${await host()}/repo-maintenance`;
    const answer = await call("PUT", path, { ...settings, ...change });
    expect(answer).toMatchObject({ status: 422, body: { fields: { [field]: expect.any(String) } } });
  });

  test("is ordered by people: what may delete is named in the order and never part of it", async () => {
    const db = await open();
    const { call, host, keep, admin, jobs, trail, seal } = world(db);
    const id = await host();
    const [kept, unkept] = [await addSourceGroup(db, id, "etc"), await addSourceGroup(db, id, "srv")];
    const repo = `/api/hosts/${id}/repo`;
    expect(await call("POST", `${repo}/forget`, {})).toMatchObject({
      status: 400,
      body: { code: "missing_retention" },
    });
    expect(await call("POST", `${repo}/prune`, {})).toMatchObject({
      status: 400,
      body: { code: "admin_creds_required" },
    });
    await keep(kept, { keep_last: 3 });
    expect((await call("POST", `${repo}/forget`, { dry_run: true })).status).toBe(201);
    const put = await admin("PUT", `/api/hosts/${id}/admin-credentials`, {
      url: "rest:https://vault:8001/a/",
      username: "boss",
      password: "admin-secret",
    });
    expect(put).toMatchObject({ status: 200, body: { has_password: true, has_repository_password: false } });
    expect(JSON.stringify(put.body)).not.toContain("admin-secret");
    expect(await adminCredentials(db, seal, id)).toEqual({
      url: "rest:https://vault:8001/a/",
      username: "boss",
      password: "admin-secret",
      repository_password: "repo-pw",
    });
    for (const kind of ["forget", "prune", "check", "unlock"])
      expect((await call("POST", `${repo}/${kind}`, {})).status).toBe(201);
    const groups = [{ source_group_id: kept, source_group_name: "etc", retention_policy: { keep_last: 3 } }];
    const skipped = [{ source_group_id: unkept, source_group_name: "srv" }];
    expect(await jobs()).toEqual([
      { kind: "forget", input: { groups, skipped, dry_run: true, use_admin: false } },
      { kind: "forget", input: { groups, skipped, dry_run: false, use_admin: true } },
      { kind: "prune", input: { use_admin: true } },
      { kind: "check", input: { read_data_percent: 1 } },
      { kind: "unlock", input: { remove_all: false } },
    ]);
    // A second of a kind would only wait for the first; a preview does not count.
    expect(await call("POST", `${repo}/prune`, {})).toMatchObject({
      status: 409,
      body: { code: "conflict" },
    });
    expect((await call("POST", `${repo}/forget`, { dry_run: true })).status).toBe(201);
    const rows = await db.selectFrom("repository_credentials").selectAll().execute();
    const everything = JSON.stringify([await trail(), await jobs(), rows]);
    expect(everything).not.toContain("admin-secret");
    expect((await admin("DELETE", `/api/hosts/${id}/admin-credentials`)).status).toBe(204);
    expect((await admin("DELETE", `/api/hosts/${id}/admin-credentials`)).status).toBe(404);
  });

  test("a preview may try a policy that is not saved, for one group and only as a preview", async () => {
    const db = await open();
    const { call, host, jobs } = world(db);
    const id = await host();
    const group = await addSourceGroup(db, id, "etc");
    const path = `/api/hosts/${id}/repo/forget`;
    const wish = { dry_run: true, source_group_ids: [group], retention_policy: { daily: 7 } };
    expect((await call("POST", path, wish)).status).toBe(201);
    expect(await jobs()).toMatchObject([
      { input: { dry_run: true, groups: [{ retention_policy: { daily: 7 } }] } },
    ]);
    expect((await call("POST", path, { ...wish, dry_run: false })).status).toBe(422);
    expect((await call("POST", path, { ...wish, source_group_ids: undefined })).status).toBe(422);
    expect(await call("POST", path, { ...wish, source_group_ids: [newHostId()] })).toMatchObject({
      status: 422,
      body: { fields: { "source_group_ids.0": "is not a source group of this host" } },
    });
    expect((await call("POST", path, { ...wish, retention_policy: {} })).body).toMatchObject({
      code: "missing_retention",
    });
  });

  test("living locks are removed only by whoever types the host's name", async () => {
    const db = await open();
    const { call, host, jobs, trail } = world(db);
    const id = await host({ name: "web" });
    const path = `/api/hosts/${id}/repo/unlock`;
    for (const typed of [{}, { confirm_host_name: "Web" }])
      expect(await call("POST", path, { remove_all: true, ...typed })).toMatchObject({
        status: 422,
        body: { fields: { confirm_host_name: expect.any(String) } },
      });
    expect((await call("POST", path, { remove_all: true, confirm_host_name: "web" })).status).toBe(201);
    expect(await jobs()).toEqual([{ kind: "unlock", input: { remove_all: true } }]);
    expect(await trail()).toMatchObject([{ action: "job.run_now" }]);
  });

  test("an order for a machine that is away waits for it, or is refused when that is wished", async () => {
    const db = await open();
    const { call, host } = world(db);
    const id = await host({ online: 0 });
    const path = `/api/hosts/${id}/repo/check`;
    expect(await call("POST", path, { when_offline: "refuse" })).toMatchObject({ status: 503 });
    expect((await call("POST", path, {})).status).toBe(201);
  });

  test("the repository is made anew by an administrator who types the name, as a job and on the record", async () => {
    const db = await open();
    const { call, boss, host, jobs, trail } = world(db);
    const id = await host({ name: "web" });
    const path = `/api/hosts/${id}/repo/reinit`;
    expect((await call("POST", path, { confirm_host_name: "web" })).status).toBe(403);
    expect((await boss("POST", path, { confirm_host_name: "wb" })).status).toBe(422);
    expect((await boss("POST", path, { confirm_host_name: "web" })).status).toBe(201);
    expect(await jobs()).toEqual([{ kind: "init", input: { again: true } }]);
    expect(await trail()).toMatchObject([{ action: "host.repo_reinit" }]);
  });
});

onEveryStore("a repository's page", (open) => {
  test("of a host that has told nothing yet says so", async () => {
    const db = await open();
    const { call, page } = world(db);
    const bare = await addHost(db);
    expect(await page(bare)).toMatchObject({
      state: { state: "no_credentials" },
      repository_id: null,
      size: null,
      sizes: [],
      append_only: null,
      admin: null,
      locks: { state: "unknown" },
      run_now: { check: { code: "no_credentials" } },
      shared_with: [],
      turn: null,
    });
    expect((await call("GET", `/api/hosts/${newHostId()}/repository`)).status).toBe(404);
  });

  test("tells sizes, tags, runs, locks, what the everyday credentials may, and who shares it", async () => {
    const db = await open();
    const { host, page, call } = world(db);
    const id = await host({ name: "web", snapshot_count: 3, snapshots_taken_at: NOON });
    const other = await host({ name: "db" });
    for (const [n, total_size] of [100, 300, 200].entries())
      await db
        .insertInto("repository_stats")
        .values({
          host_id: id,
          taken_at: NOON - (3 - n) * MINUTE,
          total_size,
          total_uncompressed_size: null,
          blob_count: 5,
          snapshots_count: 3,
        })
        .execute();
    for (const [n, tags] of [["etc"], ["etc", "srv"], []].entries()) {
      const time = NOON - n * MINUTE;
      const body = {
        id: String(n).repeat(64),
        time: new Date(time).toISOString(),
        hostname: "web",
        username: "root",
        tags,
        paths: ["/etc"],
        paths_total: 1,
      };
      await db
        .insertInto("snapshots")
        .values({ host_id: id, id: body.id, time, body: JSON.stringify(body) })
        .execute();
    }
    const ended = (minutes: number, given: object) => ({
      created_at: NOON + minutes * MINUTE,
      started_at: NOON + minutes * MINUTE,
      finished_at: NOON + minutes * MINUTE,
      ...given,
    });
    await addJob(db, id, "failed", {
      ...ended(1, { kind: "forget", input: '{"groups":[],"dry_run":false,"use_admin":false}' }),
      error: JSON.stringify({ code: "append_only", message: "no" }),
    });
    const pruned = await addJob(db, id, "succeeded", {
      ...ended(2, { kind: "prune", input: '{"use_admin":true}' }),
      result: JSON.stringify({ freed_bytes: 77, duration_seconds: 2 }),
    });
    // Neither a run nor a word on locks: it takes none.
    await addJob(db, id, "succeeded", {
      ...ended(3, { kind: "forget", input: '{"groups":[],"dry_run":true,"use_admin":false}' }),
      result: JSON.stringify({ dry_run: true, groups: [] }),
    });
    const first = await page(id);
    expect(first).toMatchObject({
      size: { total_size: 200, blob_count: 5 },
      sizes: [{ total_size: 100 }, { total_size: 300 }, { total_size: 200 }],
      snapshots: {
        total: 3,
        by_tag: [
          { tag: "etc", count: 2, newest_at: "2026-11-21T12:00:00.000Z" },
          { tag: "srv", count: 1 },
          { tag: null, count: 1 },
        ],
      },
      append_only: { seen: true },
      maintenance: {
        forget: { last_run: { state: "failed", error: { code: "append_only" } }, last_success: null },
        prune: { last_success: { job_id: pruned, outcome: { freed_bytes: 77 } } },
      },
      locks: { state: "free", job_id: pruned },
      shared_with: [{ id: other, name: "db", online: true }],
    });
    // A shared repository: what the other host met stands in this one's way too.
    await addJob(db, other, "failed", {
      ...ended(4, { kind: "check" }),
      error: JSON.stringify({ code: "repository_locked", message: "locked", locks: [lock] }),
    });
    const running = await addJob(db, other, "running", { kind: "prune", input: '{"use_admin":true}' });
    await db
      .insertInto("repository_turns")
      .values({ repository: REPOSITORY, job_id: running, taken_at: NOON })
      .execute();
    expect(await page(id)).toMatchObject({
      locks: { state: "locked", stale: true, locks: [{ hostname: "web", pid: 7 }] },
      turn: { job_id: running, kind: "prune", host: { name: "db" } },
    });
    expect((await page(other)).active).toEqual([{ job_id: running, kind: "prune", state: "running" }]);
    const { body } = await call("GET", `/api/hosts/${id}/repo/stats?days=1`);
    expect((body as { items: unknown[] }).items).toHaveLength(3);
  });

  test("damage that a check found makes the host fail until a check finds none", async () => {
    const db = await open();
    const { host } = world(db);
    const id = await host();
    await addJob(db, id, "succeeded", { finished_at: NOON, result: '{"issue_count":0}' });
    const found = (at: number, result: object) =>
      addJob(db, id, "succeeded", {
        kind: "check",
        created_at: NOON + at,
        finished_at: NOON + at,
        result: JSON.stringify({ read_data_percent: 100, duration_seconds: 1, hints: [], ...result }),
      });
    const status = () =>
      db.transaction().execute(async (trx) => {
        await noteTrouble(trx, id);
        await refreshHost(trx, id);
        return await trx
          .selectFrom("hosts")
          .select(["status", "cause_code"])
          .where("id", "=", id)
          .executeTakeFirst();
      });
    expect(await status()).toMatchObject({ status: "protected" });
    await found(1_000, damageIn("b".repeat(64)));
    expect(await status()).toEqual({ status: "failed", cause_code: "repository_damaged" });
    // One that could not look proves nothing.
    await addJob(db, id, "failed", { kind: "check", created_at: NOON + 2_000, finished_at: NOON + 2_000 });
    expect(await status()).toEqual({ status: "failed", cause_code: "repository_damaged" });
    await found(3_000, { result: "ok" });
    expect(await status()).toMatchObject({ status: "protected" });
    await addJob(db, id, "failed", {
      kind: "prune",
      created_at: NOON + 4_000,
      finished_at: NOON + 4_000,
      error: JSON.stringify({ code: "repository_unreachable", message: "gone" }),
    });
    expect(await status()).toEqual({ status: "issues", cause_code: "repository_unreachable" });
  });
});
