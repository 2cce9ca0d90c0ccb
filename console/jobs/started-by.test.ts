import { describe, expect, test } from "bun:test";
import { Job } from "@restic-manager/protocol/api/jobs";
import { lateWords, startedBy } from "./started-by.ts";

const id = (n: number) => `01HZZZZZZZ000000000000000${n}`;
function fire(given: { attempt?: number; missed_count?: number } = {}): NonNullable<Job["schedule"]> {
  const { schedule } = Job.parse({
    id: id(1),
    host: { id: id(2), name: "a" },
    actor: { kind: "schedule", name: "schedule" },
    source_group: null,
    schedule: { id: id(3), scheduled_at: "2026-11-21T03:00:00Z", attempt: 0, missed_count: 0, ...given },
    created_at: "2026-11-21T03:00:01Z",
    cancel_requested_at: null,
    log: { lines: 0, missing: 0 },
    kind: "backup",
    state: "queued",
    waits_for: "turn",
  });
  if (schedule === undefined) throw new Error("the job has no schedule");
  return schedule;
}

describe("who started a job", () => {
  test.each([
    [{ kind: "user", name: "ada" }, undefined, "ada"],
    [{ kind: "system", name: "restic-manager" }, undefined, "the server"],
    [{ kind: "schedule", name: "schedule" }, undefined, "a schedule"],
    [{ kind: "schedule", name: "schedule" }, fire(), "a schedule"],
    [{ kind: "schedule", name: "schedule" }, fire({ attempt: 1 }), "a schedule, tried again"],
    [{ kind: "schedule", name: "schedule" }, fire({ missed_count: 4 }), "a schedule, catching up"],
  ] as const)("%j %j: %s", (actor, schedule, words) =>
    expect(startedBy({ actor, ...(schedule === undefined ? {} : { schedule }) })).toBe(words),
  );
});

describe("what a late run says", () => {
  test.each([
    [fire(), null],
    [fire({ missed_count: 1 }), "This run stands for 1 missed run, the last of 03:00"],
    [fire({ missed_count: 4 }), "This run stands for 4 missed runs, the last of 03:00"],
    [fire({ missed_count: 1_000 }), "This run stands for 1,000 or more missed runs, the last of 03:00"],
    [fire({ attempt: 2, missed_count: 4 }), "Tried again, attempt 3 of the run of 03:00"],
  ])("%j: %s", (schedule, title) => expect(lateWords(schedule, "03:00")?.title ?? null).toBe(title));
});
