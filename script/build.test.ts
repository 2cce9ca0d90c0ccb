import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.ts";
import { house } from "./files.ts";

/** A house with a server and an agent of a few lines, but built as the real ones are. */
let root: string;
const script = "console.log('fleet');".repeat(50);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "rm-build-"));
  for (const folder of ["server", "agent", "built/assets", "elsewhere"])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "package.json"), `{ "version": "9.8.7" }`);
  writeFileSync(
    join(root, "agent/main.ts"),
    `console.log("agent " + RM_VERSION, process.env.FROM_DOTENV ?? "clean");`,
  );
  const http = `${house}/server/platform/http`;
  writeFileSync(
    join(root, "server/main.ts"),
    `import { serveConsole } from "${http}/console-assets.ts";
     import { loadConsole } from "${http}/load-console.ts";
     const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: serveConsole(loadConsole()) });
     console.log(String(server.url));`,
  );
  writeFileSync(join(root, "built/index.html"), "<!doctype html><title>embedded</title>".repeat(20));
  writeFileSync(join(root, "built/assets/main-x1.js"), script);
  await build({ root, fast: true, console: join(root, "built") });
  // What was built must not need the folder it came from.
  rmSync(join(root, "built"), { recursive: true });
  writeFileSync(join(root, "elsewhere/.env"), "FROM_DOTENV=loaded");
  writeFileSync(join(root, "elsewhere/bunfig.toml"), `preload = ["./preload.ts"]`);
  writeFileSync(join(root, "elsewhere/preload.ts"), `console.log("preloaded");`);
}, 60_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("a built executable", () => {
  test("knows its version and runs nothing that lies in the current folder", async () => {
    const agent = Bun.spawn([join(root, "dist/restic-manager-agent")], {
      cwd: join(root, "elsewhere"),
      env: {},
      stdout: "pipe",
    });
    expect(await new Response(agent.stdout).text()).toBe("agent 9.8.7 clean\n");
    expect(await agent.exited).toBe(0);
  });

  test("serves the console from inside itself, compressed", async () => {
    const server = Bun.spawn([join(root, "dist/restic-manager-server")], { env: {}, stdout: "pipe" });
    try {
      const { value } = await server.stdout.getReader().read();
      const url = new TextDecoder().decode(value).trim();
      const page = await fetch(url);
      expect(page.headers.get("content-encoding")).toBe("br");
      expect(await page.text()).toContain("<title>embedded</title>");
      const asset = await fetch(`${url}assets/main-x1.js`, { headers: { "accept-encoding": "identity" } });
      expect(asset.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
      expect(await asset.text()).toBe(script);
      expect((await fetch(`${url}assets/main-x2.js`)).status).toBe(404);
    } finally {
      server.kill();
      await server.exited;
    }
  });

  test("lies beside the sum of its bytes, and nothing half-made is left", () => {
    const dist = join(root, "dist");
    expect(readdirSync(dist).toSorted()).toEqual([
      "SHA256SUMS",
      "restic-manager-agent",
      "restic-manager-server",
    ]);
    const sum = createHash("sha256")
      .update(readFileSync(join(dist, "restic-manager-agent")))
      .digest("hex");
    expect(readFileSync(join(dist, "SHA256SUMS"), "utf8")).toContain(`${sum}  restic-manager-agent\n`);
  });
});
