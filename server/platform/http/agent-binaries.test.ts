import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveAgentBinaries } from "./agent-binaries.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rm-binaries-"));
  writeFileSync(join(folder, "restic-manager-agent"), "first build");
  writeFileSync(join(folder, "SHA256SUMS"), "not for everyone");
});
afterAll(() => rmSync(folder, { recursive: true }));

const request = (query: string) => new Request(`http://server.test/agent/binary?${query}`);
const sum = (text: string) => createHash("sha256").update(text).digest("hex");

test("the agent comes with a sum in the form that sha256sum checks", async () => {
  const { binary, sha256 } = serveAgentBinaries(folder);
  const response = binary(request("os=linux&arch=x64"));
  expect(response.status).toBe(200);
  expect(await response.text()).toBe("first build");
  expect(await (await sha256(request("os=linux&arch=x64"))).text()).toBe(
    `${sum("first build")}  restic-manager-agent\n`,
  );
});

test("the sum follows the file when that is replaced under a running server", async () => {
  const { sha256 } = serveAgentBinaries(folder);
  await sha256(request("os=linux&arch=x64"));
  rmSync(join(folder, "restic-manager-agent"));
  writeFileSync(join(folder, "restic-manager-agent"), "second build, longer");
  expect(await (await sha256(request("os=linux&arch=x64"))).text()).toStartWith(sum("second build, longer"));
});

test.each([
  ["os=linux&arch=sparc", "Ask with os/arch"],
  ["os=plan9&arch=x64", "Ask with os/arch"],
  ["os=..&arch=SHA256SUMS", "Ask with os/arch"],
  ["os=__proto__&arch=x64", "Ask with os/arch"],
  ["", "Ask with os/arch"],
  ["os=linux&arch=arm64", "Run script/build"],
])("%p is refused with a word on what to do: %s", async (query, advice) => {
  const { binary, sha256 } = serveAgentBinaries(folder);
  for (const response of [binary(request(query)), await sha256(request(query))]) {
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ code: "not_found", message: expect.stringContaining(advice) });
  }
});
