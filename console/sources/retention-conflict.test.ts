import { describe, expect, test } from "bun:test";
import type { RetentionPolicy } from "@restic-manager/protocol/api/sources";
import { retentionWords } from "./retention.ts";
import { retentionConflicts } from "./retention-conflict.ts";

const at = (cron: string) => ({ cron, effective_timezone: "UTC" });

describe("a dimension is in conflict when nothing fires the group more often than the next coarser one", () => {
  test.each<[crons: string[], policy: RetentionPolicy, dimensions: string[]]>([
    [["30 1 * * *"], { hourly: 24, daily: 14 }, ["hourly"]],
    [["30 1 * * *"], { daily: 14, weekly: 8, monthly: 6, yearly: 3 }, []],
    [["30 1 * * *"], { keep_last: 3 }, []],
    [["30 1 * * *"], { hourly: 0, daily: 7 }, []],
    [["30 3-21/6 * * *"], { hourly: 28 }, []],
    [["30 1 * * *", "30 13 * * *"], { hourly: 24 }, []],
    [["30 1 * * *", "30 1 * * *"], { hourly: 24 }, ["hourly"]],
    [["30 1 * * 0"], { hourly: 1, daily: 7, weekly: 4 }, ["hourly", "daily"]],
    [["30 1 * * 0", "30 1 * * 3"], { daily: 7 }, []],
    [["0 5 1 * *"], { daily: 7, weekly: 4, monthly: 12 }, ["daily", "weekly"]],
    [["0 5 1,15 * *"], { weekly: 4 }, []],
    [["0 5 1 1 *"], { weekly: 4, monthly: 12, yearly: 3 }, ["weekly", "monthly"]],
    [["0 5 29 2 *"], { monthly: 1, yearly: 1 }, ["monthly"]],
    [["* * * * *"], { hourly: 24, daily: 7 }, []],
    [[], { hourly: 24 }, []],
    [["nonsense"], { hourly: 24 }, []],
    [["30 1 * * *"], {}, []],
  ])("%j with %j: %j", (crons, policy, dimensions) =>
    expect(retentionConflicts(policy, crons.map(at)).map(({ dimension }) => dimension)).toEqual(
      dimensions as never,
    ),
  );

  test("it says how many are kept, and what they come to", () =>
    expect(retentionConflicts({ hourly: 24 }, [at("30 1 * * *")])).toEqual([
      { dimension: "hourly", keep: 24, atMostOncePer: "day", same: "daily" },
    ]));
});

test("the same time of two zones is two instants", () =>
  expect(
    retentionConflicts({ hourly: 24 }, [
      at("30 1 * * *"),
      { cron: "30 1 * * *", effective_timezone: "Europe/Berlin" },
    ]),
  ).toEqual([]));

describe("what a policy means", () => {
  test.each<[RetentionPolicy, string]>([
    [{}, "Every snapshot is kept: nothing may be forgotten."],
    [{ daily: 0 }, "Every snapshot is kept: nothing may be forgotten."],
    [{ keep_last: 1 }, "The last snapshot only."],
    [{ keep_last: 5 }, "The last 5 snapshots."],
    [{ hourly: 24 }, "At most 24 snapshots, the oldest about 24 hours old."],
    [{ daily: 14 }, "At most 14 snapshots, the oldest about 14 days old."],
    [{ daily: 14, weekly: 8, monthly: 6 }, "At most 28 snapshots, the oldest about 6 months old."],
    [{ monthly: 24, yearly: 3 }, "At most 27 snapshots, the oldest about 3 years old."],
  ])("%j: %s", (policy, words) => expect(retentionWords(policy)).toBe(words));
});
