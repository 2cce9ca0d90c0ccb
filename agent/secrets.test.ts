import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentConfig } from "@restic-manager/protocol/config";
import fc from "fast-check";
import { readSecrets, SecretsError, writeSecrets } from "./secrets.ts";

const HOST = "01K2Z7M8N9P0Q1R2S3T4V5W6X7";
const config = AgentConfig.parse({
  version: 3,
  host_name: "web-1",
  repository: {
    url: "rest:https://r.example/web-1",
    username: "web-1",
    password: "hunter22",
    repository_password: "s3cr3t",
  },
  bandwidth: { upload_kib_per_s: 512 },
});

const newKey = () => crypto.getRandomValues(new Uint8Array(32));
const key = newKey();
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rm-secrets-"));
  path = join(folder, "secrets.enc");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function refused(withKey: Uint8Array<ArrayBuffer> = key, host = HOST): Promise<void> {
  const before = readFileSync(path);
  let error: unknown;
  try {
    await readSecrets(path, withKey, host);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(SecretsError);
  expect((error as SecretsError).message).toContain(path);
  expect(readFileSync(path).equals(before)).toBe(true);
}

test("there is nothing before the first configuration", async () => {
  expect(await readSecrets(path, key, HOST)).toBeUndefined();
});

test("what was sealed is opened again; the file is private and shows no secret", async () => {
  await writeSecrets(path, key, HOST, config);
  expect(await readSecrets(path, key, HOST)).toEqual(config);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const raw = readFileSync(path, "latin1");
  for (const word of ["hunter22", "s3cr3t", "web-1", "repository"]) expect(raw).not.toContain(word);
});

test("the same configuration is never sealed into the same bytes", async () => {
  await writeSecrets(path, key, HOST, config);
  const first = readFileSync(path);
  await writeSecrets(path, key, HOST, config);
  expect(readFileSync(path).equals(first)).toBe(false);
});

test("another key, or another host, does not open it", async () => {
  await writeSecrets(path, key, HOST, config);
  await refused(newKey());
  await refused(key, "01K2Z7M8N9P0Q1R2S3T4V5W6X8");
});

test("one changed bit anywhere, or any cut, is refused with the file's name, and the file is left as it is", async () => {
  await writeSecrets(path, key, HOST, config);
  const good = readFileSync(path);
  await fc.assert(
    fc.asyncProperty(fc.nat(good.byteLength - 1), fc.nat(7), fc.boolean(), async (at, bit, cut) => {
      const bad = Buffer.from(cut ? good.subarray(0, at) : good);
      if (!cut) bad.writeUInt8(bad.readUInt8(at) ^ (1 << bit), at);
      writeFileSync(path, bad);
      await refused();
    }),
  );
});

test("a sealed file of another shape is refused", async () => {
  await writeSecrets(path, key, HOST, { ...config, version: -1 });
  await refused();
});

test("a file that is far too large is refused unread", async () => {
  writeFileSync(path, Buffer.alloc(1024 * 1024 + 1));
  await refused();
});
