import { describe, expect, test } from "bun:test";
import { Schedule, ScheduleInput } from "@restic-manager/protocol/api/schedules";
import { fieldErrors, inputOf, writtenOf } from "./schedule-form.ts";

const group = { id: "01HZZZZZZZ0000000000000001", name: "databases" };
const schedule = Schedule.parse({
  id: "01HZZZZZZZ0000000000000002",
  cron: "30 1 * * *",
  timezone: null,
  effective_timezone: "Europe/Amsterdam",
  enabled: false,
  spread_seconds: 1_800,
  source_groups: [group],
  next_run: null,
  last_run: null,
  overdue: null,
});

describe("a schedule's form", () => {
  test("says of a schedule that was not touched what the server has", () =>
    expect(inputOf(writtenOf(schedule, []), schedule.enabled)).toEqual({
      cron: "30 1 * * *",
      timezone: null,
      enabled: false,
      source_group_ids: schedule.source_groups.map(({ id }) => id),
      spread_seconds: 1_800,
    }));

  test("a new one is nightly, of every group, and could be saved as it is", () => {
    const input = inputOf(writtenOf(null, schedule.source_groups), true);
    expect(ScheduleInput.parse(input)).toEqual(input);
    expect(input.source_group_ids).toHaveLength(1);
  });

  test("what the server refused stands at its field", () =>
    expect(
      fieldErrors({
        cron: "needs 5 fields",
        timezone: "is not a zone",
        "source_group_ids.0": "is not a source group of this host",
        spread_seconds: "at most 12 hours",
        other: "?",
      }),
    ).toEqual({
      cron: "Needs 5 fields",
      timezone: "Is not a zone",
      groups: "Is not a source group of this host",
      spreadMinutes: "At most 12 hours",
    }));
});
