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
import fc from "fast-check";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
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

/** Everything that a pattern, a shell, a line reader or a decoder may stumble over. */
const oddNames: (string | Buffer)[] = [
  ["new\nline", "newXline", "new\tline", "x\n", "x", "star*[?]", "starry[?]", "-dash", "trail ", "trail"],
  [" lead", "lead", "$HOME", "$$", "back\\slash", "backslash", "#c", "!neg", "nbsp\u00a0", "cr\r", "cr"],
  [
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
  ["caf\xe9.txt", "caf\xe8\xe9.txt", "cafe.txt", "\x85", "end\xa0"].map((name) =>
    Buffer.from(name, "latin1"),
  ),
].flat();

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
    // Names that could be taken for one another stand side by side in the list, so never in the same batch.
    for (const batch of [0, 1, 2]) {
      for (const asBytes of [false, true]) {
        const picked = oddNames.filter((_, i) => i % 3 === batch).map(bytesOf);
        const paths = picked.map((name) => Buffer.concat([Buffer.from(`${source()}/`), name]));
        const { at, value } = await restored(c, id, {
          paths: asBytes ? paths : paths.map((path) => path.toString("utf8")),
        });
        // In text, names that differ only in bytes that are no UTF-8 are the same name.
        const texts = new Set(picked.map((name) => name.toString("utf8")));
        const expected = asBytes
          ? picked
          : oddNames.map(bytesOf).filter((name) => texts.has(name.toString("utf8")));
        expect(hex(namesIn(at))).toEqual(hex(expected));
        expect(value.issue_count).toBe(0);
        for (const name of expected) {
          const content = readFileSync(Buffer.concat([Buffer.from(`${at}/`), name]));
          expect(content.equals(Buffer.concat([Buffer.from("is "), name]))).toBe(true);
        }
      }
    }
    const { at } = await restored(c, id, { paths: listed.map(({ path }) => path) });
    expect(hex(namesIn(at))).toEqual(hex(oddNames.map(bytesOf)));
  });

  test("any bytes as names: what was picked comes back, and nothing else", async () => {
    const c = repository();
    // Few different bytes, so that names are alike; all that mean something to somebody among them.
    const special = Buffer.from(" \n\r\t*?[]^-\\$#!{}~ab\u00a0\u0085\ufffd\xe9", "latin1");
    const byte = fc.oneof(fc.constantFrom(...special), fc.integer({ min: 1, max: 255 }));
    const name = fc
      .array(byte, { minLength: 1, maxLength: 6 })
      .map((bytes) => Buffer.from(bytes).toString("latin1"))
      .filter((text) => !text.includes("/") && text !== "." && text !== "..");
    const [names = []] = fc.sample(fc.uniqueArray(name, { minLength: 300, maxLength: 300 }), {
      numRuns: 1,
      seed: 7,
    });
    const all = names.map((text) => Buffer.from(text, "latin1"));
    for (const one of all) writeFileAt(source(), one, "");
    const { id } = await backUp(c);
    const picked = all.filter((_, i) => i % 2 === 0);
    const paths = picked.map((one) => Buffer.concat([Buffer.from(`${source()}/`), one]));
    expect(hex(namesIn((await restored(c, id, { paths })).at))).toEqual(hex(picked));
    const texts = new Set(picked.map((one) => one.toString("utf8")));
    const alike = all.filter((one) => texts.has(one.toString("utf8")));
    const { at } = await restored(c, id, { paths: paths.map((path) => path.toString("utf8")) });
    expect(hex(namesIn(at))).toEqual(hex(alike));
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
    const input = { snapshotId: id, paths: "everything" as const, target, overwrite: "always" as const };
    expect(await restore(c, input, { cancel: AbortSignal.abort() })).toMatchObject({
      ok: false,
      error: { code: "interrupted" },
      so_far: { files_restored: 0, issues: [] },
    });
    expect(errorOf(await restore(c, { ...input, snapshotId: "deadbeef" })).code).toBe("snapshot_missing");
  });

  test("cancelled in the middle, it tells what it had done, and the next one brings the rest", async () => {
    const c = repository();
    for (let i = 0; i < 4; i++)
      writeFileAt(source(), `f${i}`, crypto.getRandomValues(new Uint8Array(1_000_000)));
    const { id } = await backUp(c);
    const target = join(folder.path, "target");
    const input = { snapshotId: id, paths: "everything" as const, target, overwrite: "if-changed" as const };
    const cancel = new AbortController();
    const slow = { ...c, limits: { downloadKiB: 512 } };
    const outcome = await restore(slow, input, {
      cancel: cancel.signal,
      onProgress({ files_total }) {
        if (files_total > 0) cancel.abort();
      },
    });
    // Under a rate limit restic does not hear SIGTERM while it waits for data, so it may have been killed.
    expect(outcome).toMatchObject({ ok: false, error: { code: "interrupted", byUs: true } });
    if (outcome.ok) throw new Error("it was not cancelled");
    expect(outcome.so_far.files_total).toBeGreaterThan(0);
    const { value, at } = await restored(c, id, { ...input });
    expect(value.issue_count).toBe(0);
    for (let i = 0; i < 4; i++) {
      expect(readFileSync(join(at, `f${i}`)).equals(readFileSync(join(source(), `f${i}`)))).toBe(true);
    }
  });
});
