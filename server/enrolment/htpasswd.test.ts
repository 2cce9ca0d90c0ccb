import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { htpasswdLine } from "./htpasswd.ts";
import { mintPassword } from "./token.ts";

const restServer = [Bun.which("rest-server"), join(import.meta.dir, "../../.tools/restic/rest-server")].find(
  (path) => path !== null && path !== undefined && existsSync(path),
);

test("a real rest-server lets in whoever has the password, and nobody else", async () => {
  const accounts = {
    minted: mintPassword(),
    chosen: "pä$$ wörd: 'quoted'",
    long: "x".repeat(100),
  };
  const folder = mkdtempSync(join(tmpdir(), "rm-htpasswd-"));
  const lines = [];
  for (const [name, password] of Object.entries(accounts))
    lines.push(await htpasswdLine(name, password, name === "minted" ? "minted" : "chosen"));
  expect(lines[0]).toMatch(/^minted:\$2y\$05\$[./A-Za-z0-9]{53}$/);
  writeFileSync(join(folder, ".htpasswd"), `${lines.join("\n")}\n`);
  const server = Bun.spawn([restServer ?? "rest-server", "--path", folder, "--listen", "127.0.0.1:0"], {
    stdout: "pipe",
    stderr: "pipe",
    env: {},
  });
  try {
    const address = await listenAddress([server.stdout, server.stderr]);
    const status = async (name: string, password: string) => {
      const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
      return (await fetch(`http://${address}/config`, { headers: { authorization } })).status;
    };
    for (const [name, password] of Object.entries(accounts)) {
      expect([name, await status(name, password)]).toEqual([name, 404]);
      expect([name, await status(name, `${password.slice(0, 20)}y`)]).toEqual([name, 401]);
    }
  } finally {
    server.kill();
    await server.exited;
    rmSync(folder, { recursive: true, force: true });
  }
}, 20_000);

/** The free port it took, from its own words. */
async function listenAddress(outputs: ReadableStream<Uint8Array>[]): Promise<string> {
  const first = await Promise.race(
    outputs.map(async (output) => {
      let said = "";
      for await (const piece of output.values({ preventCancel: true })) {
        said += new TextDecoder().decode(piece);
        const address = /(127\.0\.0\.1:[1-9]\d*)/.exec(said)?.[1];
        if (address !== undefined) return address;
      }
      return new Promise<string>(() => undefined);
    }),
  );
  return first;
}
