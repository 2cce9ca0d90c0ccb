import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Program } from "../../script/trial/program.ts";
import { eraOf } from "./era.ts";
import { compileShim, Distortion } from "./shim.ts";

/** Says the time, commits to a database, and says it again, whenever it is asked. */
const PROGRAM = `
  import { Database } from "bun:sqlite";
  const db = new Database(process.argv[1]);
  db.run("pragma synchronous = full");
  db.run("create table t (n)");
  for await (const line of console) {
    const began = performance.now();
    db.run("insert into t values (1)");
    const ms = performance.now() - began;
    console.log(line + ": " + Date.now() + " " + ms + " " + new Date().getTimezoneOffset());
  }`;

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "rm-shim-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a program's clock moves, crosses a change of its zone, and its commits become slow, while it runs", async () => {
  const shim = compileShim(folder);
  // script/setup sees to a compiler; without one the harness says what it leaves out, and this test has nothing to look at.
  if ("why" in shim) throw new Error(shim.why);
  const { zone, change } = eraOf(1);
  const distortion = new Distortion(shim.path, join(folder, "control"), change - 5_000);
  const child = Bun.spawn([process.execPath, "-e", PROGRAM, join(folder, "x.db")], {
    env: { PATH: "/usr/bin:/bin", TZ: zone, ...distortion.env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const said = child.stdout.pipeThrough(new TextDecoderStream() as never).getReader();
  const ask = async (word: string): Promise<{ now: number; commitMs: number; offset: number }> => {
    void child.stdin.write(`${word}\n`);
    await child.stdin.flush();
    const { value } = await said.read();
    const [, now, ms, offset] = /: (\d+) (\S+) (-?\d+)/.exec(String(value)) ?? [];
    return { now: Number(now), commitMs: Number(ms), offset: Number(offset) };
  };
  try {
    const before = await ask("before");
    expect(Math.abs(before.now - distortion.now)).toBeLessThan(2_000);
    expect(before.offset).toBe(-120);
    distortion.moveClock(change + 1_000);
    const after = await ask("after");
    expect(after.now).toBeWithin(change + 1_000, change + 60_000);
    expect(after.offset).toBe(-60);
    distortion.slowFsync(150);
    expect((await ask("slow")).commitMs).toBeGreaterThanOrEqual(150);
    distortion.slowFsync(0);
    distortion.moveClock(distortion.home);
    expect((await ask("home")).now).toBeLessThan(change);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
});

test("a program without the shim's file lives in true time", async () => {
  const shim = compileShim(folder);
  if ("why" in shim) throw new Error(shim.why);
  const program = new Program({
    name: "clock",
    argv: [process.execPath, "-e", "console.log('now', Date.now())"],
    env: { LD_PRELOAD: shim.path },
    logFile: join(folder, "log"),
  });
  const [, now] = await program.says(/now (\d+)/);
  await program.stop();
  expect(Math.abs(Number(now) - Date.now())).toBeLessThan(60_000);
});
