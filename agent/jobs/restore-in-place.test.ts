import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JobInput } from "@restic-manager/protocol/jobs";
import { factsOf, oddTree } from "../testing/odd-tree.ts";
import { AS_ROOT, restoreWorld } from "../testing/restore-world.ts";

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
