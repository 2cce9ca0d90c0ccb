import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ResticId } from "@restic-manager/protocol/ids";
import { TreeAnswer, type TreeQuestion } from "@restic-manager/protocol/tree";
import type { ResticContext } from "@restic-manager/restic/context";
import { testFolder, type TestFolder } from "@restic-manager/restic/testing/context";
import {
  copiedRepository,
  repositoryTemplate,
  snapshotOf,
} from "@restic-manager/restic/testing/real-repository";
import { manualTimers, type ManualTimers } from "../testing/timers.ts";
import { Browser } from "./browser.ts";

setDefaultTimeout(120_000);

const NAMES = ["new\nline", "star*[?]", "-dash", " lead", "trail ", "back\\slash", "\u{1f600}", "Report.PDF"];

let template: TestFolder;
let folder: TestFolder;
let context: ResticContext;
let timers: ManualTimers;
let browser: Browser;
let source: string;
let snapshot: ResticId;
beforeAll(async () => {
  template = await repositoryTemplate();
  folder = testFolder();
  context = copiedRepository(template, folder.path);
  source = join(folder.path, "src");
  mkdirSync(join(source, "empty"), { recursive: true });
  mkdirSync(join(source, "odd"));
  for (const name of NAMES) writeFileSync(join(source, "odd", name), name);
  writeFileSync(Buffer.concat([Buffer.from(join(source, "odd/caf")), Buffer.from([0xe9])]), "latin");
  snapshot = ResticId.parse((await snapshotOf(context, { includes: [source], tags: [], host: "h" })).id);
});
afterAll(() => {
  template.remove();
  folder.remove();
});
beforeEach(() => {
  timers = manualTimers();
  browser = made();
});
afterEach(async () => {
  await browser.stop();
  rmSync(join(folder.path, "browse"), { recursive: true });
});

function made(restic: ResticContext = context): Browser {
  return new Browser({
    folder: join(folder.path, "browse"),
    restic: () => ({ ok: true, context: restic }),
    hostName: () => "h",
    timers,
  });
}

let asked = 0;
type Ask = TreeQuestion extends infer Q
  ? Q extends TreeQuestion
    ? Omit<Q, "request_id" | "deadline_ms">
    : never
  : never;
async function ask(question: Ask): Promise<TreeAnswer> {
  const whole = { request_id: `q${asked++}`, deadline_ms: 60_000, ...question } as TreeQuestion;
  return TreeAnswer.parse(await browser.ask(whole));
}
const list = (path: string, from = 0, limit = 1_000) =>
  ask({ type: "tree.list", snapshot_id: snapshot, path, from, limit });

function page(answer: TreeAnswer) {
  if (answer.type !== "tree.list.result") throw new Error(JSON.stringify(answer));
  return answer.page;
}

test("the first folder comes at once, every later one from the index, and they say the same", async () => {
  const first = page(await list(join(source, "odd")));
  // A later page is read from the index only, so it is there then.
  const tail = page(await list(join(source, "odd"), 1));
  const second = page(await list(join(source, "odd")));
  expect(second.indexed).toBeTrue();
  const names = (given: typeof first) => given.entries.map(({ below: _below, ...entry }) => entry);
  expect(names(second)).toEqual(names(first));
  expect(second.total).toBe(first.total);
  expect(tail.entries).toEqual(second.entries.slice(1));
  expect(second.entries.map((entry) => entry.name).toSorted()).toEqual([...NAMES, "caf\ufffd"].toSorted());
  const top = page(await list(source));
  expect(top.entries.map(({ name, below }) => [name, below?.entries])).toEqual([
    ["empty", 0],
    ["odd", 9],
  ]);
  expect(page(await list(join(source, "empty")))).toMatchObject({ entries: [], total: 0, next: null });
});

test("a search goes through the whole snapshot", async () => {
  const answer = await ask({
    type: "tree.search",
    snapshot_id: snapshot,
    query: "report",
    below: "/",
    limit: 10,
  });
  if (answer.type !== "tree.search.result") throw new Error(JSON.stringify(answer));
  expect(answer.page.entries.map((entry) => entry.path)).toEqual([join(source, "odd/Report.PDF")]);
});

test("the versions of a file are those of this machine's snapshots", async () => {
  const answer = await ask({ type: "tree.versions", path: join(source, "odd/star*[?]") });
  if (answer.type !== "tree.versions.result") throw new Error(JSON.stringify(answer));
  expect(answer.versions.map((version) => [version.snapshot_id, version.size])).toEqual([[snapshot, 8]]);
});

test("what is not there is said to be missing, with an index and without", async () => {
  const failedWith = (answer: TreeAnswer) =>
    answer.type === "tree.failed" ? answer.error.code : answer.type;
  expect(failedWith(await list("/no/such/folder"))).toBe("path_missing");
  await list(source, 1);
  expect(failedWith(await list("/no/such/folder"))).toBe("path_missing");
  const unknown = ResticId.parse("f".repeat(64));
  expect(
    failedWith(await ask({ type: "tree.list", snapshot_id: unknown, path: "/", from: 0, limit: 1 })),
  ).toBe("snapshot_missing");
});

test("a question that nobody waits for, or that takes too long, ends", async () => {
  const leaving = browser.ask({ type: "tree.versions", request_id: "x", deadline_ms: 60_000, path: source });
  browser.leave("x");
  expect(await leaving).toMatchObject({ type: "tree.failed", error: { code: "cancelled" } });
  const slow = browser.ask({
    type: "tree.list",
    request_id: "y",
    deadline_ms: 1_000,
    snapshot_id: snapshot,
    path: source,
    from: 1,
    limit: 1,
  });
  timers.advance(1_000);
  expect(await slow).toMatchObject({ type: "tree.failed", error: { code: "indexing" } });
});

test("an agent that stops leaves no half-written index", async () => {
  const asking = list(source, 1);
  await browser.stop();
  expect(await asking).toMatchObject({ type: "tree.failed" });
  expect(readdirSync(join(folder.path, "browse"))).toEqual([]);
});

test("more questions than anybody asks are turned away", async () => {
  const answers = Promise.all(Array.from({ length: 40 }, () => list(source)));
  const codes = (await answers).map((answer) => (answer.type === "tree.failed" ? answer.error.code : "ok"));
  expect(codes.filter((code) => code === "busy")).toHaveLength(8);
  expect(codes.filter((code) => code === "ok")).toHaveLength(32);
});

test("a folder that restic cannot be asked for is waited for from the index", async () => {
  const odd = join(source, "caf\ufffd");
  expect(await list(odd)).toMatchObject({ type: "tree.failed", error: { code: "path_missing" } });
});
