import { expect, test } from "bun:test";
import { Job } from "@restic-manager/protocol/api/jobs";
import { Restores } from "@restic-manager/protocol/api/restore";
import { ResticId, type HostId, type JobId } from "@restic-manager/protocol/ids";
import { jobKinds, type JobResult } from "@restic-manager/protocol/jobs";
import { compareRoom } from "../compare/routes.ts";
import { recordChanges } from "../compare/record.ts";
import { createJob, jobIds } from "../jobs/create.ts";
import { findJob, findJobs } from "../jobs/jobs.ts";
import { ProgressBoard } from "../jobs/progress.ts";
import { recordJob } from "../jobs/record.ts";
import { nothingTouched } from "../link/touched.ts";
import { instant } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { chosenSnapshotsRoom } from "../snapshots/chosen-routes.ts";
import { callRoom, testParts } from "../testing/parts.ts";
import { addHost, addJob, newJobId, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { restoreRoom } from "./routes.ts";

const hex = (n: number) => ResticId.parse(n.toString(16).padStart(64, "0"));

function rooms(db: Database) {
  const parts = testParts(db);
  const nextId = jobIds(parts.clock);
  const progress = new ProgressBoard(parts.bus, async () => undefined);
  const announced: JobId[] = [];
  const all = {
    ...parts,
    hasCredentials: async () => true,
    hasAdmin: async () => true,
    isAppendOnly: async () => false,
    createJob: (...[trx, job]: Parameters<Parameters<typeof restoreRoom>[0]["createJob"]>) =>
      createJob(trx, { clock: parts.clock, nextId }, job),
    announceJob: (_hostId: HostId, jobId: JobId) => void announced.push(jobId),
    viewJob: (id: JobId) => findJob({ db, progress }, id),
    viewJobs: (ids: readonly JobId[]) => findJobs({ db, progress }, ids),
    begin: () => Promise.reject(new Error("not here")),
    isSessionAlive: async () => true,
    stopping: new AbortController().signal,
  };
  const trail = async () =>
    (await db.selectFrom("audit").selectAll().orderBy("id").execute()).map(({ action, detail }) => ({
      action,
      ...(JSON.parse(detail) as object),
    }));
  return {
    ...parts,
    announced,
    viewJob: all.viewJob,
    trail,
    restore: callRoom(restoreRoom(all), "operator"),
    compare: callRoom(compareRoom(all), "operator"),
    chosen: callRoom(chosenSnapshotsRoom(all), "operator"),
  };
}

async function addSnapshot(db: Database, hostId: HostId, n: number, change: object = {}): Promise<ResticId> {
  const time = NOON + n * 1_000;
  const body = {
    id: hex(n),
    time: instant(time),
    hostname: "a",
    tags: ["t"],
    paths: ["/srv"],
    paths_total: 1,
  };
  const row = { host_id: hostId, id: hex(n), time, body: JSON.stringify({ ...body, ...change }) };
  await db.insertInto("snapshots").values(row).execute();
  return hex(n);
}

onEveryStore("a restore", (open) => {
  test("is queued with what was asked, each path once, and recorded with its target", async () => {
    const db = await open();
    const { restore, trail, announced } = rooms(db);
    const host = await addHost(db, { name: "db1" });
    const snapshot_id = await addSnapshot(db, host, 1);
    const paths = ["/srv/a/", "/srv/a/b", "/srv/ab", "/srv/a", "/x"];
    const made = await restore("POST", `/api/hosts/${host}/restore`, { snapshot_id, paths });
    expect(made.status).toBe(201);
    const { job } = { job: Job.parse((made.body as { job: unknown }).job) };
    expect(job).toMatchObject({ kind: "restore", state: "queued" });
    expect(announced).toEqual([job.id]);
    const { items } = Restores.parse((await restore("GET", `/api/hosts/${host}/restore`)).body);
    expect(items).toMatchObject([
      {
        job: { id: job.id },
        request: { paths: ["/srv/a", "/srv/ab", "/x"], target: { kind: "folder" }, overwrite: "always" },
      },
    ]);
    expect(await trail()).toMatchObject([
      { action: "host.restore", snapshot_id, path_count: 3, target: "a new folder", delete: false },
    ]);
    const one = await restore("GET", `/api/hosts/${host}/restore/${job.id}`);
    expect(one.body).toMatchObject({ request: { snapshot_id } });
    expect((await restore("GET", `/api/hosts/${await addHost(db)}/restore/${job.id}`)).status).toBe(404);
  });

  test("that writes over or deletes files needs the host's name for each; a trial does not", async () => {
    const db = await open();
    const { restore, trail } = rooms(db);
    const host = await addHost(db, { name: "db1" });
    const snapshot_id = await addSnapshot(db, host, 1);
    const wish = { snapshot_id, paths: ["/"], target: { kind: "in_place" }, delete: true };
    const post = (more: object) => restore("POST", `/api/hosts/${host}/restore`, { ...wish, ...more });
    expect(await post({})).toMatchObject({
      status: 422,
      body: { fields: { confirm_host: expect.any(String), confirm_delete: expect.any(String) } },
    });
    expect(await post({ confirm_host: "db1", confirm_delete: "db2" })).toMatchObject({
      status: 422,
      body: { fields: { confirm_delete: expect.any(String) } },
    });
    expect(await trail()).toEqual([]);
    expect((await post({ dry_run: true })).status).toBe(201);
    expect((await post({ confirm_host: "db1", confirm_delete: "db1" })).status).toBe(201);
    const list = (query: string) => restore("GET", `/api/hosts/${host}/restore${query}`);
    expect(Restores.parse((await list("")).body).items.length).toBe(1);
    expect(Restores.parse((await list("?dry_runs=include")).body).items.length).toBe(2);
  });

  test("is refused for what is not there, is not connected, or is no place to go to", async () => {
    const db = await open();
    const { restore } = rooms(db);
    const host = await addHost(db, { online: 0, name: "db1" });
    const snapshot_id = await addSnapshot(db, host, 1);
    const post = (more: object) =>
      restore("POST", `/api/hosts/${host}/restore`, { snapshot_id, paths: ["/srv"], ...more });
    expect(await post({ snapshot_id: hex(9) })).toMatchObject({ status: 404 });
    expect(await post({})).toMatchObject({ status: 503, body: { code: "host_offline" } });
    expect((await post({ when_offline: "wait" })).status).toBe(201);
    for (const path of ["relative", "/a/../b", "", "/nul\0"])
      expect([path, (await post({ target: { kind: "folder", path } })).status]).toEqual([path, 422]);
    for (const paths of [[], ["relative"], ["/nul\0"]])
      expect([paths, (await post({ paths })).status]).toEqual([paths, 422]);
  });

  test("that was cancelled or failed shows what it left behind", async () => {
    const db = await open();
    const { restore } = rooms(db);
    const host = await addHost(db, { name: "db1" });
    const snapshot_id = await addSnapshot(db, host, 1);
    const left = jobKinds.restore.result.parse({
      files_total: 9,
      files_restored: 4,
      files_skipped: 0,
      files_deleted: 0,
      bytes_total: 90,
      bytes_restored: 40,
      bytes_skipped: 0,
      complete: false,
      dry_run: false,
      in_place: false,
      where: "/var/restic-restore/x",
      ownership_dropped: true,
      verified: false,
      duration_seconds: 2,
      issue_count: 0,
      issues: [],
      deleted: [],
      command: null,
    });
    for (const outcome of [
      { state: "cancelled" as const, left },
      { state: "failed" as const, error: { code: "disk_full" as const, message: "full" }, left },
      { state: "cancelled" as const, left: { nonsense: true } },
    ]) {
      const made = await restore("POST", `/api/hosts/${host}/restore`, { snapshot_id, paths: ["/"] });
      const { id: job_id } = Job.parse((made.body as { job: unknown }).job);
      const at = instant(NOON + 5_000);
      await db.transaction().execute((trx) =>
        recordJob(
          trx,
          host,
          {
            type: "job.finished",
            job_id,
            kind: "restore",
            started_at: at,
            finished_at: at,
            outcome,
            log_lines: 0,
          },
          nothingTouched(),
          NOON + 6_000,
        ),
      );
      const { body } = await restore("GET", `/api/hosts/${host}/restore/${job_id}`);
      const { job } = body as { job: { state: string; left?: unknown } };
      expect(job.state).toBe(outcome.state);
      expect(job.left).toEqual("complete" in outcome.left ? left : undefined);
    }
  });
});

onEveryStore("a comparison", (open) => {
  test("is with the one before of the same folders and tags, unless told", async () => {
    const db = await open();
    const { compare } = rooms(db);
    const host = await addHost(db);
    const first = await addSnapshot(db, host, 1, { tree: hex(101) });
    await addSnapshot(db, host, 2, { tags: ["other"] });
    await addSnapshot(db, host, 3, { paths: ["/etc"] });
    const last = await addSnapshot(db, host, 4);
    const post = (body: object) => compare("POST", `/api/hosts/${host}/snapshots/diff`, body);
    expect((await post({ to: last })).status).toBe(201);
    expect((await post({ from: hex(3), to: last })).status).toBe(201);
    expect(await post({ to: first })).toMatchObject({ status: 409 });
    expect(await post({ to: hex(77) })).toMatchObject({ status: 404 });
    const inputs = await db.selectFrom("jobs").select("input").orderBy("id").execute();
    expect(inputs.map(({ input }) => JSON.parse(input) as unknown)).toEqual([
      { from: first, to: last, from_tree: hex(101) },
      { from: hex(3), to: last },
    ]);
  });

  test("keeps what it found, each once, and gives it by kind, name and folder, page by page", async () => {
    const db = await open();
    const { compare } = rooms(db);
    const host = await addHost(db);
    const from = await addSnapshot(db, host, 1);
    const made = await compare("POST", `/api/hosts/${host}/snapshots/diff`, { from, to: from });
    const { id: job_id } = Job.parse((made.body as { job: unknown }).job);
    const changes = Array.from({ length: 300 }, (_, n) => ({
      path: n % 2 === 0 ? `/srv/100%_${n}` : `/srv/a/File${n}`,
      kind: n % 3 === 0 ? ("added" as const) : ("modified" as const),
      is_folder: false,
      ...(n === 1 ? { size_before: 5, size_after: 0, suspicious: true } : {}),
    }));
    const record = (hostId: HostId, first: number, id = job_id) =>
      db
        .transaction()
        .execute((trx) => recordChanges(trx, hostId, { type: "diff.changes", job_id: id, first, changes }));
    await record(host, 0);
    await record(host, 0);
    // Nobody else's, and no other job's.
    await record(await addHost(db), 300);
    await record(host, 0, newJobId());
    const page = async (query: string) =>
      (await compare("GET", `/api/jobs/${job_id}/changes?${query}`)).body as {
        items: unknown[];
        total: number;
        next_cursor: string | null;
      };
    const all: unknown[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const next: Awaited<ReturnType<typeof page>> = await page(
        `limit=130${cursor === "" ? "" : `&cursor=${cursor}`}`,
      );
      all.push(...next.items);
      expect(next.total).toBe(300);
      cursor = next.next_cursor;
    }
    expect(all).toEqual(changes);
    expect((await page("kind=added")).total).toBe(100);
    expect((await page("kind=added,modified&below=/srv/a")).total).toBe(150);
    expect((await page(`q=${encodeURIComponent("100%_")}`)).total).toBe(150);
    expect((await page("q=FILE299")).total).toBe(1);
    expect((await page("q=_ile")).total).toBe(0);
    expect(await page("limit=1")).toMatchObject({ from, to: from });
    expect((await compare("GET", `/api/jobs/${job_id}/changes?kind=nonsense`)).status).toBe(422);
    expect((await compare("GET", `/api/jobs/${newJobId()}/changes`)).status).toBe(404);
    await db.deleteFrom("jobs").where("id", "=", job_id).execute();
    expect(await db.selectFrom("diff_changes").select("n").execute()).toEqual([]);
  });
});

onEveryStore("changes", (open) => {
  test("whose names have letters outside ASCII are found, and folders that differ in capitals are two", async () => {
    const db = await open();
    const { compare } = rooms(db);
    const host = await addHost(db);
    const from = await addSnapshot(db, host, 1);
    const made = await compare("POST", `/api/hosts/${host}/snapshots/diff`, { from, to: from });
    const { id: job_id } = Job.parse((made.body as { job: unknown }).job);
    const changes = [
      "/srv/\u00dcbersicht.ods",
      "/srv/a",
      "/SRV/a",
      "/srv/\u{1f600}/b",
      "/srv/\u{1f600}x",
    ].map((path) => ({ path, kind: "added" as const, is_folder: false }));
    await db
      .transaction()
      .execute((trx) => recordChanges(trx, host, { type: "diff.changes", job_id, first: 0, changes }));
    const found = async (query: Record<string, string>) => {
      const asked = new URLSearchParams(query).toString();
      const { body } = await compare("GET", `/api/jobs/${job_id}/changes?${asked}`);
      return (body as { items: { path: string }[] }).items.map(({ path }) => path);
    };
    expect(await found({ q: "\u00dcber" })).toEqual(["/srv/\u00dcbersicht.ods"]);
    expect(await found({ below: "/SRV" })).toEqual(["/SRV/a"]);
    expect(await found({ below: "/srv/\u{1f600}/" })).toEqual(["/srv/\u{1f600}/b"]);
  });

  test("by folder are for operators: the job, which viewers see, has no name of a snapshot", async () => {
    const db = await open();
    const { compare, viewJob } = rooms(db);
    const host = await addHost(db);
    const from = await addSnapshot(db, host, 1);
    const none = { added: 0, removed: 0, modified: 0, metadata: 0, type_changed: 0 };
    const side = { files: 0, folders: 0, others: 0, bytes: 0 };
    const folders = [{ ...none, path: "/srv/secret project", added: 3, bytes: 9 }];
    const result: JobResult<"diff"> = {
      from,
      to: from,
      added: side,
      removed: side,
      counts: { ...none, added: 3 },
      kept: 0,
      truncated: false,
      sizes_known: true,
      folders,
      duration_seconds: 1,
    };
    const id = await addJob(db, host, "succeeded", {
      kind: "diff",
      input: JSON.stringify({ from, to: from }),
      result: JSON.stringify(result),
    });
    expect(JSON.stringify(await viewJob(id))).not.toContain("secret project");
    const page = async (query = "") => (await compare("GET", `/api/jobs/${id}/changes${query}`)).body;
    expect(await page()).toMatchObject({ from, to: from, folders });
    expect(await page("?kind=added")).not.toHaveProperty("folders");
  });
});

onEveryStore("chosen snapshots", (open) => {
  test("are tagged and forgotten by jobs, with the name typed, and only the host's own", async () => {
    const db = await open();
    const { chosen, trail } = rooms(db);
    const host = await addHost(db, { name: "db1" });
    const ids = [await addSnapshot(db, host, 1), await addSnapshot(db, host, 2)];
    const other = await addSnapshot(db, await addHost(db), 3);
    const post = (what: string, body: object) => chosen("POST", `/api/hosts/${host}/snapshots/${what}`, body);
    expect(
      (await post("tags", { snapshot_ids: [...ids, ids[0]], add: ["keep"], remove: ["old"] })).status,
    ).toBe(201);
    expect((await post("tags", { snapshot_ids: ids })).status).toBe(422);
    expect((await post("tags", { snapshot_ids: ids, add: ["a,b"] })).status).toBe(422);
    expect((await post("tags", { snapshot_ids: [other], add: ["x"] })).status).toBe(404);
    expect((await post("forget", { snapshot_ids: ids, confirm_host: "db2" })).status).toBe(422);
    expect((await post("forget", { snapshot_ids: ids, confirm_host: "db1" })).status).toBe(201);
    const jobs = await db.selectFrom("jobs").select(["kind", "input"]).orderBy("id").execute();
    expect(jobs.map(({ kind, input }) => [kind, JSON.parse(input)])).toEqual([
      ["tag", { snapshot_ids: ids, add: ["keep"], remove: ["old"], use_admin: true }],
      ["forget_snapshots", { snapshot_ids: ids, use_admin: true }],
    ]);
    expect(await trail()).toMatchObject([
      { action: "snapshots.tagged", snapshot_count: 2, add: "keep" },
      { action: "snapshots.forgotten", snapshot_count: 2 },
    ]);
  });
});
