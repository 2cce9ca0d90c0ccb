import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { diff, type Change } from "./commands/diff.ts";
import { dump } from "./commands/dump.ts";
import { find } from "./commands/find.ts";
import { ls, type TreeEntry } from "./commands/ls.ts";
import { restore, type RestoreInput, type RestoreItem, type RestoreResult } from "./commands/restore.ts";
import type { ResticContext } from "./context.ts";
import { testFolder, type TestFolder } from "./testing/context.ts";
import { errorOf, valueOf } from "./testing/outcome.ts";
import { copiedRepository, repositoryTemplate, snapshotOf, writeFileAt } from "./testing/real-repository.ts";

// Each call that opens a repository costs 0.5 s of CPU, more on a shared machine.
setDefaultTimeout(120_000);

let template: TestFolder;
let folder: TestFolder;
beforeAll(async () => void (template = await repositoryTemplate()));
afterAll(() => template.remove());
beforeEach(() => void (folder = testFolder()));
afterEach(() => folder.remove());

const repository = (): ResticContext => copiedRepository(template, folder.path);
const source = (): string => join(folder.path, "src");
const backUp = async (c: ResticContext): ReturnType<typeof snapshotOf> =>
  snapshotOf(c, { includes: [source()], tags: ["t"], host: "h" });

async function list(c: ResticContext, snapshotId: string, where?: string): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  const input = where === undefined ? { snapshotId } : { snapshotId, folder: where };
  const { entries: count } = valueOf(await ls(c, input, { onEntry: (entry) => void entries.push(entry) }));
  expect(count).toBe(entries.length);
  return entries;
}

describe("listing", () => {
  test("a folder's own entries, the whole, and a folder that is not there", async () => {
    const c = repository();
    writeFileAt(source(), "docs/a.txt", "hello");
    writeFileAt(source(), "docs/deep/b", "x");
    writeFileAt(source(), "-o *", "x");
    chmodSync(join(source(), "docs/a.txt"), 0o4750);
    utimesSync(join(source(), "docs/a.txt"), 1_000_000, 1_000_000.5);
    symlinkSync("a.txt", join(source(), "docs/link"));
    mkdirSync(join(source(), "empty"));
    const { id, tree } = await backUp(c);
    const docs = join(source(), "docs");
    const inDocs = await list(c, id, `${docs}/`);
    expect(inDocs.map(({ name, type }) => [name, type])).toEqual([
      ["a.txt", "file"],
      ["deep", "dir"],
      ["link", "symlink"],
    ]);
    expect(inDocs[0]).toEqual({
      path: join(docs, "a.txt"),
      name: "a.txt",
      type: "file",
      size: 5,
      mode: 0o4750,
      mtime_ms: 1_000_000_500,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
    });
    expect((await list(c, id)).filter(({ path }) => path.startsWith(source())).length).toBe(8);
    expect(await list(c, id, join(source(), "empty"))).toEqual([]);
    expect((await list(c, id, "/")).map(({ path }) => path)).toEqual([`/${source().split("/")[1]}`]);

    const missing = await ls(c, { snapshotId: id, folder: "/nope" }, { onEntry: () => {} });
    expect(errorOf(missing)).toMatchObject({ code: "path_missing", path: "/nope" });
    const unknown = await ls(c, { snapshotId: "deadbeef" }, { onEntry: () => {} });
    expect(errorOf(unknown)).toMatchObject({ code: "snapshot_missing", snapshot: "deadbeef" });
    // Equal trees are named alike, so that a cache can serve both.
    const again = await backUp(c);
    expect(again.tree).toBe(tree);
    expect(valueOf(await ls(c, { snapshotId: again.id }, { onEntry: () => {} })).tree).toBe(tree);
  });

  test("50,000 entries come one after the other, however slow they are taken, in bounded memory", async () => {
    const c = repository();
    for (let d = 0; d < 50; d++) {
      const name = join(source(), `d${d}`);
      mkdirSync(name, { recursive: true });
      for (let i = 0; i < 1000; i++) writeFileSync(join(name, `file-${i}`), "");
    }
    const { id } = await backUp(c);
    let count = 0;
    let atOnce = 0;
    let most = 0;
    let peak = 0;
    Bun.gc(true);
    const before = process.memoryUsage().rss;
    valueOf(
      await ls(
        c,
        { snapshotId: id },
        {
          async onEntry({ path }) {
            most = Math.max(most, ++atOnce);
            if (path.includes("/src/d")) count++;
            if (count % 1000 === 0) peak = Math.max(peak, process.memoryUsage().rss);
            await Promise.resolve();
            atOnce--;
          },
        },
      ),
    );
    expect(count).toBe(50 * 1001);
    expect(most).toBe(1);
    // The whole answer has 16 MB; kept as objects it would be several times that.
    expect(peak - before).toBeLessThan(96 * 1024 * 1024);
  });
});

test("the versions of a file across snapshots, and where a link points", async () => {
  const c = repository();
  const odd = join(source(), "odd*[1]\n");
  writeFileAt(source(), "odd*[1]\n", "one");
  writeFileAt(source(), "oddX1", "no");
  symlinkSync("oddX1", join(source(), "link"));
  const first = await backUp(c);
  writeFileAt(source(), "odd*[1]\n", "second");
  const second = await backUp(c);
  const versions = valueOf(await find(c, { what: { path: odd }, host: "h" }));
  expect(new Map(versions.map((v) => [v.snapshot_id, v.size]))).toEqual(
    new Map([
      [first.id, 3],
      [second.id, 6],
    ]),
  );
  const links = valueOf(
    await find(c, { what: { pattern: "LINK", ignoreCase: true }, snapshotIds: [first.id] }),
  );
  expect(links).toMatchObject([{ type: "symlink", link_target: "oddX1", path: join(source(), "link") }]);
  expect(valueOf(await find(c, { what: { path: odd }, host: "other" }))).toEqual([]);
});

test("changes between two snapshots as they are found, with their sums", async () => {
  const c = repository();
  for (const name of ["same", "changed", "gone/x", "touched"]) writeFileAt(source(), name, name);
  const from = await backUp(c);
  rmSync(join(source(), "gone"), { recursive: true });
  writeFileAt(source(), "changed", "other content");
  writeFileAt(source(), "new\nfile", "new");
  chmodSync(join(source(), "touched"), 0o600);
  const to = await backUp(c);
  const changes = new Map<string, Change>();
  const result = valueOf(
    await diff(
      c,
      { from: from.id, to: to.id },
      { onChange: (change) => void changes.set(change.path, change) },
    ),
  );
  const kind = (name: string): string | undefined => changes.get(join(source(), name))?.kind;
  expect(["changed", "gone", "gone/x", "new\nfile", "touched", "same"].map(kind)).toEqual([
    "modified",
    "removed",
    "removed",
    "added",
    "metadata",
    undefined,
  ]);
  expect(changes.get(join(source(), "gone"))?.is_folder).toBe(true);
  expect(result).toMatchObject({
    changed_files: 1,
    added: { files: 1 },
    removed: { files: 1, folders: 1 },
    counts: { added: 1, removed: 2, modified: 1, type_changed: 0 },
  });
});

describe("dumping", () => {
  test("a file as it is, a folder as an archive, and what cannot be", async () => {
    const c = repository();
    const content = crypto.getRandomValues(new Uint8Array(300_000));
    writeFileAt(source(), "-big *", content);
    symlinkSync("-big *", join(source(), "link"));
    const { id } = await backUp(c);
    const bytesOf = async (path: string, archive: "tar" | "zip" = "tar"): Promise<Buffer> => {
      const chunks: Uint8Array[] = [];
      const input = { snapshotId: id, path, archive };
      const { bytes } = valueOf(await dump(c, input, { onBytes: (chunk) => void chunks.push(chunk) }));
      const all = Buffer.concat(chunks);
      expect(all.length).toBe(bytes);
      return all;
    };
    expect((await bytesOf(join(source(), "-big *"))).equals(content)).toBe(true);
    const tar = await bytesOf(source());
    expect(tar.subarray(257, 262).toString()).toBe("ustar");
    const unpacked = Bun.spawnSync(["tar", "-xO", "-f", "-", join(source(), "-big *").slice(1)], {
      stdin: tar,
    });
    expect(unpacked.stdout.equals(content)).toBe(true);
    expect((await bytesOf(source(), "zip")).subarray(0, 2).toString()).toBe("PK");
    const fails = async (path: string, snapshotId = id): Promise<string> =>
      errorOf(await dump(c, { snapshotId, path }, { onBytes: () => {} })).code;
    expect(await fails("/nope")).toBe("path_missing");
    expect(await fails("/nope", "deadbeef")).toBe("snapshot_missing");
    expect(await fails(join(source(), "link"))).toBe("failed");
  });

  test("a slow reader holds restic back, and cancelling ends it", async () => {
    const c = repository();
    writeFileAt(source(), "zeros", new Uint8Array(60_000_000));
    const { id } = await backUp(c);
    const input = { snapshotId: id, path: join(source(), "zeros") };
    let atOnce = 0;
    let most = 0;
    const { bytes } = valueOf(
      await dump(c, input, {
        async onBytes() {
          most = Math.max(most, ++atOnce);
          await new Promise((resolve) => setImmediate(resolve));
          atOnce--;
        },
      }),
    );
    expect([bytes, most]).toEqual([60_000_000, 1]);
    const cancel = new AbortController();
    const outcome = await dump(c, input, { cancel: cancel.signal, onBytes: () => cancel.abort() });
    expect(errorOf(outcome)).toMatchObject({ code: "interrupted", byUs: true });
  });
});

/** Everything that a pattern, a shell, a line reader or a decoder may stumble over. */
const oddNames: (string | Buffer)[] = [
  ...["new\nline", "newXline", "new\tline", "x\n", "x", "star*[?]", "starry[?]", "-dash", "trail ", "trail"],
  ...[" lead", "lead", "$HOME", "$$", "back\\slash", "backslash", "#c", "!neg", "nbsp\u00a0", "cr\r", "cr"],
  ...[
    "{a,b}",
    "q?",
    "qq",
    "a\\",
    "u\u0308",
    "\u00fc",
    "\u{1f600}",
    "**",
    "tw",
    "[^a]",
    "b",
    "%41",
    "A",
    "\ufffd",
  ],
  ...["caf\xe9.txt", "caf\xe8\xe9.txt", "cafe.txt", "\x85", "end\xa0"].map((name) =>
    Buffer.from(name, "latin1"),
  ),
];

const bytesOf = (name: string | Buffer): Buffer => Buffer.from(name);
const namesIn = (path: string): Buffer[] =>
  existsSync(path) ? readdirSync(path, { encoding: "buffer" }).map((name) => Buffer.from(name)) : [];
const hex = (names: readonly Buffer[]): string[] => names.map((name) => name.toString("hex")).toSorted();

async function restored(
  c: ResticContext,
  snapshotId: string,
  changes: Partial<RestoreInput> & Pick<RestoreInput, "paths">,
): Promise<{ value: RestoreResult; at: string; items: RestoreItem[] }> {
  const target = join(folder.path, `out-${crypto.randomUUID()}`);
  const items: RestoreItem[] = [];
  const input = { snapshotId, target, overwrite: "always" as const, ...changes };
  const outcome = await restore(c, input, { onItem: (item) => void items.push(item) });
  if (!outcome.ok) throw new Error(outcome.error.message);
  return { value: outcome.value, at: join(input.target, source()), items };
}

describe("restoring", () => {
  test("an odd name brings exactly itself, byte for byte, as listed or as bytes", async () => {
    const c = repository();
    for (const name of oddNames)
      writeFileAt(source(), bytesOf(name), Buffer.concat([Buffer.from("is "), bytesOf(name)]));
    const { id } = await backUp(c);
    const listed = await list(c, id, source());
    expect(listed.length).toBe(oddNames.length);
    // Each call costs 0.6 s: one file at a time by turns of text and bytes, and then all together.
    for (const [i, name] of oddNames.entries()) {
      const path = Buffer.concat([Buffer.from(`${source()}/`), bytesOf(name)]);
      const text = path.toString("utf8");
      const { at, value } = await restored(c, id, { paths: [i % 2 === 0 ? text : path] });
      // U+FFFD may stand for any single byte; among these names only for those that are one such byte.
      const same =
        i % 2 === 0
          ? oddNames.filter((other) => bytesOf(other).toString() === bytesOf(name).toString())
          : [name];
      expect(hex(namesIn(at))).toEqual(hex(same.map(bytesOf)));
      expect(value.issue_count).toBe(0);
      const content = readFileSync(Buffer.concat([Buffer.from(`${at}/`), bytesOf(name)]));
      expect(content.equals(Buffer.concat([Buffer.from("is "), bytesOf(name)]))).toBe(true);
    }
    const { at } = await restored(c, id, { paths: listed.map(({ path }) => path) });
    expect(hex(namesIn(at))).toEqual(hex(oddNames.map(bytesOf)));
  });

  test("folders come with what is below them, links and times as they were, from any root", async () => {
    const c = repository();
    writeFileAt(source(), "a*/x", "x");
    writeFileAt(source(), "a*/deep/y", "y");
    writeFileAt(source(), "ab/z", "z");
    symlinkSync("../ab/z", join(source(), "a*/link"));
    utimesSync(join(source(), "a*/x"), 1_000_000, 1_000_000);
    mkdirSync(join(source(), "empty"));
    const { id } = await backUp(c);
    const paths = [join(source(), "a*"), join(source(), "empty")];
    const { at } = await restored(c, id, { paths });
    expect(readdirSync(at).toSorted()).toEqual(["a*", "empty"]);
    expect(readdirSync(join(at, "a*")).toSorted()).toEqual(["deep", "link", "x"]);
    expect(readlinkSync(join(at, "a*/link"))).toBe("../ab/z");
    expect(lstatSync(join(at, "a*/x")).mtimeMs).toBe(1_000_000_000);
    const target = join(folder.path, "rooted");
    await restored(c, id, { paths, target, subfolder: source() });
    expect(readdirSync(target).toSorted()).toEqual(["a*", "empty"]);
    const all = await restored(c, id, { paths: "everything" });
    expect(readdirSync(all.at).toSorted()).toEqual(["a*", "ab", "empty"]);
    expect(readdirSync(c.tmpDir)).toEqual([]);
  });

  test("a dry run counts and writes nothing; overwriting and deleting do as told", async () => {
    const c = repository();
    for (const name of ["one", "two"]) writeFileAt(source(), `docs/${name}`, name);
    const { id } = await backUp(c);
    const docs = join(source(), "docs");
    const target = join(folder.path, "target");
    const at = join(target, docs);
    const plan = await restored(c, id, { paths: [docs], target, dryRun: true });
    expect(plan.value).toMatchObject({ dry_run: true, bytes_restored: 6, bytes_total: 6 });
    expect(
      plan.items
        .filter(({ size }) => size > 0)
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual([join(docs, "one"), join(docs, "two")]);
    expect(existsSync(at)).toBe(false);
    const done = await restored(c, id, { paths: [docs], target, verify: true });
    expect(done.value).toMatchObject({
      dry_run: false,
      bytes_restored: 6,
      files_total: plan.value.files_total,
    });

    writeFileSync(join(at, "one"), "mine");
    writeFileSync(join(at, "extra"), "mine");
    await restored(c, id, { paths: [docs], target, overwrite: "never" });
    expect(readFileSync(join(at, "one"), "utf8")).toBe("mine");
    const deleted = await restored(c, id, { paths: [docs], target, overwrite: "if-changed", delete: true });
    expect(deleted.value.files_deleted).toBe(1);
    expect(deleted.items).toContainEqual({ action: "deleted", path: join(at, "extra"), size: 0 });
    expect(readFileSync(join(at, "one"), "utf8")).toBe("one");
    const nothing = await restored(c, id, { paths: ["/no/such"] });
    expect(nothing.value.nothing_matched).toBe(true);
  });

  test("what cannot be restored is an issue, and cancelling tells how far it came", async () => {
    const c = repository();
    writeFileAt(source(), "a", "a");
    writeFileAt(source(), "b", "b");
    const { id } = await backUp(c);
    const target = join(folder.path, "target");
    // A folder with something in it stands where the file should go.
    writeFileAt(join(target, source()), "a/in-the-way", "x");
    const { value, at } = await restored(c, id, { paths: "everything", target });
    expect(value.issue_count).toBe(1);
    expect(value.issues[0]?.path).toBe(join(source(), "a"));
    expect(readFileSync(join(at, "b"), "utf8")).toBe("b");
    const cancel = AbortSignal.abort();
    const input = { snapshotId: id, paths: "everything" as const, target, overwrite: "always" as const };
    expect(await restore(c, input, { cancel })).toMatchObject({
      ok: false,
      error: { code: "interrupted" },
      so_far: { files_restored: 0, issues: [] },
    });
    expect(errorOf(await restore(c, { ...input, snapshotId: "deadbeef" })).code).toBe("snapshot_missing");
  });
});
