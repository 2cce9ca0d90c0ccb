import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import type { TreeEntry } from "@restic-manager/restic/commands/ls";
import { join, type Listed } from "./entry.ts";
import { fold, namePattern } from "./name-pattern.ts";
import { TreeReader } from "./tree-reader.ts";
import { TreeWriter } from "./tree-writer.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(joinPath(tmpdir(), "rm-browse-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file or folder as it would lie on a disk. */
interface Node {
  name: string;
  facts: Omit<TreeEntry, "path" | "name" | "type">;
  type: "file" | "symlink" | "other" | Node[];
}

const name = fc
  .oneof(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
    fc.constantFrom("a", "\ufffd", "new\nline", "-dash", "*?[x]", " ", "...", "İ", "\ufeffmark"),
  )
  .map((text) => text.replaceAll(/[\0/]/g, "_").toWellFormed());
const facts = fc.record({
  size: fc.maxSafeNat(),
  mode: fc.nat(0o7777),
  mtime_ms: fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 }),
  uid: fc.nat(0xffff_ffff),
  gid: fc.nat(0xffff_ffff),
});
const { tree } = fc.letrec<{ tree: Node[]; node: Node }>((tie) => ({
  // Two names of one folder may look the same, where they differ in bytes that are no UTF-8.
  tree: fc.array(tie("node"), { maxLength: 8, depthIdentifier: "tree" }),
  node: fc.record({
    name,
    facts,
    type: fc.oneof(
      { depthIdentifier: "tree", maxDepth: 4 },
      fc.constantFrom("file", "symlink", "other"),
      tie("tree"),
    ),
  }),
}));

/** As `restic ls` tells it. */
function* listing(nodes: Node[], above = "/"): Generator<TreeEntry> {
  for (const node of nodes) {
    const path = join(above, node.name);
    const isFolder = Array.isArray(node.type);
    const type = typeof node.type === "string" ? node.type : "dir";
    yield { path, name: node.name, type, ...node.facts, size: isFolder ? 0 : node.facts.size };
    if (typeof node.type !== "string") yield* listing(node.type, path);
  }
}

/** What each folder should show. */
function expected(entries: TreeEntry[]): Map<string, string[]> {
  const folders = new Map<string, TreeEntry[]>([["/", []]]);
  for (const entry of entries) {
    const above = entry.path.slice(0, entry.path.lastIndexOf("/")) || "/";
    folders.set(above, [...(folders.get(above) ?? []), entry]);
    if (entry.type === "dir" && !folders.has(entry.path)) folders.set(entry.path, []);
  }
  return new Map(
    [...folders].map(([path, all]) => [
      path,
      [...all.filter((e) => e.type === "dir"), ...all.filter((e) => e.type !== "dir")].map(line),
    ]),
  );
}

function line(entry: Omit<Listed, "below">): string {
  const { name: named, type, size, mode, mtime_ms, uid, gid } = entry;
  return JSON.stringify([named, type, size, mode, mtime_ms, uid, gid]);
}

let made = 0;
function written(entries: Iterable<TreeEntry>): string {
  const path = joinPath(folder, `${made++}.tree`);
  const writer = new TreeWriter(path);
  for (const entry of entries) writer.add(entry);
  writer.finish();
  return path;
}

function allOf(reader: TreeReader, path: string, pageSize: number, bytes: number): Listed[] {
  const entries: Listed[] = [];
  let from: number | undefined = 0;
  while (from !== undefined) {
    const page = reader.page(path, from, pageSize, bytes);
    expect(page.entries.length).toBeLessThanOrEqual(pageSize);
    entries.push(...page.entries);
    from = page.next;
  }
  return entries;
}

test("any tree of odd names comes back as it was, with any size of page", () => {
  fc.assert(
    fc.property(
      tree,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 200 }),
      (nodes, size, bytes) => {
        const entries = [...listing(nodes)];
        const reader = new TreeReader(written(entries));
        for (const [path, lines] of expected(entries)) {
          expect(allOf(reader, path, size, bytes).map(line)).toEqual(lines);
          expect(reader.has(path)).toBeTrue();
        }
        expect(reader.has("/\ufffdno such folder")).toBeFalse();
        expect(reader.total().entries).toBe(entries.length);
        reader.close();
      },
    ),
    { numRuns: 60 },
  );
});

/** Names, patterns and paths, of which some find something. */
const query = fc
  .array(fc.oneof(name, fc.constantFrom("*", "**", "?", "/", "a")), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(""));

/** What a query means, said in the simplest way; may be slow. */
function meaningOf(wanted: string): RegExp {
  const text = fold(wanted);
  const simple = /[*?]/.test(text) ? text : `**${text}**`;
  const anchored = text.includes("/") && /^[^/]/.test(simple) && simple === text ? `**/${simple}` : simple;
  const source = anchored.replaceAll(/\*+|[^*]/gsu, (token) => {
    if (token === "?") return "[^/]";
    if (token.startsWith("*")) return token.length > 1 ? ".*" : "[^/]*";
    return RegExp.escape(token);
  });
  return new RegExp(`^${source}$`, "su");
}

test("a search finds what the names and paths say, below a folder and page by page", async () => {
  const cancel = new AbortController().signal;
  await fc.assert(
    fc.asyncProperty(
      tree,
      query,
      fc.nat(),
      fc.integer({ min: 1, max: 5 }),
      async (nodes, wanted, at, limit) => {
        const entries = [...listing(nodes)];
        const reader = new TreeReader(written(entries));
        const folders = ["/", ...entries.flatMap((entry) => (entry.type === "dir" ? [entry.path] : []))];
        const below = folders[at % folders.length] ?? "/";
        const pattern = namePattern(wanted);
        const found: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await reader.search(pattern, { below, cursor, limit, bytes: 10_000, cancel });
          found.push(...page.entries.map((entry) => `${entry.path} ${line(entry)}`));
          cursor = page.next;
        } while (cursor !== undefined);
        const meant = meaningOf(wanted);
        const right = entries.filter(
          ({ path, name: last }) =>
            path.startsWith(join(below, "")) && meant.test(fold(wanted.includes("/") ? path : last)),
        );
        expect(found.toSorted()).toEqual(right.map((entry) => `${entry.path} ${line(entry)}`).toSorted());
        reader.close();
      },
    ),
    { numRuns: 150 },
  );
});

/** A home folder's worth of names, and one folder with most of them. */
function* many(count: number): Generator<TreeEntry> {
  const base = { mode: 0o644, uid: 1000, gid: 1000 };
  const dir = (path: string): TreeEntry => ({
    path,
    name: "",
    type: "dir",
    size: 0,
    mtime_ms: 1.7e12,
    ...base,
    mode: 0o755,
  });
  yield dir("/big");
  for (let n = 0; n < count / 2; n += 1) {
    const mtime_ms = 1_700_000_000_000 + ((n * 7_919_777) % 31_536_000_000);
    yield {
      path: `/big/IMG_${String(n).padStart(7, "0")}.jpeg`,
      name: "",
      type: "file",
      size: (n * 104_729) % 9_000_000,
      mtime_ms,
      ...base,
    };
  }
  for (let n = 0; n < count / 20; n += 1) {
    if (n % 10 === 0) yield dir(`/p${Math.floor(n / 10)}`);
    yield dir(`/p${Math.floor(n / 10)}/src-${n}`);
    for (let f = 0; f < 9; f += 1) {
      const mtime_ms = 1_600_000_000_000 + (((n * 9 + f) * 6_700_417) % 94_608_000_000);
      yield {
        path: `/p${Math.floor(n / 10)}/src-${n}/${["index", "main", "report"][f % 3]}-${(n * 31 + f).toString(36)}.ts`,
        name: "",
        type: "file",
        size: (n * f * 1_299_709) % 70_000,
        mtime_ms,
        ...base,
      };
    }
  }
}

test("a folder's sums are of all below it, and an entry takes at most 90 bytes", async () => {
  const path = written(many(40_000));
  const reader = new TreeReader(path);
  const { entries } = reader.total();
  expect(statSync(path).size / entries).toBeLessThan(90);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const [big] = reader.page("/", 0, 1, 10_000).entries;
  expect(big).toMatchObject({ name: "big", type: "dir", below: { entries: 20_000 } });
  expect(reader.page("/big", 19_990, 100, 100_000)).toMatchObject({ total: 20_000, next: undefined });
  expect(reader.page("/big", 19_990, 100, 100_000).entries.at(-1)?.name).toBe("IMG_0019999.jpeg");
  reader.close();
});

test("a search that is cut off says where to go on, and does not pass for the last page", async () => {
  const reader = new TreeReader(written(many(150_000)));
  const pattern = namePattern("p7/*/main-*.ts");
  const look = async (cursor: string | undefined, cancel: AbortSignal) =>
    await reader.search(pattern, { below: "/", cursor, limit: 10_000, bytes: 10_000_000, cancel });
  const whole = await look(undefined, new AbortController().signal);
  expect(whole).toMatchObject({ next: undefined });
  expect(whole.entries.length).toBeGreaterThan(0);
  const found = [];
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await look(cursor, AbortSignal.abort());
    found.push(...page.entries);
    cursor = page.next;
    pages += 1;
  } while (cursor !== undefined);
  expect(pages).toBeGreaterThan(1);
  expect(found).toEqual(whole.entries);
  reader.close();
});
