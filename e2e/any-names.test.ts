import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { CreatedJob } from "@restic-manager/protocol/api/jobs";
import { TreeFolder } from "@restic-manager/protocol/api/tree";
import type { ResticId } from "@restic-manager/protocol/ids";
import { anyName, asListed } from "../agent/testing/any-name.ts";
import { FIRST_DRAFT, requestOf } from "../console/restore/draft.ts";
import { NOTHING_PICKED, tickOf, toggle, type Picked, type Picks } from "../console/restore/picks.ts";
import { pickedOf, TreeBook } from "../console/restore/tree-book.ts";
import type { HostOnStage } from "./stage/host.ts";
import { RealRepository } from "./stage/real-repository.ts";
import { Stage } from "./stage/stage.ts";
import { until } from "./stage/until.ts";

/**
 * Whatever things are called: backed up, shown by the console's own book of folders, ticked by its own rules, restored, and compared.
 * Real restic, agent, server and rest-server.
 */

setDefaultTimeout(300_000);
const NAMES = 240;
const ROUNDS = 6;

let stage: Stage;
let repository: RealRepository;
let host: HostOnStage;
let source: string;
let snapshotId: ResticId;
let book: TreeBook;

beforeAll(async () => {
  stage = await Stage.open();
  repository = await RealRepository.start(stage.folder);
  source = join(stage.folder, "any");
  writeTree(
    Buffer.from(source),
    fc.sample(fc.uniqueArray(anyName, sized(NAMES)), { numRuns: 1, seed: 23 })[0] ?? [],
  );
  host = await stage.addReadyHost(repository.casting("named", [source]));
  await host.finished((await host.backUp()).id, 90);
  await host.atRest();
  snapshotId = await until("the snapshot is listed", async () => (await host.snapshots())[0]?.id);
  const ask = (query: Record<string, string>): Promise<TreeFolder> =>
    stage.server.api.call(
      "GET",
      `/api/hosts/${host.id}/snapshots/${snapshotId}/tree?${new URLSearchParams(query).toString()}`,
      TreeFolder,
    );
  await until("the index is there", async () => (await ask({ path: "/", indexed: "true" })).indexed);
  book = new TreeBook({
    ask: ({ limit: _limit, ...wanted }) => ask({ ...wanted, limit: "17" }),
    after: () => () => undefined,
  });
}, 180_000);
afterAll(async () => {
  await repository?.stop();
  await stage?.strike();
});

function sized(count: number) {
  return { minLength: count, maxLength: count };
}

const below = (folder: Buffer, name: string): Buffer =>
  Buffer.concat([folder, Buffer.from("/"), Buffer.from(name, "latin1")]);

/** Some names are folders with the others in them, three deep; every sixth of those is empty. What a file says is its name. */
function writeTree(root: Buffer, names: readonly string[]): void {
  mkdirSync(root);
  const folders = [root];
  for (const [at, name] of names.entries()) {
    const path = below(folders[at % folders.length] ?? root, name);
    if (at % 6 !== 0) writeFileSync(path, Buffer.from(name, "latin1"));
    else {
      mkdirSync(path);
      if (at % 36 !== 0 || at === 0) folders.push(path);
    }
  }
}

/** Files and empty folders below a folder, in bytes as latin1 from there, with what files say. */
function leavesOf(root: string): Map<string, string | null> {
  const leaves = new Map<string, string | null>();
  const walk = (folder: Buffer, shown: string): void => {
    const inside = readdirSync(folder, { encoding: "buffer" });
    if (inside.length === 0) leaves.set(shown, null);
    for (const one of inside) {
      const name = Buffer.from(one).toString("latin1");
      const path = below(folder, name);
      const said = `${shown}/${name}`;
      if (lstatSync(path).isDirectory()) walk(path, said);
      else leaves.set(said, readFileSync(path).toString("latin1"));
    }
  };
  walk(Buffer.from(root), "");
  return leaves;
}

/** Everything the book can show below a folder, each thing once, as somebody sees it who opens all folders. */
async function shownBelow(folder: string): Promise<Picked[]> {
  const shown = new Map<string, Picked>();
  const left = [folder];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    expect([at, await book.loadAll(at)]).toEqual([at, true]);
    for (const entry of book.folder(at)?.items ?? []) {
      const one = pickedOf(at, entry);
      if (one.folder && !shown.has(one.path)) left.push(one.path);
      shown.set(one.path, one);
    }
  }
  return [...shown.values()];
}

const isWithin = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

/** By the text that stands for it in the console. */
const textOf = (leaf: string) => source + leaf.split("/").map(asListed).join("/");

test("what is shown is what is there, whatever its name", () =>
  stage.tell(async () => {
    const shown = new Set((await shownBelow(source)).map(({ path }) => path));
    const there = new Set<string>();
    for (const leaf of leavesOf(source).keys()) {
      const parts = leaf.split("/");
      for (let end = 2; end <= parts.length; end += 1) there.add(textOf(parts.slice(0, end).join("/")));
    }
    expect([...shown].toSorted()).toEqual([...there].toSorted());
  }));

test("whatever is ticked and unticked comes back, and nothing else", () =>
  stage.tell(async () => {
    const shown = await shownBelow(source);
    const leaves = leavesOf(source);
    let round = 0;
    const presses = fc.array(fc.constantFrom(...shown), { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(presses, async (pressed) => {
        let picks: Picks = NOTHING_PICKED;
        const wanted = new Set<string>();
        for (const entry of pressed) {
          const takes = tickOf(picks, entry.path) !== "all";
          for (const leaf of leaves.keys())
            if (isWithin(textOf(leaf), entry.path)) {
              if (takes) wanted.add(leaf);
              else wanted.delete(leaf);
            }
          const toggled = toggle(picks, entry, book.known);
          if (!toggled.ok) throw new Error(`${entry.path}: ${toggled.why}`);
          picks = toggled.picks;
        }
        if (picks.chosen.size === 0) return;
        round += 1;
        const folder = join(stage.folder, `back ${round}`);
        const body = requestOf({ snapshotId, picks, draft: { ...FIRST_DRAFT, folder } });
        const { job } = await stage.server.api.call(
          "POST",
          `/api/hosts/${host.id}/restore`,
          CreatedJob,
          body,
        );
        expect(await host.finished(job.id, 90)).toMatchObject({
          state: "succeeded",
          result: { issue_count: 0 },
        });
        const back = leavesOf(join(folder, source));
        rmSync(folder, { recursive: true });
        expect([...back.keys()].toSorted()).toEqual([...wanted].toSorted());
        for (const [leaf, said] of back) expect([leaf, said]).toEqual([leaf, leaves.get(leaf) ?? null]);
      }),
      { numRuns: ROUNDS, seed: 5, endOnFailure: true },
    );
  }));

test("a file of any name and a folder with all of them come as downloads", () =>
  stage.tell(async () => {
    const ask = (path: string, as: "file" | "tar") => {
      const query = new URLSearchParams({ path, as }).toString();
      return stage.server.api.ask("GET", `/api/hosts/${host.id}/snapshots/${snapshotId}/download?${query}`);
    };
    const leaves = leavesOf(source);
    const into = join(stage.folder, "untarred");
    mkdirSync(into);
    const tar = Bun.spawn(["tar", "-x", "-C", into], { stdin: await ask(source, "tar"), stderr: "inherit" });
    expect(await tar.exited).toBe(0);
    expect(leavesOf(join(into, source))).toEqual(leaves);
    const files = [...leaves].filter(([, said]) => said !== null);
    for (const [leaf, said] of files.filter((_, at) => at % 20 === 0)) {
      const path = textOf(leaf);
      const answer = await ask(path, "file");
      // Such bytes restic cannot be given: the folder around them is offered.
      const status = path.includes("\ufffd") ? 422 : 200;
      expect([path, answer.status]).toEqual([path, status]);
      const body = Buffer.from(await answer.arrayBuffer()).toString("latin1");
      if (status === 200) expect([path, body]).toEqual([path, said ?? ""]);
    }
  }));
