import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TreeStore } from "./tree-store.ts";

let top: string;
let folder: string;
beforeAll(() => void (top = mkdtempSync(join(tmpdir(), "rm-trees-"))));
beforeEach(() => void (folder = mkdtempSync(join(top, "store-"))));
afterAll(() => rmSync(top, { recursive: true, force: true }));

const A = "a".repeat(64);
const B = "b".repeat(64);
const C = "c".repeat(64);

function build(store: TreeStore, tree: string, name: string): void {
  const made = store.begin(tree);
  made.writer.add({
    path: `/${name}`,
    name,
    type: "file",
    size: 1,
    mode: 0o644,
    mtime_ms: 1,
    uid: 0,
    gid: 0,
  });
  made.finish();
}
const names = (store: TreeStore, tree: string, now = 1_000) =>
  store.read(tree, now, (reader) => reader.page("/", 0, 10, 1_000).entries.map((entry) => entry.name));

test("a tree is there when it is whole, and its file is nobody else's", async () => {
  const store = new TreeStore(folder, 1_000_000);
  const made = store.begin(A);
  expect(await names(store, A)).toBeUndefined();
  made.finish();
  expect(await names(store, A)).toEqual([]);
  expect(statSync(join(folder, `${A}.tree`)).mode & 0o777).toBe(0o600);
});

test("what a crash left half-written is thrown away at the next start", async () => {
  const store = new TreeStore(folder, 1_000_000);
  const made = store.begin(A);
  for (let n = 0; n < 5_000; n += 1)
    made.writer.add({
      path: `/f${n}`,
      name: "",
      type: "file",
      size: 1,
      mode: 0,
      mtime_ms: 1,
      uid: 0,
      gid: 0,
    });
  made.writer.abandon();
  expect(readdirSync(folder)).toEqual([`${A}.begun`]);
  const next = new TreeStore(folder, 1_000_000);
  expect(readdirSync(folder)).toEqual([]);
  expect(await names(next, A)).toBeUndefined();
});

test("a damaged file is removed, and made again", async () => {
  const store = new TreeStore(folder, 1_000_000);
  writeFileSync(join(folder, `${A}.tree`), "this is no database, whatever its name says");
  expect(await names(store, A)).toBeUndefined();
  expect(readdirSync(folder)).toEqual([]);
  build(store, A, "again");
  expect(await names(store, A)).toEqual(["again"]);
  chmodSync(join(folder, `${A}.tree`), 0o600);
});

test("the tree that was not used for longest makes room", async () => {
  const store = new TreeStore(folder, 40_000);
  build(store, A, "a");
  await names(store, A, 1_000);
  build(store, B, "b");
  await names(store, B, 2_000);
  await names(store, A, 3_000);
  const each = statSync(join(folder, `${A}.tree`)).size;
  expect(2 * each).toBeLessThanOrEqual(40_000);
  expect(3 * each).toBeGreaterThan(40_000);
  build(store, C, "c");
  expect(readdirSync(folder).toSorted()).toEqual([`${A}.tree`, `${C}.tree`]);
});
