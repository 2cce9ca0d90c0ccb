import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { classifyExit, type Outcome } from "../error.ts";
import { redactor } from "../redact.ts";
import {
  evidenceOf,
  exitFacts,
  recorded,
  recordedVersions,
  type RecordedVersion,
} from "../testing/recorded.ts";
import { checkArgs, checkCheckInput, checkOutput, type CheckResult } from "./check.ts";

function replay(version: RecordedVersion, name: string): Outcome<CheckResult> {
  const { stdout, stderr, code } = recorded(version, name);
  const redact = redactor([]);
  const output = checkOutput(redact);
  for (const line of stdout) output.add("stdout", line);
  for (const line of stderr) output.add("stderr", line);
  const error = classifyExit(exitFacts(code), evidenceOf(stderr), { address: "backup.example", redact });
  return output.result(error, false);
}

describe.each(recordedVersions)("output of %s", (version) => {
  test("a sound repository", () => {
    for (const name of ["check_json", "check_read_data_json"]) {
      expect(replay(version, name)).toEqual({ ok: true, value: { result: "ok", hints: [] } });
    }
  });

  const damaged: [string, object][] = [
    [
      "corrupt_flip_check_readdata_json",
      {
        broken_packs: [expect.stringMatching(/^[0-9a-f]{64}$/)],
        hints: ["repair_packs", "repair_snapshots"],
      },
    ],
    [
      "corrupt_nopack_check_json",
      {
        broken_packs: [],
        missing_packs: [expect.stringMatching(/^[0-9a-f]{64}$/)],
        hints: ["repair_index", "repair_snapshots"],
      },
    ],
    ["corrupt_badindex_check_json", { hints: ["repair_index"] }],
    ["corrupt_badsnap_check_json", { broken_snapshots: [expect.any(String)], hints: ["repair_snapshots"] }],
    // restic suggests a prune here, which would be the end of the data.
    ["corrupt_noindex_check_json", { hints: ["repair_index"] }],
    ["corrupt_badconfig_check_json", { broken_packs: [], hints: [] }],
  ];
  test.each(damaged)("%s is damage", (name, expected) => {
    const outcome = replay(version, name);
    expect(outcome).toMatchObject({
      ok: true,
      value: { result: "errors_found", doubtful: false, ...expected },
    });
    if (!outcome.ok || outcome.value.result !== "errors_found") throw new Error("no damage");
    expect(outcome.value.errors).toBeGreaterThan(0);
    expect(outcome.value.messages.length).toBeGreaterThan(0);
    expect(outcome.value.messages.join("\n")).not.toMatch(/troubleshooting|restic repair packs/);
  });

  // All of them print `num_errors: 1`.
  test.each([
    ["stale_check_json", "repository_locked"],
    ["corrupt_nokeys_check_json", "wrong_password"],
    ["sigTERM_check_json", "interrupted"],
  ] as const)("%s is no damage", (name, code) => {
    expect(replay(version, name)).toMatchObject({ ok: false, error: { code } });
  });
});

test.each([
  [undefined, []],
  [{ percent: 0 }, []],
  [{ percent: 2.5 }, ["--read-data-subset=2.5%"]],
  [{ percent: 100 }, ["--read-data"]],
  [{ part: 2, of: 7 }, ["--read-data-subset=2/7"]],
])("data to read %j becomes %j", (readData, options) => {
  const input = readData === undefined ? {} : { readData };
  expect(checkArgs(input)).toEqual(["check", "--json", ...options]);
  expect(checkCheckInput(input)).toBeUndefined();
});

test.each([
  { percent: -1 },
  { percent: 101 },
  { percent: Number.NaN },
  { part: 0, of: 3 },
  { part: 4, of: 3 },
  { part: 1, of: 1000 },
  { part: 1.5, of: 3 },
])("data to read %j is refused", (readData) => {
  expect(checkCheckInput({ readData })).toMatchObject({ code: "invalid_input" });
});

test("messages and ids are bounded, and no line makes the reader throw", () => {
  const output = checkOutput(redactor(["hunter22"]));
  for (let i = 0; i < 1000; i++) {
    output.add("stderr", JSON.stringify({ message_type: "error", message: `hunter22 tree ${i}` }));
  }
  const damage = { code: "repository_damaged", message: "repository contains errors" } as const;
  expect(output.result(damage, true)).toMatchObject({
    value: { message_count: 1000, doubtful: true, messages: { length: 200, 0: "[secret] tree 0" } },
  });
  const message = fc.record({
    message_type: fc.constantFrom("summary", "error"),
    message: fc.jsonValue(),
    num_errors: fc.jsonValue(),
    broken_packs: fc.jsonValue(),
    suggest_prune: fc.jsonValue(),
  });
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.string(),
          message.map((m) => JSON.stringify(m)),
        ),
      ),
      (lines) => {
        const any = checkOutput(redactor([]));
        for (const line of lines) {
          any.add("stdout", line);
          any.add("stderr", line);
        }
        expect(any.result(damage, false)).toMatchObject({ value: { result: "errors_found" } });
        any.result(undefined, false);
      },
    ),
  );
});
