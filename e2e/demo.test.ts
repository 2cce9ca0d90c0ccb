import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { house } from "../script/files.ts";

test("script/demo --once backs this machine up, proves it with plain restic and leaves nothing behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rm-demo-e2e-"));
  const demo = Bun.spawn(["script/demo", "--once"], {
    cwd: house,
    env: { ...process.env, TMPDIR: folder },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(demo.stdout).text(),
    new Response(demo.stderr).text(),
    demo.exited,
  ]);
  expect(err).toBe("");
  expect(out).toContain("restores /usr/share/doc byte for byte");
  expect(code).toBe(0);
  expect(readdirSync(folder).filter((name) => name.startsWith("rm-"))).toEqual([]);
  rmSync(folder, { recursive: true });
});
