import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockState, StateInUse } from "./state-lock.ts";

test("a second agent on the same state folder is refused until the first has ended, also by kill -9", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rm-lock-"));
  const path = join(folder, "agent.lock");
  const code = `
    import { lockState } from ${JSON.stringify(join(import.meta.dirname, "state-lock.ts"))};
    // Kept, or the lock would go with the garbage.
    globalThis.unlock = lockState(${JSON.stringify(path)});
    process.stdout.write("locked");
    setInterval(() => {}, 1 << 30);
  `;
  const first = Bun.spawn([process.execPath, "-e", code], { stdin: "ignore", stdout: "pipe" });
  try {
    await first.stdout.getReader().read();
    expect(() => lockState(path)).toThrow(StateInUse);
    first.kill("SIGKILL");
    await first.exited;
    lockState(path)();
    lockState(path)();
  } finally {
    first.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});
