import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePrivateFolder, probeFolder, writePrivateFile } from "./atomic-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rm-atomic-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("replaces a file with one that only its owner may read, and leaves nothing else behind", () => {
  const path = join(folder, "a");
  writeFileSync(path, "old", { mode: 0o644 });
  writePrivateFile(path, "new");
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["a"]);
});

test("a write that fails leaves neither a temporary file nor a changed one", () => {
  const path = join(folder, "a");
  mkdirSync(join(path, "inside"), { recursive: true });
  expect(() => writePrivateFile(path, "new")).toThrow();
  expect(readdirSync(folder)).toEqual(["a"]);
});

test("a probe tells a folder that can be written from one that cannot, and leaves nothing", () => {
  const made = join(folder, "x", "y");
  makePrivateFolder(made);
  probeFolder(made);
  expect(readdirSync(made)).toEqual([]);
  expect(statSync(made).mode & 0o777).toBe(0o700);
  expect(() => probeFolder(join(folder, "missing"))).toThrow();
});
