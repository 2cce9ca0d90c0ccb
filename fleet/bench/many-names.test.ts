import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NEEDLE, writeManyNames } from "./many-names.ts";

test("a tree of many names has as many as it says, and the same ones each time", () => {
  const folder = mkdtempSync(join(tmpdir(), "rm-names-"));
  try {
    const [one, two] = [join(folder, "one"), join(folder, "two")];
    const written = writeManyNames(one, 5_000);
    writeManyNames(two, 5_000);
    const names = (path: string) => readdirSync(path, { recursive: true }).map(String).toSorted();
    expect(names(one)).toEqual(names(two));
    expect(names(one)).toHaveLength(written.entries);
    expect(names(one).filter((name) => name.endsWith(NEEDLE))).toHaveLength(1);
    expect(readdirSync(written.big)).toHaveLength(500);
    expect(written.entries).toBeGreaterThanOrEqual(5_000);
    expect(written.entries).toBeLessThan(5_200);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
