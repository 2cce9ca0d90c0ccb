import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Program } from "./program.ts";

let folder: string;
let started: Program[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rm-program-"));
  started = [];
});
afterEach(async () => {
  for (const program of started) await program.stop(0);
  rmSync(folder, { recursive: true });
});

function shell(line: string): Program {
  const program = new Program({
    name: "the example",
    argv: ["/bin/sh", "-c", line],
    logFile: join(folder, "example.log"),
  });
  started.push(program);
  return program;
}

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no failure",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

test("what a program says is waited for, and kept", async () => {
  const program = shell("echo listens on 127.0.0.1:4711; echo careful >&2; exec sleep 60");
  expect((await program.says(/listens on (\S+)/))[1]).toBe("127.0.0.1:4711");
  await program.says(/careful/);
  expect(readFileSync(join(folder, "example.log"), "utf8")).toContain("careful");
});

test("a program that ends too early shows its last words", async () => {
  const program = shell("echo the disk is full >&2; exit 3");
  const failure = await failureOf(program.says(/ready/));
  expect(failure).toContain("the example ended with 3");
  expect(failure).toContain("the disk is full");
  expect(await failureOf(program.mustRun())).toContain("the disk is full");
});

test("a program that never says it is not waited for without end", async () => {
  const program = shell("echo starting; exec sleep 60");
  await program.says(/starting/);
  expect(await failureOf(program.says(/ready/, 0))).toContain("is not ready after 0 s");
});

test("stopping a program that does not listen ends it and what it started", async () => {
  const program = shell(`trap '' TERM; sleep 61 & echo child $!; while :; do sleep 62; done`);
  const [, child] = await program.says(/child (\d+)/);
  await program.stop(0);
  // The kernel takes its moment to end what was killed, and one that has ended may be a zombie until its new parent has looked;
  // one that lives on keeps this test from ending.
  const lives = () =>
    existsSync(`/proc/${child}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${child}/stat`, "utf8"));
  while (lives()) await new Promise((resolve) => setImmediate(resolve));
  expect(lives()).toBe(false);
});
