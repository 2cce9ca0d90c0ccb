import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ResticId } from "@restic-manager/protocol/ids";
import type { JobInput, JobProgress, JobResult } from "@restic-manager/protocol/jobs";
import { parseResult } from "@restic-manager/protocol/outcome";
import { ls } from "@restic-manager/restic/commands/ls";
import { testTools } from "../testing/job-tools.ts";
import { anyName, asListed } from "../testing/any-name.ts";
import { factsOf, ODD_NAMES, oddTree } from "../testing/odd-tree.ts";
import { AS_ROOT, restoreWorld } from "../testing/restore-world.ts";
import { runRestore } from "./restore.ts";

// Each call that opens a repository costs 0.5 s of CPU, more on a shared machine.
setDefaultTimeout(120_000);

const world = restoreWorld();

/** Of 8 MiB. */
function randomFile(path: string): void {
  const block = new Uint8Array(65_536);
  const parts = Array.from({ length: 128 }, () => crypto.getRandomValues(block).slice());
  writeFileSync(path, Buffer.concat(parts));
}

describe("to a new folder", () => {
  test("everything comes back byte for byte with its metadata, but belongs to the agent's user", async () => {
    oddTree(world.source);
    const before = factsOf(world.source);
    const result = await world.restored(world.wish(await world.backedUp(), { verify: true, sparse: true }));
    const where = join(world.folder, "restored", world.given.tools.jobId);
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
    expect(factsOf(join(where, world.source))).toEqual(mine);
    expect(statSync(where).mode & 0o777).toBe(0o700);
    // Holes are holes again.
    const sparse = statSync(join(where, world.source, "sparse"));
    expect(sparse.blocks * 512).toBeLessThan(sparse.size / 2);
    const hard = statSync(join(where, world.source, "links/hard"));
    expect(hard.ino).toBe(statSync(join(where, world.source, "links/file")).ino);
  });

  test("only what was picked comes, whatever its name", async () => {
    oddTree(world.source);
    const id = await world.backedUp();
    const picked = ODD_NAMES.filter((_, i) => i % 2 === 0);
    const paths = picked.map((name) => `${world.source}/names/${name.toString("utf8")}`);
    const result = await world.restored(world.wish(id, { paths: [...paths, join(world.source, "empty")] }));
    expect(result.issue_count).toBe(0);
    const at = join(result.where, world.source);
    expect(readdirSync(at).toSorted()).toEqual(["empty", "names"]);
    const names = readdirSync(join(at, "names"), { encoding: "buffer" }).map((name) =>
      Buffer.from(name).toString("hex"),
    );
    expect(names.toSorted()).toEqual(picked.map((name) => name.toString("hex")).toSorted());
    expect(readdirSync(join(at, "empty"))).toEqual(["deeper"]);
  });

  test("any names: what was listed, picked and restored is what was backed up", async () => {
    const [names = []] = fc.sample(fc.uniqueArray(anyName, { minLength: 120, maxLength: 120 }), {
      numRuns: 1,
      seed: 11,
    });
    for (const one of names)
      writeFileSync(Buffer.concat([Buffer.from(`${world.source}/`), Buffer.from(one, "latin1")]), one);
    const id = await world.backedUp();
    const access = world.given.tools.restic();
    if (!access.ok) throw new Error("no restic");
    const listed: string[] = [];
    await ls(
      access.context,
      { snapshotId: id, folder: world.source },
      { onEntry: ({ path }) => void listed.push(path) },
    );
    const picked = listed.filter((_, i) => i % 3 !== 0);
    const { where, issue_count } = await world.restored(world.wish(id, { paths: picked }));
    expect(issue_count).toBe(0);
    // Two names that differ only in bytes that are no UTF-8 are one to whoever picks.
    const texts = new Set(picked);
    const wanted = names.filter((one) => texts.has(`${world.source}/${asListed(one)}`));
    const back = readdirSync(join(where, world.source), { encoding: "buffer" }).map((one) =>
      Buffer.from(one).toString("latin1"),
    );
    expect(back.toSorted()).toEqual(wanted.toSorted());
  });

  test("the command to copy does the same in a shell", async () => {
    oddTree(world.source);
    const id = await world.backedUp();
    const paths = ["names/star*[?]", "names/new\nline", "names/'quote'", "names/-dash", "links"].map((one) =>
      join(world.source, one),
    );
    const result = await world.restored(world.wish(id, { paths }));
    expect(result.command).not.toContain("a password");
    const other = join(world.folder, "by-hand");
    const command = (result.command ?? "").replaceAll(result.where, other);
    const access = world.given.tools.restic();
    if (!access.ok) throw new Error("no restic");
    const shell = Bun.spawnSync(["/bin/sh", "-c", command], {
      env: {
        PATH: `${join(access.context.program, "..")}:/usr/bin:/bin`,
        RESTIC_PASSWORD: "a password",
        HOME: world.folder,
      },
    });
    expect(shell.stderr.toString()).toBe("");
    expect(factsOf(other)).toEqual(factsOf(result.where));
  });

  test("a dry run tells what would come and writes nothing", async () => {
    oddTree(world.source);
    const id = await world.backedUp();
    const tried = await world.restored(world.wish(id, { dry_run: true, verify: true }));
    expect(tried).toMatchObject({ dry_run: true, complete: true, verified: false, issue_count: 0 });
    expect(existsSync(join(world.folder, "restored"))).toBe(false);
    const done = await world.restored(world.wish(id));
    expect(tried.bytes_total).toBe(done.bytes_total);
    expect(tried.files_total).toBe(done.files_total);
    expect(tried.space?.needed).toBe(done.bytes_restored);
  });

  test("what is not in the snapshot is told, and nothing at all is a failure", async () => {
    writeFileSync(join(world.source, "a"), "a");
    const id = await world.backedUp();
    const gone = join(world.source, "gone");
    expect(await world.restored(world.wish(id, { paths: [join(world.source, "a"), gone] }))).toMatchObject({
      issue_count: 1,
      issues: [{ path: gone, message: "is not in the snapshot" }],
    });
    expect(await world.refusal(world.wish(id, { paths: [gone] }))).toMatchObject({ code: "path_missing" });
    const none = ResticId.parse("ab".repeat(32));
    expect(await world.refusal(world.wish(none))).toMatchObject({ code: "snapshot_missing" });
  });

  test("a folder that may not be written, or is not new, is refused by name of the rule", async () => {
    writeFileSync(join(world.source, "a"), "a");
    const id = await world.backedUp();
    const to = (path: string) => world.refusal(world.wish(id, { target: { kind: "folder", path } }));
    expect((await to("/")).message).toContain("root of the machine");
    expect((await to("/proc/x")).message).toContain("/proc");
    expect((await to(join(world.folder, "state/x"))).message).toContain("the agent's own");
    expect((await to(world.source)).message).toContain("not empty");
    expect((await to(join(world.source, "a"))).message).toContain("not a folder");
    expect(readFileSync(join(world.source, "a"), "utf8")).toBe("a");
    expect(await to(join(world.source, "a/below/it"))).toMatchObject({
      code: "target_refused",
      message: expect.stringContaining(`${join(world.source, "a")} is not a folder`),
    });
    expect(await to(join(world.source, "x".repeat(300), "y"))).toMatchObject({
      code: "target_refused",
      message: expect.stringContaining("longer than a file's may be"),
    });
    expect((await to("/sys/x")).code).toBe("target_refused");
  });

  test("folders above what was picked are in no count, and nothing is counted beyond the total", async () => {
    mkdirSync(join(world.source, "a/b"), { recursive: true });
    for (const name of ["a/b/one", "a/b/two", "a/link"]) writeFileSync(join(world.source, name), "backed up");
    const id = await world.backedUp();
    const counts = async (changes: Partial<JobInput<"restore">>): Promise<number[]> => {
      const done = await world.restored(world.wish(id, changes));
      return [
        done.files_restored,
        done.files_skipped,
        done.files_total,
        done.bytes_restored,
        done.bytes_total,
      ];
    };
    const one = [join(world.source, "a/b/one")];
    const inPlace = { target: { kind: "in_place" as const } };
    expect(await counts({ paths: one, dry_run: true })).toEqual([1, 0, 1, 9, 9]);
    expect(await counts({ paths: one })).toEqual([1, 0, 1, 9, 9]);
    expect(await counts({ ...inPlace, paths: one, overwrite: "never" })).toEqual([0, 1, 1, 0, 9]);
    rmSync(one[0] ?? "");
    // a, b, and three files.
    const folder = { ...inPlace, paths: [join(world.source, "a")], overwrite: "if-changed" as const };
    expect(await counts({ ...folder, dry_run: true })).toEqual([3, 2, 5, 9, 27]);
    expect(await counts(folder)).toEqual([3, 2, 5, 9, 27]);
    expect(await counts({ ...folder, overwrite: "always" })).toEqual([2, 3, 5, 0, 27]);
    for (const progress of world.given.progress) {
      const { files_done, files_total = 0 } = progress as JobProgress<"restore">;
      expect(files_done).toBeLessThanOrEqual(files_total);
    }
  });

  test("what is skipped is in the total as well: not all is done before all is there", async () => {
    const file = 128 * 65_536;
    for (let i = 0; i < 8; i += 1) randomFile(join(world.source, `f${i}`));
    const id = await world.backedUp();
    for (let i = 0; i < 4; i += 1) rmSync(join(world.source, `f${i}`));
    const seen: JobProgress<"restore">[] = [];
    const outcome = await runRestore(
      world.wish(id, { target: { kind: "in_place" }, overwrite: "if-changed", verify: true }),
      {
        ...world.given.tools,
        restic: () => world.given.tools.restic({ download_kib_per_s: 12_000 }),
        progress: (one) => void seen.push(one as JobProgress<"restore">),
      },
    );
    expect(outcome.state).toBe("succeeded");
    const restoring = seen.filter((one) => one.phase === "restoring" && one.bytes_done > 0);
    expect(restoring.length).toBeGreaterThan(0);
    for (const one of seen.filter(({ phase }) => phase !== "measuring")) {
      expect(one).toMatchObject({ files_total: 9, bytes_total: 8 * file });
      expect(one.bytes_done).toBeLessThanOrEqual(8 * file);
      expect(one.fraction).toBe(one.bytes_done / (8 * file));
      if (one.phase === "restoring") expect(one.bytes_done).toBeLessThan(8 * file);
      if (one.phase === "verifying") expect(one.bytes_done).toBe(8 * file);
    }
    expect(parseResult("restore", outcome.state === "succeeded" ? outcome.result : {})).toMatchObject({
      bytes_restored: 4 * file,
      bytes_skipped: 4 * file,
      bytes_total: 8 * file,
      files_total: 9,
      files_skipped: 4,
    });
  });

  test.if(AS_ROOT)("ownership that could not be dropped is not said to be", async () => {
    writeFileSync(join(world.source, "a"), "a");
    const id = await world.backedUp();
    const path = join(world.folder, "restored/mine");
    const stays = join(path, "read-only");
    mkdirSync(stays, { recursive: true });
    expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", stays]).exitCode).toBe(0);
    try {
      const result = await world.restored(world.wish(id, { target: { kind: "folder", path } }));
      expect(result).toMatchObject({
        ownership_dropped: false,
        issue_count: 1,
        issues: [{ path: "(ownership)", message: expect.stringContaining("keep the ownership") }],
      });
    } finally {
      Bun.spawnSync(["umount", "--lazy", stays]);
    }
  });

  test("cancelled half-way it says what is there, and the next one brings the rest", async () => {
    // A pack is written when all of it is there: several of them.
    for (let i = 0; i < 8; i += 1) randomFile(join(world.source, `f${i}`));
    const id = await world.backedUp();
    const slow = {
      ...world.given.tools,
      restic: () => world.given.tools.restic({ download_kib_per_s: 12_000 }),
    };
    const target = { kind: "folder" as const, path: join(world.folder, "restored/mine") };
    const running = runRestore(world.wish(id, { target }), {
      ...slow,
      progress(one) {
        world.given.tools.progress(one);
        if (one.phase === "restoring" && (one.bytes_done ?? 0) > 0) world.given.cancel.abort();
      },
    });
    const outcome = await running;
    expect(outcome.state).toBe("cancelled");
    if (outcome.state !== "cancelled") throw new Error("unreachable");
    const left = parseResult("restore", outcome.left) as JobResult<"restore">;
    expect(left).toMatchObject({ complete: false, where: target.path, issue_count: 0 });
    expect(left.bytes_restored).toBeGreaterThan(0);
    expect(left.bytes_restored).toBeLessThan(8 * 128 * 65_536);
    expect(world.given.log.at(-1)).toContain("restored");
    world.given = await testTools(world.folder);
    const again = await world.restored(world.wish(id, { target }));
    expect(again.issue_count).toBe(0);
    expect(factsOf(join(target.path, world.source))).toEqual(factsOf(world.source));
  });
});
