import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { getPriority } from "node:os";
import { behindOthers } from "./behind-others.ts";

test("every thread of a running program goes behind, those that it starts afterwards as well", async () => {
  const script = "process.stdin.once('data', () => console.log('more')); console.log('ready');";
  const child = Bun.spawn([process.execPath, "-e", script], { stdin: "pipe", stdout: "pipe" });
  const said = child.stdout.getReader();
  try {
    await said.read();
    const threads = () => readdirSync(`/proc/${child.pid}/task`).map(Number);
    expect(threads().length).toBeGreaterThan(1);
    behindOthers(child.pid);
    const place = Math.min(19, getPriority() + 10);
    expect(new Set(threads().map((thread) => getPriority(thread)))).toEqual(new Set([place]));
    void child.stdin.write("go\n");
    await child.stdin.flush();
    await said.read();
    expect(new Set(threads().map((thread) => getPriority(thread)))).toEqual(new Set([place]));
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
  // It is over: nothing to move, and nothing to complain of.
  behindOthers(child.pid);
});
