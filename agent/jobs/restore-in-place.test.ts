import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { JobInput } from "@restic-manager/protocol/jobs";
import { factsOf, oddTree } from "../testing/odd-tree.ts";
import { extendedAttributes } from "../testing/xattr.ts";
import { AS_ROOT, restoreWorld } from "../testing/restore-world.ts";
import { runRestore } from "./restore.ts";

// Each call that opens a repository costs 0.5 s of CPU, more on a shared machine.
setDefaultTimeout(120_000);

const world = restoreWorld();

describe("in place", () => {
  test("deleted files come back with their owners, and what was changed as it was", async () => {
    oddTree(world.source);
    const before = factsOf(world.source);
    const id = await world.backedUp();
    rmSync(join(world.source, "names"), { recursive: true });
    rmSync(join(world.source, "links"), { recursive: true });
    rmSync(join(world.source, "program"));
    writeFileSync(join(world.source, "private"), "changed");
    writeFileSync(join(world.source, "new"), "stays");
    const result = await world.restored(world.wish(id, { target: { kind: "in_place" } }));
    expect(result).toMatchObject({ in_place: true, where: "/", ownership_dropped: false, issue_count: 0 });
    rmSync(join(world.source, "new"));
    // The folder's own time was put back as well; only what the test did afterwards shows.
    expect(factsOf(world.source)).toEqual(before);
  });

  test("overwrites as told, and deletes only when told", async () => {
    for (const name of ["old", "same", "young"]) {
      writeFileSync(join(world.source, name), "backed up");
      utimesSync(join(world.source, name), 1_000_000, 1_000_000);
    }
    const id = await world.backedUp();
    const spoil = (): void => {
      writeFileSync(join(world.source, "old"), "from before");
      utimesSync(join(world.source, "old"), 900_000, 900_000);
      writeFileSync(join(world.source, "young"), "from after");
      writeFileSync(join(world.source, "extra"), "x");
    };
    const content = (): string[] =>
      readdirSync(world.source)
        .toSorted()
        .map((name) => readFileSync(join(world.source, name), "utf8"));
    const again = async (changes: Partial<JobInput<"restore">>) => {
      spoil();
      const result = await world.restored(world.wish(id, { target: { kind: "in_place" }, ...changes }));
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
    expect(tried.result.deleted).toEqual([join(world.source, "extra")]);
    expect(tried.content).toEqual(["x", "from before", "backed up", "from after"]);
    const done = await again({ delete: true });
    expect(done.content).toEqual(["backed up", "backed up", "backed up"]);
    expect(done.result).toMatchObject({ files_deleted: 1, deleted: [join(world.source, "extra")] });
  });

  test("the folders above what was picked keep their own mode, owner and times", async () => {
    const odd = Buffer.concat([Buffer.from(`${world.source}/`), Buffer.from("caf\xe9", "latin1")]);
    mkdirSync(odd);
    writeFileSync(Buffer.concat([odd, Buffer.from("/file")]), "backed up");
    mkdirSync(join(world.source, "a/picked"), { recursive: true });
    writeFileSync(join(world.source, "a/file"), "backed up");
    writeFileSync(join(world.source, "a/picked/file"), "backed up");
    mkdirSync(join(world.folder, "elsewhere/deep"), { recursive: true });
    mkdirSync(join(world.source, "linked/deep"), { recursive: true });
    writeFileSync(join(world.source, "linked/deep/file"), "backed up");
    utimesSync(join(world.source, "a/picked"), 900_000, 900_000);
    chmodSync(join(world.source, "a/picked"), 0o711);
    const id = await world.backedUp();
    const above = [world.folder, world.source, join(world.source, "a"), odd, join(world.folder, "elsewhere")];
    rmSync(join(world.source, "linked"), { recursive: true });
    symlinkSync("../elsewhere", join(world.source, "linked"));
    lutimesSync(join(world.source, "linked"), 1_000_000, 1_000_000);
    const facts = (): unknown =>
      [...above, join(world.source, "linked")].map((path) => {
        const { mode, uid, gid, mtimeMs, ino } = lstatSync(path);
        return { mode, uid, gid, mtimeMs, ino };
      });
    const picks = ["a/file", "caf\ufffd/file", "linked/deep/file"];
    for (const overwrite of ["never", "if-changed", "always"] as const) {
      for (const there of [false, true]) {
        if (!there)
          for (const name of ["a/file", "linked/deep/file"])
            rmSync(join(world.source, name), { force: true });
        for (const folder of above) {
          chmodSync(folder, 0o700);
          if (AS_ROOT) chownSync(folder, 1_234, 2_345);
          utimesSync(folder, 1_000_000.5, 1_000_000.5);
        }
        const before = facts();
        const paths = picks.map((name) => join(world.source, name));
        await world.restored(world.wish(id, { target: { kind: "in_place" }, overwrite, paths }));
        expect(facts()).toEqual(before);
        expect(readFileSync(join(world.source, "a/file"), "utf8")).toBe("backed up");
        expect(readFileSync(join(world.folder, "elsewhere/deep/file"), "utf8")).toBe("backed up");
      }
    }
    // A folder that was picked is to be as it was saved.
    const picked = join(world.source, "a/picked");
    chmodSync(picked, 0o700);
    const before = facts();
    await world.restored(world.wish(id, { target: { kind: "in_place" }, paths: [picked] }));
    expect(facts()).toEqual(before);
    expect(lstatSync(picked).mode & 0o777).toBe(0o711);
    expect(lstatSync(picked).mtimeMs).toBe(900_000_000);
  });

  test("files of one folder leave its extended attributes, and the command to copy does the same", async () => {
    const odd = join(world.source, "odd: *[?] $HOME 'x' \n\\ ");
    mkdirSync(odd);
    const files = ["one", "two*", "caf\u00e9\n"].map((name) => join(odd, name));
    for (const path of files) writeFileSync(path, "backed up");
    const id = await world.backedUp();
    const attributes = extendedAttributes();
    const marked = attributes.set(odd, "user.colour", "blue");
    utimesSync(odd, 1_000_000, 1_000_000);
    for (const path of files) rmSync(path);
    writeFileSync(join(odd, "two-not"), "stays");
    writeFileSync(join(odd, "stays"), "stays");
    const paths = [...files, join(odd, "gone")];
    const wish = world.wish(id, { target: { kind: "in_place" }, paths, delete: true });
    const result = await world.restored(wish);
    expect(result).toMatchObject({
      files_restored: 3,
      files_total: 3,
      files_deleted: 0,
      issues: [{ path: join(odd, "gone") }],
      where: "/",
    });
    const all = ["caf\u00e9\n", "one", "stays", "two*", "two-not"];
    expect(readdirSync(odd).toSorted()).toEqual(all);
    if (marked) expect(attributes.get(odd, "user.colour")).toBe("blue");
    for (const path of files) rmSync(path);
    const access = world.given.tools.restic();
    if (!access.ok) throw new Error("no restic");
    const shell = Bun.spawnSync(["/bin/sh", "-c", result.command ?? ""], {
      env: {
        PATH: `${join(access.context.program, "..")}:/usr/bin:/bin`,
        RESTIC_PASSWORD: "a password",
        HOME: world.folder,
      },
    });
    expect(shell.stderr.toString()).toBe("");
    expect(readdirSync(odd).toSorted()).toEqual(all);
    expect(await world.refusal({ ...wish, paths: [join(world.source, "none/at/all")] })).toMatchObject({
      code: "path_missing",
    });
    mkdirSync(join(world.source, "new"));
    expect(await world.refusal({ ...wish, paths: [join(world.source, "new/file")] })).toMatchObject({
      code: "path_missing",
    });
  });

  test("the folders above are put back when a restore in place is cancelled", async () => {
    // A pack is written when all of it is there: several of them.
    const block = new Uint8Array(65_536);
    for (let i = 0; i < 8; i += 1) {
      const parts = Array.from({ length: 128 }, () => crypto.getRandomValues(block).slice());
      writeFileSync(join(world.source, `f${i}`), Buffer.concat(parts));
    }
    const id = await world.backedUp();
    const paths = Array.from({ length: 8 }, (_, i) => join(world.source, `f${i}`));
    for (const path of paths) rmSync(path);
    chmodSync(world.source, 0o711);
    utimesSync(world.source, 1_000_000, 1_000_000);
    const outcome = await runRestore(world.wish(id, { target: { kind: "in_place" }, paths }), {
      ...world.given.tools,
      restic: () => world.given.tools.restic({ download_kib_per_s: 12_000 }),
      progress(one) {
        if (one.phase === "restoring" && "bytes_done" in one && (one.bytes_done ?? 0) > 0)
          world.given.cancel.abort();
      },
    });
    expect(outcome.state).toBe("cancelled");
    expect(readdirSync(world.source).length).toBeGreaterThan(0);
    expect(lstatSync(world.source).mode & 0o777).toBe(0o711);
    expect(lstatSync(world.source).mtimeMs).toBe(1_000_000_000);
  });

  test("a link or a file in the place of a folder above what was picked is refused and stays", async () => {
    mkdirSync(join(world.source, "linked"));
    mkdirSync(join(world.source, "taken/deep"), { recursive: true });
    writeFileSync(join(world.source, "linked/file"), "backed up");
    writeFileSync(join(world.source, "taken/deep/file"), "backed up");
    const id = await world.backedUp();
    mkdirSync(join(world.folder, "elsewhere"));
    for (const name of ["linked", "taken"]) rmSync(join(world.source, name), { recursive: true });
    symlinkSync("../elsewhere", join(world.source, "linked"));
    writeFileSync(join(world.source, "taken"), "a file now");
    const wanted = (name: string) =>
      world.refusal(world.wish(id, { target: { kind: "in_place" }, paths: [join(world.source, name)] }));
    expect(await wanted("linked/file")).toMatchObject({
      code: "target_refused",
      message: expect.stringContaining("is a link on this machine"),
    });
    expect(lstatSync(join(world.source, "linked")).isSymbolicLink()).toBe(true);
    for (const name of ["taken/deep", "taken/deep/file"])
      expect(await wanted(name)).toMatchObject({
        code: "target_refused",
        message: expect.stringContaining("taken is not a folder"),
      });
    expect(await wanted("x".repeat(300))).toMatchObject({
      code: "target_refused",
      message: expect.stringContaining("longer than a file's may be"),
    });
    expect(readFileSync(join(world.source, "taken"), "utf8")).toBe("a file now");
  });

  test("on Windows it is refused, where restic would write to another place", async () => {
    writeFileSync(join(world.source, "a"), "a");
    const id = await world.backedUp();
    const places = { restoreDir: join(world.folder, "restored"), own: [], platform: "win32" as const };
    world.given.tools = { ...world.given.tools, places };
    for (const dry_run of [false, true])
      expect(await world.refusal(world.wish(id, { target: { kind: "in_place" }, dry_run }))).toMatchObject({
        code: "target_refused",
        message: "On Windows files cannot be restored to where they were.",
      });
  });

  test("a link above what is picked does not lead to what the agent keeps", async () => {
    // At the backup it was a folder, since then a link leads to the agent's state, which is itself named through a link.
    mkdirSync(join(world.source, "way/agent"), { recursive: true });
    writeFileSync(join(world.source, "way/agent/agent.db"), "old");
    const id = await world.backedUp();
    const real = join(world.folder, "real");
    mkdirSync(join(real, "agent"), { recursive: true });
    writeFileSync(join(real, "agent/agent.db"), "now, and longer");
    symlinkSync("real", join(world.folder, "alias"));
    rmSync(join(world.source, "way"), { recursive: true });
    symlinkSync("../real", join(world.source, "way"));
    for (const own of [join(real, "agent"), join(world.folder, "alias/agent")]) {
      const places = { restoreDir: join(world.folder, "restored"), own: [own] };
      world.given.tools = { ...world.given.tools, places };
      const paths = [join(world.source, "way/agent/agent.db")];
      expect(await world.refusal(world.wish(id, { target: { kind: "in_place" }, paths }))).toMatchObject({
        code: "target_refused",
        message: expect.stringContaining(own),
      });
    }
    expect(readFileSync(join(real, "agent/agent.db"), "utf8")).toBe("now, and longer");
  });

  test("never writes over what the agent keeps while it runs, nor deletes it", async () => {
    // The agent's state lies in what is backed up.
    const inside = join(world.source, "agent");
    mkdirSync(inside);
    writeFileSync(join(inside, "agent.db"), "old");
    writeFileSync(join(world.source, "other"), "old");
    const id = await world.backedUp();
    writeFileSync(join(inside, "agent.db"), "now, and longer");
    const places = { restoreDir: join(world.folder, "restored"), own: [inside] };
    world.given.tools = { ...world.given.tools, places };
    const target = { kind: "in_place" as const };
    expect(await world.refusal(world.wish(id, { target }))).toMatchObject({
      code: "target_refused",
      message: expect.stringContaining(inside),
    });
    expect(readFileSync(join(inside, "agent.db"), "utf8")).toBe("now, and longer");
    expect(
      await world.restored(world.wish(id, { target, paths: [join(world.source, "other")] })),
    ).toMatchObject({
      issue_count: 0,
    });
    // It was not there yet at the backup, so `delete` would take it.
    rmSync(inside, { recursive: true });
    const without = await world.backedUp();
    mkdirSync(inside);
    writeFileSync(join(inside, "agent.db"), "now");
    expect(await world.refusal(world.wish(without, { target, delete: true }))).toMatchObject({
      code: "target_refused",
    });
    expect(readFileSync(join(inside, "agent.db"), "utf8")).toBe("now");
  });
});

describe.skipIf(!AS_ROOT)("on disks of its own", () => {
  const mounted: string[] = [];
  const mount = (name: string, options: string): string => {
    const path = join(world.folder, name);
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
    writeFileSync(join(world.source, "a"), "a");
    const id = await world.backedUp();
    const path = mount("read-only", "ro");
    expect(
      await world.refusal(world.wish(id, { target: { kind: "folder", path: join(path, "new/folder") } })),
    ).toMatchObject({
      code: "target_refused",
      message: expect.stringContaining("ProtectSystem=strict"),
      hint: expect.stringContaining(`ReadWritePaths=${path}`),
    });
    rmSync(world.source, { recursive: true });
    mkdirSync(world.source);
    Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", world.source]);
    mounted.push(world.source);
    expect(await world.refusal(world.wish(id, { target: { kind: "in_place" } }))).toMatchObject({
      code: "target_refused",
    });
  });

  test("without enough room nothing is begun", async () => {
    writeFileSync(join(world.source, "large"), crypto.getRandomValues(new Uint8Array(60_000)).slice());
    for (let i = 0; i < 40; i += 1)
      writeFileSync(join(world.source, `f${i}`), crypto.getRandomValues(new Uint8Array(60_000)));
    const id = await world.backedUp();
    const path = join(mount("small", "size=1m"), "restored");
    expect(await world.refusal(world.wish(id, { target: { kind: "folder", path } }))).toMatchObject({
      code: "disk_full",
      message: expect.stringMatching(/2\.3 MiB are to be written.*1\.0 MiB free/),
    });
    expect(existsSync(path)).toBe(false);
    const tried = await world.restored(world.wish(id, { target: { kind: "folder", path }, dry_run: true }));
    expect(tried.space).toMatchObject({ enough: false });
  });
});
