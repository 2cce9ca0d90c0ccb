import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  AgentFile,
  AgentFileError,
  readAgentFile,
  sealingKey,
  secretsIn,
  writeAgentFile,
} from "./agent-file.ts";

const KEY = Buffer.alloc(32, 7).toString("base64");
const file = AgentFile.parse({
  server: "https://backup.example:8443",
  host_id: "01K2Z7M8N9P0Q1R2S3T4V5W6X7",
  bearer: "rma_1e5",
  sealing_key: KEY,
});

let folder: string;
let path: string;
let warnings: string[];
const read = () => readAgentFile(path, (message) => warnings.push(message));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rm-agent-file-"));
  path = join(folder, "agent.yaml");
  warnings = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function refused(content: string | Uint8Array): AgentFileError {
  writeFileSync(path, content, { mode: 0o600 });
  let error: unknown;
  try {
    read();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(AgentFileError);
  expect(Buffer.compare(readFileSync(path), Buffer.from(content))).toBe(0);
  return error as AgentFileError;
}

test("a machine that was never enrolled has no file", () => {
  expect(read()).toBeUndefined();
});

test("what was written is read again, and only the owner may read it", () => {
  const full = {
    ...file,
    tls: { ca_file: "/etc/ca.pem", pin_sha256: "ab".repeat(32) },
    restic_path: "/opt/restic",
  };
  writeAgentFile(path, full);
  expect(read()).toEqual(full);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(sealingKey(full)).toEqual(new Uint8Array(32).fill(7));
});

test("any bearer and any path come back as they were, however they look in YAML", () => {
  const printable = fc.string({
    minLength: 1,
    maxLength: 60,
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  });
  const anyText = fc.string({ minLength: 1, maxLength: 60, unit: "binary" });
  fc.assert(
    fc.property(printable, anyText, (bearer, restic_path) => {
      writeAgentFile(path, { ...file, bearer, restic_path });
      expect(read()).toEqual({ ...file, bearer, restic_path });
    }),
    {
      numRuns: 300,
      examples: [
        ["yes", "~"],
        ["1e5", "- a"],
        ["#x", "a: b"],
        ["2020-01-01", "\u0085\ufeff"],
      ],
    },
  );
});

test("a file that others may read is warned about and made private", () => {
  writeAgentFile(path, file);
  chmodSync(path, 0o644);
  expect(read()).toEqual(file);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain("mode 0644");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  read();
  expect(warnings).toHaveLength(1);
});

const yaml = (over: Record<string, unknown>) => Bun.YAML.stringify({ ...file, ...over }, null, 2);
test.each([
  ["a truncated file", "server: https://a.example\nhost", undefined],
  ["an empty file", "", undefined],
  ["something else than YAML", "server: [", undefined],
  ["bytes that are no text", new Uint8Array([0xff, 0xfe, 0x00, 0x80]), undefined],
  ["a file that is far too large", "#".repeat(70_000), undefined],
  ["two documents", "a: 1\n---\nb: 2\n", undefined],
  ["a field this release does not know", yaml({ passwort: "x" }), undefined],
  ["a server that is no address", yaml({ server: "backup.example" }), "server"],
  ["a host id that is no ULID", yaml({ host_id: "1" }), "host_id"],
  ["a bearer with a line break", yaml({ bearer: "a\nb" }), "bearer"],
  ["a key of the wrong length", yaml({ sealing_key: "AAAA" }), "sealing_key"],
  ["a pin that is no SHA-256", yaml({ tls: { pin_sha256: "abc" } }), "tls.pin_sha256"],
])("%s is refused with the file's name, and left as it is", (_name, content, field) => {
  const error = refused(content);
  expect(error.message).toContain(path);
  expect(error.field).toBe(field);
  if (field !== undefined) expect(error.message).toContain(field);
  expect(error.message).not.toContain(file.bearer);
  expect(error.message).not.toContain(KEY);
});

test("the log is told of the bearer, the key and the proxy's password, as written and as meant", () => {
  expect(secretsIn({ ...file, proxy: "http://u:p%40ss@proxy:3128" })).toEqual([
    "rma_1e5",
    KEY,
    "p%40ss",
    "p@ss",
  ]);
  expect(secretsIn(file)).toEqual(["rma_1e5", KEY]);
});
