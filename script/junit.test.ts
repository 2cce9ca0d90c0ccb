import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sumOf } from "./junit.ts";

test("a real report adds up, whatever its tests are called", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rm-junit-"));
  await Bun.write(
    join(folder, "odd.test.ts"),
    `import { describe, expect, test } from "bun:test";
     describe("a > b </testcase>", () => {
       test("passes <failure", () => {});
       test("fails", () => expect("<testcase/>").toBe(""));
       test.skip("is skipped", () => {});
       test("takes too long", () => new Promise(() => {}), 1);
     });`,
  );
  const report = join(folder, "report.xml");
  const argv = [
    process.execPath,
    "test",
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    "./odd.test.ts",
  ];
  await Bun.spawn(argv, { cwd: folder, stdout: "ignore", stderr: "ignore" }).exited;
  expect(sumOf(await Bun.file(report).text())).toEqual({ passed: 1, failed: 2 });
  rmSync(folder, { recursive: true });
});

test("a report that is missing or was cut counts for what is there", () => {
  expect(sumOf("")).toEqual({ passed: 0, failed: 0 });
  expect(sumOf('<testcase name="a" /><testcase name="b"><failure me')).toEqual({ passed: 1, failed: 0 });
});
