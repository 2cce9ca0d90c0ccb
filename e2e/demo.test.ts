import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { house } from "../script/files.ts";

test("script/demo --once backs this machine up, proves it with plain restic and leaves nothing behind", async () => {
  const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith("rm-demo-"));
  const before = left();
  const demo = Bun.spawn(["script/demo", "--once"], {
    cwd: house,
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
  expect(left()).toEqual(before);
});
