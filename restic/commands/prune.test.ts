import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { recorded, recordedVersions } from "../testing/recorded.ts";
import { checkPruneInput, parsePruneLine, parseSize, pruneArgs } from "./prune.ts";

test("the command line has no --json, which would hide the figures", () => {
  expect(pruneArgs({})).toEqual(["prune"]);
  expect(pruneArgs({ dryRun: true, maxUnused: "0" })).toEqual([
    "prune",
    "--dry-run",
    "--no-lock",
    "--max-unused=0",
  ]);
  expect(checkPruneInput({ maxUnused: "5%" })).toBeUndefined();
  for (const maxUnused of ["", "-5", "5%5", "x", "1e3", "200MB"]) {
    expect(checkPruneInput({ maxUnused })).toMatchObject({ code: "invalid_input" });
  }
});

describe.each(recordedVersions)("output of %s", (version) => {
  const figures = (name: string): object =>
    Object.assign({}, ...recorded(version, name).stdout.map(parsePruneLine)) as object;

  test("the bytes freed", () => {
    expect(figures("prune_text")).toMatchObject({
      freed_bytes: Math.round(5.001 * 1024 ** 2),
      repacked_bytes: 0,
      remaining_bytes: Math.round(3.292 * 1024),
      unused_bytes_left: 0,
    });
    expect(figures("prune_dryrun_text")).toMatchObject({ freed_bytes: Math.round(5.001 * 1024 ** 2) });
    expect(figures("prune_nothing_text")).toMatchObject({ freed_bytes: 0, freed_blobs: 0 });
  });

  test("repacked data is not taken for freed", () => {
    const { freed_bytes, repacked_bytes } = figures("adm_prune_text") as Record<string, number>;
    expect(freed_bytes).toBeGreaterThan(1024 ** 2);
    expect(repacked_bytes).not.toBe(freed_bytes ?? 0);
  });
});

test("sizes of every unit, and nothing else", () => {
  expect(["0 B", "17 B", "1.500 KiB", "2.000 MiB", "1.000 GiB", "1.000 TiB"].map(parseSize)).toEqual([
    0,
    17,
    1536,
    2 * 1024 ** 2,
    1024 ** 3,
    1024 ** 4,
  ]);
  for (const text of ["", "B", "1", "1 XiB", "1 MB", "-1 B", "1 constructor"])
    expect(parseSize(text)).toBeUndefined();
});

test("no line makes the parser throw, or gives a figure that is no size", () => {
  const start = fc.constantFrom("total prune:", "to repack:", "remaining:", "unused size after prune:", "");
  const line = fc.tuple(start, fc.string()).map((parts) => parts.join(" "));
  fc.assert(
    fc.property(fc.oneof(fc.string(), line), (text) => {
      for (const figure of Object.values(parsePruneLine(text))) expect(figure).toBeGreaterThanOrEqual(0);
    }),
  );
});
