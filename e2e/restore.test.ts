import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ChangesPage } from "@restic-manager/protocol/api/diff";
import { CreatedJob, Job } from "@restic-manager/protocol/api/jobs";
import { Problem } from "@restic-manager/protocol/api/errors";
import { Restores } from "@restic-manager/protocol/api/restore";
import type { ResticId } from "@restic-manager/protocol/ids";
import { jobKinds } from "@restic-manager/protocol/jobs";
import { factsOf, oddTree } from "../agent/testing/odd-tree.ts";
import { RealRepository } from "./stage/real-repository.ts";
import { Stage } from "./stage/stage.ts";
import type { HostOnStage } from "./stage/host.ts";
import { until } from "./stage/until.ts";

/** Getting it back, with real processes at every end: issue 5, section 2. */

setDefaultTimeout(180_000);

const MANY = 60;
const EACH = 1_000_000;

let stage: Stage;
let repository: RealRepository;
let host: HostOnStage;
let data: string;
let snapshotId: ResticId;

beforeAll(async () => {
  stage = await Stage.open();
  repository = await RealRepository.start(stage.folder);
  data = join(stage.folder, "data");
  mkdirSync(join(data, "odd"), { recursive: true });
  oddTree(join(data, "odd"));
  mkdirSync(join(data, "many"));
  const block = new Uint8Array(50_000);
  for (let i = 0; i < MANY; i += 1)
    writeFileSync(
      join(data, "many", `f${i}`),
      Buffer.concat(Array.from({ length: EACH / 50_000 }, () => crypto.getRandomValues(block).slice())),
    );
  host = await stage.addReadyHost(repository.casting("restored", [data]));
  await host.finished((await host.backUp()).id, 60);
  snapshotId = await newest();
}, 180_000);
afterAll(async () => {
  await repository?.stop();
  await stage?.strike();
});

async function newest(): Promise<ResticId> {
  await host.atRest();
  return await until("the snapshot is listed", async () => (await host.snapshots())[0]?.id);
}

async function order(path: string, body: unknown): Promise<Job> {
  return (await stage.server.api.call("POST", `/api/hosts/${host.id}/${path}`, CreatedJob, body)).job;
}

const restored = async (body: object) => {
  const job = await host.finished((await order("restore", { snapshot_id: snapshotId, ...body })).id, 90);
  if (job.kind !== "restore" || job.state !== "succeeded") throw new Error(JSON.stringify(job));
  return jobKinds.restore.result.parse(job.result);
};

const caps = (downloadKiB: number) =>
  stage.server.api.call(
    "PUT",
    `/api/hosts/${host.id}/bandwidth`,
    { parse: () => undefined },
    downloadKiB === 0 ? {} : { download_kib_per_s: downloadKiB },
  );

async function slowly(work: () => Promise<void>): Promise<void> {
  await caps(6_000);
  await until("the cap is there", async () => {
    const { config } = await host.look();
    return config.version === config.applied_version;
  });
  try {
    await work();
  } finally {
    await caps(0);
  }
}

const audit = (action: string) =>
  stage.store((db) =>
    db.selectFrom("audit").selectAll().where("action", "=", action).orderBy("at").execute(),
  );

test("deleted files come back in place, as they were, and the record says who and what", () =>
  stage.tell(async () => {
    const before = factsOf(join(data, "odd"));
    rmSync(join(data, "odd"), { recursive: true });
    const paths = [join(data, "odd")];
    const refused = await stage.server.api.ask("POST", `/api/hosts/${host.id}/restore`, {
      snapshot_id: snapshotId,
      paths,
      target: { kind: "in_place" },
      delete: true,
    });
    expect(refused.status).toBe(422);
    expect(Problem.parse(await refused.json()).fields).toMatchObject({
      confirm_host: expect.stringContaining(host.name),
      confirm_delete: expect.stringContaining(host.name),
    });
    const result = await restored({ paths, target: { kind: "in_place" }, confirm_host: host.name });
    expect(result).toMatchObject({ in_place: true, complete: true, issue_count: 0 });
    expect(factsOf(join(data, "odd"))).toEqual(before);
    const [row] = await audit("host.restore");
    expect(row).toMatchObject({ actor_name: "admin", target_name: host.name });
    expect(JSON.parse(row?.detail ?? "")).toMatchObject({
      snapshot_id: snapshotId,
      paths: JSON.stringify(paths[0]),
      target: "in place",
    });
  }));

test("the server is killed in the middle: the restore ends well and is reported", () =>
  stage.tell(() =>
    slowly(async () => {
      const { id } = await order("restore", { snapshot_id: snapshotId, paths: [join(data, "many")] });
      await until("some of it is there", async () => {
        const job = await host.job(id);
        return job.kind === "restore" && job.state === "running" && (job.progress?.bytes_done ?? 0) > 0;
      });
      await stage.server.kill();
      await until("the agent has the outcome", () => host.agent.stateOf(id) === "finished", 60);
      await stage.server.start();
      const job = await host.finished(id, 60);
      expect(job).toMatchObject({ state: "succeeded", result: { complete: true, issue_count: 0 } });
      const { where } = jobKinds.restore.result.parse("result" in job ? job.result : undefined);
      expect(factsOf(join(where, data, "many"))).toEqual(factsOf(join(data, "many")));
      expect(where).toEndWith(id);
    }),
  ));

test("cancelled half-way, what is there is told; then all of it comes", () =>
  stage.tell(async () => {
    const paths = [join(data, "many")];
    const target = { kind: "folder", path: join(stage.folder, "by-hand") };
    await slowly(async () => {
      const { id } = await order("restore", { snapshot_id: snapshotId, paths, target });
      await until("some of it is there", async () => {
        const job = await host.job(id);
        return job.kind === "restore" && job.state === "running" && (job.progress?.bytes_done ?? 0) > 0;
      });
      await stage.server.api.call("POST", `/api/jobs/${id}/cancel`, Job, {});
      const job = await host.finished(id, 60);
      expect(job).toMatchObject({ state: "cancelled", left: { complete: false, where: target.path } });
      expect(readdirSync(join(target.path, data, "many")).length).toBeGreaterThan(0);
    });
    rmSync(target.path, { recursive: true });
    expect(await restored({ paths, target })).toMatchObject({ complete: true });
    expect(factsOf(join(target.path, data, "many"))).toEqual(factsOf(join(data, "many")));
    const { items } = await stage.server.api.call("GET", `/api/hosts/${host.id}/restore`, Restores);
    expect(items[0]).toMatchObject({ request: { paths, target }, job: { state: "succeeded" } });
  }));

test("a restore goes before backups that wait", () =>
  stage.tell(async () => {
    host.agent.signal("SIGSTOP");
    const backup = await host.backUp();
    const wish = { snapshot_id: snapshotId, paths: [join(data, "odd")], when_offline: "wait" };
    const first = await host.backUp();
    const { id } = await order("restore", wish);
    host.agent.signal("SIGCONT");
    const [a, b, c] = [
      await host.finished(backup.id, 60),
      await host.finished(first.id, 60),
      await host.finished(id, 60),
    ];
    expect(c.state).toBe("succeeded");
    // The one that had begun already goes on.
    expect(Date.parse(c.finished_at)).toBeLessThan(Date.parse(b.finished_at));
    expect([a.state, b.state]).toEqual(["succeeded", "succeeded"]);
  }));

const link = (path: string, as: string) =>
  `/api/hosts/${host.id}/snapshots/${snapshotId}/download?${new URLSearchParams({ path, as }).toString()}`;

test("a file and a folder come to the browser, byte for byte, and are recorded", () =>
  stage.tell(async () => {
    const { api } = stage.server;
    const file = await api.ask("GET", link(join(data, "many/f1"), "file"));
    expect(file.headers.get("content-disposition")).toContain('attachment; filename="f1"');
    expect(Buffer.from(await file.arrayBuffer()).equals(readFileSync(join(data, "many/f1")))).toBe(true);
    const folder = await api.ask("GET", link(join(data, "many"), "tar"));
    const into = join(stage.folder, "untarred");
    mkdirSync(into);
    const tar = Bun.spawn(["tar", "-x", "-C", into], { stdin: folder, stdout: "ignore", stderr: "pipe" });
    expect(await tar.exited).toBe(0);
    expect(readdirSync(join(into, data, "many")).toSorted()).toEqual(
      readdirSync(join(data, "many")).toSorted(),
    );
    for (const name of readdirSync(join(data, "many")))
      expect(
        readFileSync(join(into, data, "many", name)).equals(readFileSync(join(data, "many", name))),
      ).toBe(true);
    const gone = await api.ask("GET", link(join(data, "gone"), "file"));
    expect([gone.status, Problem.parse(await gone.json()).code]).toEqual([404, "not_found"]);
    const odd = await api.ask("GET", link(join(data, "odd/names/caf\ufffd"), "file"));
    expect(odd.status).toBe(422);
    const rows = await audit("file.downloaded");
    expect(rows.map((row) => JSON.parse(row.detail) as object)).toMatchObject([
      { path: join(data, "many/f1"), as: "file", snapshot_id: snapshotId },
      { path: join(data, "many"), as: "tar" },
      { path: join(data, "gone") },
    ]);
  }));

test("a browser that reads slowly holds restic back, and one that leaves ends it", () =>
  stage.tell(async () => {
    const dumps = (): number =>
      Bun.spawnSync(["ps", "-eo", "args"])
        .stdout.toString()
        .split("\n")
        .filter((line) => line.includes(" dump --no-lock") && line.includes(stage.folder)).length;
    const answer = await stage.server.api.ask("GET", link(join(data, "many"), "tar"));
    const reader = answer.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    // All of it is 60 MB; what may be on its way is far less, and restic waits with the rest.
    await until("it runs", () => dumps() === 1);
    // Time enough for another one, from its beginning to its end.
    const other = await stage.server.api.ask("GET", link(join(data, "many/f2"), "file"));
    expect((await other.arrayBuffer()).byteLength).toBe(EACH);
    expect(dumps()).toBe(1);
    await reader?.cancel();
    await until("restic is gone", () => dumps() === 0, 20);
  }));

test("an agent that dies in the middle breaks the download off: a part never passes for the whole", () =>
  stage.tell(async () => {
    const answer = await stage.server.api.ask("GET", link(join(data, "many"), "tar"));
    const reader = answer.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    await host.agent.kill();
    const rest = async (): Promise<string> => {
      for (;;) if ((await reader?.read())?.done !== false) return "ended as if it were whole";
    };
    expect(await rest().catch(() => "broken off")).toBe("broken off");
    host.agent.start();
    await host.online();
  }));

test("a comparison is told while it runs, kept, and found by its parts", () =>
  stage.tell(async () => {
    writeFileSync(join(data, "odd/new"), "new");
    writeFileSync(join(data, "odd/private"), "other");
    rmSync(join(data, "many/f0"));
    const saved = await host.finished((await host.backUp()).id, 60);
    const after = jobKinds.backup.result.parse("result" in saved ? saved.result : undefined).snapshot_id;
    await until("it is listed", async () => (await host.snapshots()).some(({ id }) => id === after));
    const { id } = await order("snapshots/diff", { to: after });
    const job = await host.finished(id, 60);
    if (job.kind !== "diff" || job.state !== "succeeded") throw new Error(JSON.stringify(job));
    expect(job.result).toMatchObject({
      to: after,
      truncated: false,
      sizes_known: true,
      counts: { added: 1, removed: 1 },
    });
    const changes = (query: string) =>
      stage.server.api.call("GET", `/api/jobs/${id}/changes?${query}`, ChangesPage);
    const { items } = await changes("kind=added,removed");
    expect(items).toEqual([
      { path: join(data, "many/f0"), kind: "removed", is_folder: false, size_before: EACH },
      { path: join(data, "odd/new"), kind: "added", is_folder: false, size_after: 3 },
    ]);
    expect((await changes("q=PRIV")).items).toMatchObject([
      { kind: "modified", size_before: 6, size_after: 5 },
    ]);
    expect((await changes(`below=${join(data, "many")}`)).total).toBe(1);
  }));
