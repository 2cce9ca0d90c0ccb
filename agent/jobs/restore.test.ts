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
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ResticId, SourceGroupId } from "@restic-manager/protocol/ids";
import type { JobInput, JobResult } from "@restic-manager/protocol/jobs";
import { JobOutcome, parseResult } from "@restic-manager/protocol/outcome";
import { ls } from "@restic-manager/restic/commands/ls";
import { factsOf, ODD_NAMES, oddTree } from "../testing/odd-tree.ts";
import { testTools, type TestTools } from "../testing/job-tools.ts";
import { runBackup } from "./backup.ts";
import { runInit } from "./init.ts";
import { runRestore } from "./restore.ts";

// Each call that opens a repository costs 0.5 s of CPU, more on a shared machine.
setDefaultTimeout(120_000);

const AS_ROOT = process.getuid?.() === 0;
const GROUP = {
  source_group_id: SourceGroupId.parse("01JD0000000000000000000000"),
  source_group_name: "default",
};
let template: string;
let folder: string;
let given: TestTools;
const source = (): string => join(folder, "src");

beforeAll(async () => {
  template = mkdtempSync(join(tmpdir(), "rm-restore-"));
  expect((await runInit({}, (await testTools(template)).tools)).state).toBe("succeeded");
});
afterAll(() => rmSync(template, { recursive: true, force: true }));
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "rm-restore-"));
  cpSync(join(template, "repository"), join(folder, "repository"), { recursive: true });
  mkdirSync(source());
  given = await testTools(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A name as restic's JSON has it: every single byte that is no UTF-8 is U+FFFD. The runtime's own decoder makes one of several. */
function asListed(latin1: string): string {
  const bytes = Buffer.from(latin1, "latin1");
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = [1, 2, 3, 4].find((some) => {
      const part = bytes.subarray(at, at + some);
      return part.length === some && Buffer.from(part.toString("utf8")).equals(part);
    });
    text += length === undefined ? "\ufffd" : bytes.subarray(at, at + length).toString("utf8");
    at += length ?? 1;
  }
  return text;
}

async function backedUp(): Promise<ResticId> {
  const outcome = await runBackup({ ...GROUP, includes: [source()], excludes: [] }, given.tools);
  if (outcome.state !== "succeeded") throw new Error(JSON.stringify(outcome));
  return ResticId.parse(outcome.result["snapshot_id"]);
}

const wish = (snapshot_id: ResticId, changes: Partial<JobInput<"restore">> = {}): JobInput<"restore"> => ({
  snapshot_id,
  paths: [source()],
  target: { kind: "folder" },
  overwrite: "always",
  delete: false,
  dry_run: false,
  verify: false,
  sparse: false,
  ...changes,
});

async function restored(input: JobInput<"restore">, tools = given.tools): Promise<JobResult<"restore">> {
  const outcome = await runRestore(input, tools);
  if (outcome.state !== "succeeded") throw new Error(JSON.stringify(outcome));
  expect(JobOutcome.parse(outcome)).toEqual(outcome);
  return parseResult("restore", outcome.result) as JobResult<"restore">;
}

const refusal = async (input: JobInput<"restore">) => {
  const outcome = await runRestore(input, given.tools);
  if (outcome.state !== "failed") throw new Error(`it was not refused: ${outcome.state}`);
  return outcome.error;
};

describe("to a new folder", () => {
  test("everything comes back byte for byte with its metadata, but belongs to the agent's user", async () => {
    oddTree(source());
    const before = factsOf(source());
    const result = await restored(wish(await backedUp(), { verify: true, sparse: true }));
    const where = join(folder, "restored", given.tools.jobId);
    expect(result).toMatchObject({
      where,
      complete: true,
      in_place: false,
      verified: true,
      issue_count: 0,
      ownership_dropped: AS_ROOT,
      space: { enough: true },
    });
    const owner = `${process.getuid?.()}:${process.getgid?.()}`;
    const mine = Object.fromEntries(
      Object.entries(before).map(([path, fact]) => [
        path,
        // With the ownership goes the right to run as somebody else.
        { ...fact, owner, mode: fact.type === "file" ? fact.mode & 0o777 : fact.mode },
      ]),
    );
    expect(factsOf(join(where, source()))).toEqual(mine);
    expect(statSync(where).mode & 0o777).toBe(0o700);
    // Holes are holes again.
    const sparse = statSync(join(where, source(), "sparse"));
    expect(sparse.blocks * 512).toBeLessThan(sparse.size / 2);
    const hard = statSync(join(where, source(), "links/hard"));
    expect(hard.ino).toBe(statSync(join(where, source(), "links/file")).ino);
  });

  test("only what was picked comes, whatever its name", async () => {
    oddTree(source());
    const id = await backedUp();
    const picked = ODD_NAMES.filter((_, i) => i % 2 === 0);
    const paths = picked.map((name) => `${source()}/names/${name.toString("utf8")}`);
    const result = await restored(wish(id, { paths: [...paths, join(source(), "empty")] }));
    expect(result.issue_count).toBe(0);
    const at = join(result.where, source());
    expect(readdirSync(at).toSorted()).toEqual(["empty", "names"]);
    const names = readdirSync(join(at, "names"), { encoding: "buffer" }).map((name) =>
      Buffer.from(name).toString("hex"),
    );
    expect(names.toSorted()).toEqual(picked.map((name) => name.toString("hex")).toSorted());
    expect(readdirSync(join(at, "empty"))).toEqual(["deeper"]);
  });

  test("any names: what was listed, picked and restored is what was backed up", async () => {
    const special = Buffer.from(" \n\r\t*?[]^-\\$#!{}~'\"ab\u00a0\ufffd\xe9", "latin1");
    const byte = fc.oneof(fc.constantFrom(...special), fc.integer({ min: 1, max: 255 }));
    const name = fc
      .array(byte, { minLength: 1, maxLength: 8 })
      .map((bytes) => Buffer.from(bytes).toString("latin1"))
      .filter((text) => !text.includes("/") && text !== "." && text !== "..");
    const [names = []] = fc.sample(fc.uniqueArray(name, { minLength: 120, maxLength: 120 }), {
      numRuns: 1,
      seed: 11,
    });
    for (const one of names)
      writeFileSync(Buffer.concat([Buffer.from(`${source()}/`), Buffer.from(one, "latin1")]), one);
    const id = await backedUp();
    const access = given.tools.restic();
    if (!access.ok) throw new Error("no restic");
    const listed: string[] = [];
    await ls(
      access.context,
      { snapshotId: id, folder: source() },
      { onEntry: ({ path }) => void listed.push(path) },
    );
    const picked = listed.filter((_, i) => i % 3 !== 0);
    const { where, issue_count } = await restored(wish(id, { paths: picked }));
    expect(issue_count).toBe(0);
    // Two names that differ only in bytes that are no UTF-8 are one to whoever picks.
    const texts = new Set(picked);
    const wanted = names.filter((one) => texts.has(`${source()}/${asListed(one)}`));
    const back = readdirSync(join(where, source()), { encoding: "buffer" }).map((one) =>
      Buffer.from(one).toString("latin1"),
    );
    expect(back.toSorted()).toEqual(wanted.toSorted());
  });

  test("the command to copy does the same in a shell", async () => {
    oddTree(source());
    const id = await backedUp();
    const paths = ["names/star*[?]", "names/new\nline", "names/'quote'", "names/-dash", "links"].map((one) =>
      join(source(), one),
    );
    const result = await restored(wish(id, { paths }));
    expect(result.command).not.toContain("a password");
    const other = join(folder, "by-hand");
    const command = (result.command ?? "").replaceAll(result.where, other);
    const access = given.tools.restic();
    if (!access.ok) throw new Error("no restic");
    const shell = Bun.spawnSync(["/bin/sh", "-c", command], {
      env: {
        PATH: `${join(access.context.program, "..")}:/usr/bin:/bin`,
        RESTIC_PASSWORD: "a password",
        HOME: folder,
      },
    });
    expect(shell.stderr.toString()).toBe("");
    expect(factsOf(other)).toEqual(factsOf(result.where));
  });

  test("a dry run tells what would come and writes nothing", async () => {
    oddTree(source());
    const id = await backedUp();
    const tried = await restored(wish(id, { dry_run: true, verify: true }));
    expect(tried).toMatchObject({ dry_run: true, complete: true, verified: false, issue_count: 0 });
    expect(existsSync(join(folder, "restored"))).toBe(false);
    const done = await restored(wish(id));
    expect(tried.bytes_total).toBe(done.bytes_total);
    expect(tried.files_total).toBe(done.files_total);
    expect(tried.space?.needed).toBe(done.bytes_restored);
  });

  test("what is not in the snapshot is told, and nothing at all is a failure", async () => {
    writeFileSync(join(source(), "a"), "a");
    const id = await backedUp();
    const gone = join(source(), "gone");
    expect(await restored(wish(id, { paths: [join(source(), "a"), gone] }))).toMatchObject({
      issue_count: 1,
      issues: [{ path: gone, message: "is not in the snapshot" }],
    });
    expect(await refusal(wish(id, { paths: [gone] }))).toMatchObject({ code: "path_missing" });
    const none = ResticId.parse("ab".repeat(32));
    expect(await refusal(wish(none))).toMatchObject({ code: "snapshot_missing" });
  });

  test("a folder that may not be written, or is not new, is refused by name of the rule", async () => {
    writeFileSync(join(source(), "a"), "a");
    const id = await backedUp();
    const to = (path: string) => refusal(wish(id, { target: { kind: "folder", path } }));
    expect((await to("/")).message).toContain("root of the machine");
    expect((await to("/proc/x")).message).toContain("/proc");
    expect((await to(join(folder, "state/x"))).message).toContain("the agent's own");
    expect((await to(source())).message).toContain("not empty");
    expect((await to(join(source(), "a"))).message).toContain("not a folder");
    expect(readFileSync(join(source(), "a"), "utf8")).toBe("a");
    expect((await to("/sys/x")).code).toBe("target_refused");
  });

  test("cancelled half-way it says what is there, and the next one brings the rest", async () => {
    // A pack is written when all of it is there: several of them.
    const block = new Uint8Array(65_536);
    for (let i = 0; i < 8; i += 1) {
      const parts = Array.from({ length: 128 }, () => crypto.getRandomValues(block).slice());
      writeFileSync(join(source(), `f${i}`), Buffer.concat(parts));
    }
    const id = await backedUp();
    const slow = { ...given.tools, restic: () => given.tools.restic({ download_kib_per_s: 12_000 }) };
    const target = { kind: "folder" as const, path: join(folder, "restored/mine") };
    const running = runRestore(wish(id, { target }), {
      ...slow,
      progress(one) {
        given.tools.progress(one);
        if (one.phase === "restoring" && (one.bytes_done ?? 0) > 0) given.cancel.abort();
      },
    });
    const outcome = await running;
    expect(outcome.state).toBe("cancelled");
    if (outcome.state !== "cancelled") throw new Error("unreachable");
    const left = parseResult("restore", outcome.left) as JobResult<"restore">;
    expect(left).toMatchObject({ complete: false, where: target.path, issue_count: 0 });
    expect(left.bytes_restored).toBeGreaterThan(0);
    expect(left.bytes_restored).toBeLessThan(8 * 128 * 65_536);
    expect(given.log.at(-1)).toContain("restored");
    given = await testTools(folder);
    const again = await restored(wish(id, { target }));
    expect(again.issue_count).toBe(0);
    expect(factsOf(join(target.path, source()))).toEqual(factsOf(source()));
  });
});

describe("in place", () => {
  test("deleted files come back with their owners, and what was changed as it was", async () => {
    oddTree(source());
    const before = factsOf(source());
    const id = await backedUp();
    rmSync(join(source(), "names"), { recursive: true });
    rmSync(join(source(), "links"), { recursive: true });
    rmSync(join(source(), "program"));
    writeFileSync(join(source(), "private"), "changed");
    writeFileSync(join(source(), "new"), "stays");
    const result = await restored(wish(id, { target: { kind: "in_place" } }));
    expect(result).toMatchObject({ in_place: true, where: "/", ownership_dropped: false, issue_count: 0 });
    rmSync(join(source(), "new"));
    // The folder's own time was put back as well; only what the test did afterwards shows.
    expect(factsOf(source())).toEqual(before);
  });

  test("overwrites as told, and deletes only when told", async () => {
    for (const name of ["old", "same", "young"]) {
      writeFileSync(join(source(), name), "backed up");
      utimesSync(join(source(), name), 1_000_000, 1_000_000);
    }
    const id = await backedUp();
    const spoil = (): void => {
      writeFileSync(join(source(), "old"), "from before");
      utimesSync(join(source(), "old"), 900_000, 900_000);
      writeFileSync(join(source(), "young"), "from after");
      writeFileSync(join(source(), "extra"), "x");
    };
    const content = (): string[] =>
      readdirSync(source())
        .toSorted()
        .map((name) => readFileSync(join(source(), name), "utf8"));
    const again = async (changes: Partial<JobInput<"restore">>) => {
      spoil();
      const result = await restored(wish(id, { target: { kind: "in_place" }, ...changes }));
      return { content: content(), result };
    };
    expect((await again({ overwrite: "never" })).content).toEqual([
      "x",
      "from before",
      "backed up",
      "from after",
    ]);
    expect((await again({ overwrite: "if-newer" })).content).toEqual([
      "x",
      "backed up",
      "backed up",
      "from after",
    ]);
    expect((await again({ overwrite: "if-changed" })).content).toEqual([
      "x",
      "backed up",
      "backed up",
      "backed up",
    ]);
    const tried = await again({ delete: true, dry_run: true });
    expect(tried.result.deleted).toEqual([join(source(), "extra")]);
    expect(tried.content).toEqual(["x", "from before", "backed up", "from after"]);
    const done = await again({ delete: true });
    expect(done.content).toEqual(["backed up", "backed up", "backed up"]);
    expect(done.result).toMatchObject({ files_deleted: 1, deleted: [join(source(), "extra")] });
  });

  test("never writes over what the agent keeps while it runs, nor deletes it", async () => {
    // The agent's state lies in what is backed up.
    const inside = join(source(), "agent");
    mkdirSync(inside);
    writeFileSync(join(inside, "agent.db"), "old");
    writeFileSync(join(source(), "other"), "old");
    const id = await backedUp();
    writeFileSync(join(inside, "agent.db"), "now, and longer");
    const places = { restoreDir: join(folder, "restored"), own: [inside] };
    given.tools = { ...given.tools, places };
    const target = { kind: "in_place" as const };
    expect(await refusal(wish(id, { target }))).toMatchObject({
      code: "target_refused",
      message: expect.stringContaining(inside),
    });
    expect(readFileSync(join(inside, "agent.db"), "utf8")).toBe("now, and longer");
    expect(await restored(wish(id, { target, paths: [join(source(), "other")] }))).toMatchObject({
      issue_count: 0,
    });
    // It was not there yet at the backup, so `delete` would take it.
    rmSync(inside, { recursive: true });
    const without = await backedUp();
    mkdirSync(inside);
    writeFileSync(join(inside, "agent.db"), "now");
    expect(await refusal(wish(without, { target, delete: true }))).toMatchObject({ code: "target_refused" });
    expect(readFileSync(join(inside, "agent.db"), "utf8")).toBe("now");
  });
});

describe.skipIf(!AS_ROOT)("on disks of its own", () => {
  const mounted: string[] = [];
  const mount = (name: string, options: string): string => {
    const path = join(folder, name);
    mkdirSync(path);
    const { exitCode } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path]);
    expect(exitCode).toBe(0);
    mounted.push(path);
    return path;
  };
  afterEach(() => {
    for (const path of mounted.splice(0)) Bun.spawnSync(["umount", "--lazy", path]);
  });

  test("what the service's sandbox makes read-only is refused with that rule, in place as well", async () => {
    writeFileSync(join(source(), "a"), "a");
    const id = await backedUp();
    const path = mount("read-only", "ro");
    expect(
      await refusal(wish(id, { target: { kind: "folder", path: join(path, "new/folder") } })),
    ).toMatchObject({
      code: "target_refused",
      message: expect.stringContaining("ProtectSystem=strict"),
      hint: expect.stringContaining(`ReadWritePaths=${path}`),
    });
    rmSync(source(), { recursive: true });
    mkdirSync(source());
    Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", source()]);
    mounted.push(source());
    expect(await refusal(wish(id, { target: { kind: "in_place" } }))).toMatchObject({
      code: "target_refused",
    });
  });

  test("without enough room nothing is begun", async () => {
    writeFileSync(join(source(), "large"), crypto.getRandomValues(new Uint8Array(60_000)).slice());
    for (let i = 0; i < 40; i += 1)
      writeFileSync(join(source(), `f${i}`), crypto.getRandomValues(new Uint8Array(60_000)));
    const id = await backedUp();
    const path = join(mount("small", "size=1m"), "restored");
    expect(await refusal(wish(id, { target: { kind: "folder", path } }))).toMatchObject({
      code: "disk_full",
      message: expect.stringMatching(/2\.3 MiB are to be written.*1\.0 MiB free/),
    });
    expect(existsSync(path)).toBe(false);
    const tried = await restored(wish(id, { target: { kind: "folder", path }, dry_run: true }));
    expect(tried.space).toMatchObject({ enough: false });
  });
});
