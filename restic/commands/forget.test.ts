import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { recorded, recordedVersions } from "../testing/recorded.ts";
import {
  checkForgetInput,
  forgetArgs,
  forgetDocument,
  keepPolicy,
  removalWatcher,
  resultOf,
  type ForgetResult,
  type KeepCounts,
  type KeepPolicy,
} from "./forget.ts";

const keep: KeepPolicy = { keep_last: 3, daily: 7, yearly: 0 };
const input = { host: "client1", tag: "home", keep };

describe("the command line", () => {
  test("names host, tag and every count above zero, grouped by host", () => {
    expect(forgetArgs(input)).toEqual([
      "forget",
      "--json",
      "--group-by=host",
      "--host=client1",
      "--tag=home",
      "--keep-last=3",
      "--keep-daily=7",
    ]);
    expect(forgetArgs({ ...input, dryRun: true })).toContain("--dry-run");
  });

  test("always keeps something, whatever the counts, or there is none", () => {
    const count = fc.oneof(fc.integer({ min: -2, max: 5 }), fc.double());
    const counts = fc.record(
      { keep_last: count, hourly: count, daily: count, weekly: count, monthly: count, yearly: count },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(counts, fc.string(), fc.string(), (given: KeepCounts, host, tag) => {
        const policy = keepPolicy(given);
        const valid = Object.values(given).every((n) => Number.isSafeInteger(n) && n >= 0);
        expect(policy !== undefined).toBe(valid && Object.values(given).some((n) => n > 0));
        if (policy === undefined) return;
        const args = forgetArgs({ host, tag, keep: policy });
        expect(args.some((arg) => /^--keep-[a-z]+=[1-9]\d*$/.test(arg))).toBe(true);
        for (const arg of args.slice(2)) expect(arg).toMatch(/^--(group-by|host|tag|keep-[a-z]+)=/s);
      }),
    );
  });

  test.each([
    [{ ...input, host: "" }, "host name"],
    [{ ...input, tag: "" }, "tag"],
    [{ ...input, tag: "a,b" }, "comma"],
    [{ ...input, keep: { keep_last: 0 } }, "keeps nothing"],
    [{ ...input, keep: { daily: -1 } }, "keeps nothing"],
  ])("%j is refused", (bad, words) => {
    expect(checkForgetInput(bad)).toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining(words),
    });
  });
});

test("an empty policy is no policy for the compiler either", () => {
  // @ts-expect-error -- nothing is kept
  const empty: KeepPolicy = {};
  expect(keepPolicy(empty)).toBeUndefined();
});

describe.each(recordedVersions)("output of %s", (version) => {
  function replay(name: string): ForgetResult {
    const { stdout, stderr } = recorded(version, name);
    const removals = removalWatcher();
    for (const line of stderr) removals.add(line);
    return resultOf(forgetDocument.parse(JSON.parse(stdout.join("\n"))), removals.failed, false);
  }

  test("what stays and why, and what goes", () => {
    const { kept, removed, not_removed } = replay("forget_json");
    expect(kept.length).toBeGreaterThan(2);
    expect(kept.every(({ reasons }) => reasons.length > 0)).toBe(true);
    expect(kept[0]).toMatchObject({
      hostname: "client1",
      tags: ["plan:home"],
      summary: { total_bytes_processed: 85837 },
    });
    expect(new Set(kept.flatMap(({ reasons }) => reasons))).toContain("last snapshot");
    expect(removed.length).toBeGreaterThan(0);
    expect(not_removed).toEqual([]);
  });

  test("several groups become one result", () => {
    const { kept, removed } = replay("forget_dryrun_json");
    expect(new Set(kept.map(({ paths }) => paths.join())).size).toBeGreaterThan(1);
    const ids = [...kept, ...removed].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("what an append-only server kept is not called removed", () => {
    const { removed, not_removed } = replay("ao_forget_policy_json");
    expect(removed).toEqual([]);
    expect(not_removed.length).toBe(1);
  });

  test("a snapshot that is not there is told, in whole ids only", () => {
    const removals = removalWatcher();
    const id = "d".repeat(64);
    removals.add(`Ignoring "${id}": no matching ID found for prefix "${id}"`);
    for (const line of recorded(version, "forget_id_missing_json").stderr) removals.add(line);
    expect([...removals.missing]).toEqual([id]);
  });
});
