import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { FileVersions, TreeFolder, TreeFound } from "@restic-manager/protocol/api/tree";
import { Problem } from "@restic-manager/protocol/api/errors";
import type { HostOnStage } from "./stage/host.ts";
import { RealRepository } from "./stage/real-repository.ts";
import { Stage } from "./stage/stage.ts";
import { until } from "./stage/until.ts";

/** What is in a snapshot, by the API: real server, agent, restic and rest-server. */

setDefaultTimeout(120_000);

const ODD = [
  "new\nline",
  "tab\t",
  "star*[?]",
  "-dash",
  " lead",
  "trail ",
  "back\\slash",
  "%2F&?#",
  "\u{1f600}",
  "Ünï",
];
let stage: Stage;
let repository: RealRepository;
let host: HostOnStage;
let source: string;
let snapshot: string;

beforeAll(async () => {
  stage = await Stage.open();
  repository = await RealRepository.start(stage.folder);
  source = join(stage.folder, "source");
  writeOddTree(source);
  host = await stage.addReadyHost(repository.casting("browsed", [source]));
  snapshot = await backedUp();
});
afterAll(async () => {
  await repository?.stop();
  await stage?.strike();
});

function writeOddTree(folder: string): void {
  mkdirSync(join(folder, "empty"), { recursive: true });
  mkdirSync(join(folder, "many"));
  for (let n = 0; n < 60; n += 1) writeFileSync(join(folder, "many", `file ${n}`), "x".repeat(n));
  symlinkSync("many/file 1", join(folder, "link"));
  // A byte that is no UTF-8.
  writeFileSync(Buffer.concat([Buffer.from(join(folder, "caf")), Buffer.from([0xe9])]), "latin");
  const fuzzed = fc.sample(fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }), {
    seed: 5,
    numRuns: 120,
  });
  const names = fuzzed
    .map((name) => name.toWellFormed().replaceAll(/[\0/]/g, "_"))
    .filter((name) => !/^\.{1,2}$/.test(name));
  for (const [at, name] of new Set([...ODD, ...names]).values().toArray().entries()) {
    const path = join(folder, name);
    if (at % 3 === 0) {
      mkdirSync(path);
      writeFileSync(join(path, name), name);
    } else writeFileSync(path, name);
    utimesSync(path, 1_600_000_000 + at, 1_700_000_000 + at / 8);
  }
}

/** Backs up and gives the new snapshot's id once it is listed. */
async function backedUp(): Promise<string> {
  const job = await host.finished((await host.backUp()).id, 60);
  if (job.state !== "succeeded" || !("snapshot_id" in job.result)) throw new Error(JSON.stringify(job));
  const saved = job.result.snapshot_id;
  return await until(
    "the snapshot is listed",
    async () => (await host.snapshots()).find(({ id }) => id === saved)?.id,
  );
}

const at = (id: string, what: string) => `/api/hosts/${host.id}/snapshots/${id}/${what}`;
const folderOf = (id: string, path: string, more = "") =>
  host.server.api.call("GET", at(id, `tree?path=${encodeURIComponent(path)}${more}`), TreeFolder);
const indexed = (id: string) =>
  until("the index is there", async () => (await folderOf(id, "/", "&indexed=true")).indexed);

async function wholeFolder(path: string, limit: number): Promise<TreeFolder["items"]> {
  const items: TreeFolder["items"] = [];
  for (let cursor: string | null = "0"; cursor !== null;) {
    const page: TreeFolder = await folderOf(snapshot, path, `&limit=${limit}&cursor=${cursor}`);
    items.push(...page.items);
    cursor = page.next_cursor;
  }
  return items;
}

/** As a disk tells it. */
function onDisk(path: string) {
  const names = readdirSync(path, { encoding: "buffer" });
  const things = names.map((name) => {
    const stat = lstatSync(Buffer.concat([Buffer.from(`${path}/`), name]));
    const type = stat.isDirectory() ? "dir" : stat.isSymbolicLink() ? "symlink" : "file";
    return {
      name: name.toString("utf8"),
      type,
      size: type === "file" ? stat.size : 0,
      mode: stat.mode & 0o7777,
      mtime_ms: Math.floor(stat.mtimeMs),
      uid: stat.uid,
      gid: stat.gid,
    };
  });
  return things.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

test("every folder of odd names is shown as it lies on the disk, page by page", () =>
  stage.tell(async () => {
    await indexed(snapshot);
    const left = [source];
    let seen = 0;
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      const items = await wholeFolder(path, 7);
      seen += items.length;
      const shown = items.map(({ below: _below, mtime_ms, ...item }) => ({
        ...item,
        mtime_ms: Math.floor(mtime_ms),
      }));
      expect(shown.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(onDisk(path) as typeof shown);
      for (const { name, type } of items) if (type === "dir") left.push(join(path, name));
    }
    const { snapshot: total } = await folderOf(snapshot, "/");
    const parents = source.split("/").length - 1;
    expect(total?.entries).toBe(seen + parents);
  }));

test("a name is found by a part, a pattern or a path", () =>
  stage.tell(async () => {
    const search = async (q: string) =>
      (
        await host.server.api.call("GET", at(snapshot, `search?q=${encodeURIComponent(q)}`), TreeFound)
      ).items.map(({ path }) => path);
    expect(await search("AR*[?]")).toEqual([]);
    expect(await search("star")).toContain(join(source, "star*[?]"));
    expect((await search("many/file 5?")).toSorted()).toEqual(
      Array.from({ length: 10 }, (_, n) => join(source, `many/file 5${n}`)),
    );
    expect(await search("LINK")).toContain(join(source, "link"));
  }));

test("a folder is shown while a backup runs, from restic and then from the index", () =>
  stage.tell(async () => {
    writeFileSync(join(source, "large"), randomBytes(8 * 1024 * 1024));
    const { id } = await host.backUp({ upload_kib_per_s: 64 });
    await until("restic runs", () => host.agent.pidOf(id) !== undefined);
    const folder = join(host.agent.stateDir, "browse");
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    expect((await folderOf(snapshot, join(source, "many"))).total).toBe(60);
    await indexed(snapshot);
    const [file] = readdirSync(folder);
    expect(statSync(join(folder, file ?? "")).mode & 0o777).toBe(0o600);
    expect((await host.job(id)).state).toBe("running");
    await host.server.api.ask("POST", `/api/jobs/${id}/cancel`, {});
    expect((await host.finished(id, 60)).state).toBe("cancelled");
    rmSync(join(source, "large"));
  }));

test("the versions of a file are told, those of another host's snapshots are not", () =>
  stage.tell(async () => {
    const path = join(source, "star*[?]");
    writeFileSync(path, "changed since");
    const second = await backedUp();
    await repository.restic("browsed", ["backup", "--host", "somebody-else", source]);
    const answer = await host.server.api.call(
      "GET",
      `/api/hosts/${host.id}/versions?path=${encodeURIComponent(path)}`,
      FileVersions,
    );
    const told = answer.items.map((version) => `${version.snapshot_id} ${version.size}`);
    expect(told.toSorted()).toEqual([`${snapshot} 8`, `${second} 13`].toSorted());
  }));

test("a machine that is away says so and shows what was seen; back, it goes on from its index", () =>
  stage.tell(async () => {
    const seen = await folderOf(snapshot, source, "&limit=9");
    await host.agent.kill();
    await until("it is known to be away", async () => !(await host.look()).online);
    expect(await folderOf(snapshot, source, "&limit=9")).toEqual(seen);
    const answer = await host.server.api.ask("GET", at(snapshot, "tree?path=/nowhere"));
    expect(answer.status).toBe(503);
    const problem = Problem.parse(await answer.json());
    expect(problem).toMatchObject({ code: "host_offline" });
    expect(problem.folders).toContain(source);
    host.agent.start();
    await host.online();
    // No restic is needed for it: the repository may be gone.
    await repository.stop();
    expect((await folderOf(snapshot, source, "&limit=11")).indexed).toBe(true);
  }));
