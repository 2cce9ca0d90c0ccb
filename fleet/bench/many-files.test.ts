import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeManyFiles } from "./many-files.ts";

test("the files are small, all different, and the same each time", () => {
  const folders = [1, 2].map(() => mkdtempSync(join(tmpdir(), "rm-files-")));
  const [one = [], two = []] = folders.map((folder) => {
    writeManyFiles(folder, 1_001);
    const names = readdirSync(folder, { recursive: true }).map(String).toSorted();
    return names
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => readFileSync(join(folder, name)));
  });
  for (const folder of folders) rmSync(folder, { recursive: true });
  expect(one.length).toBe(1_001);
  expect(new Set(one.map((bytes) => Bun.hash(bytes))).size).toBe(1_001);
  expect(Math.min(...one.map((bytes) => bytes.byteLength))).toBeGreaterThanOrEqual(256);
  expect(Math.max(...one.map((bytes) => bytes.byteLength))).toBeLessThan(2_048);
  expect(one.map((bytes) => Bun.hash(bytes))).toEqual(two.map((bytes) => Bun.hash(bytes)));
});
