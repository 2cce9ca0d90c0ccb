import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRestServers } from "./rest-servers.ts";

const ask = (url: string, method: string, account?: string) =>
  fetch(url.replace(/^rest:/, ""), {
    method,
    ...(account ? { headers: { Authorization: `Basic ${btoa(account)}` } } : {}),
  }).then((response) => response.status);

test("a machine may add and not delete, an administrator both, and nobody else anything", async () => {
  const program =
    process.env["RM_TEST_REST_SERVER"] || join(import.meta.dir, "../../.tools/restic/rest-server");
  const folder = mkdtempSync(join(tmpdir(), "rm-rest-"));
  const servers = await startRestServers(program, folder);
  try {
    const hash = await Bun.password.hash("machine password", { algorithm: "bcrypt", cost: 4 });
    servers.admit(`machine:${hash}`);
    await servers.programs[0]?.says(/[Rr]eloaded|[Ll]oaded[\s\S]*[Ll]oaded/);
    const machine = "machine:machine password";
    const admin = `${servers.admin.username}:${servers.admin.password}`;
    expect(await ask(`${servers.everydayUrl}repo/?create=true`, "POST")).toBe(401);
    expect(await ask(`${servers.everydayUrl}repo/?create=true`, "POST", machine)).toBe(200);
    expect(await ask(`${servers.everydayUrl}repo/config`, "DELETE", machine)).toBe(403);
    expect(await ask(`${servers.adminUrl}repo/config`, "DELETE", machine)).toBe(401);
    expect(await ask(`${servers.everydayUrl}repo/config`, "HEAD", admin)).toBe(401);
    expect(await ask(`${servers.adminUrl}repo/?create=true`, "POST", admin)).toBe(200);
  } finally {
    for (const one of servers.programs) await one.stop();
    rmSync(folder, { recursive: true });
  }
});
