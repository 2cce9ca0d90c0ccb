import { afterEach, expect, test } from "bun:test";
import { ScheduleId, SourceGroupId } from "@restic-manager/protocol/ids";
import type { JobErrorCode } from "@restic-manager/protocol/job-error";
import { ScheduleFire } from "@restic-manager/protocol/schedule-fire";
import { type AgentGroup, type AgentSchedule, type ScheduleSet } from "@restic-manager/protocol/schedule";
import type { HeldJob } from "../journal.ts";
import { testJournal } from "../testing/journal.ts";
import { manualTimers } from "../testing/timers.ts";
import { ScheduleBook } from "./book.ts";
import { Scheduler } from "./scheduler.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 10, 21, 12);
const DAILY = ScheduleId.parse("01JD0000000000000000000001");
const GROUP = SourceGroupId.parse("01JD0000000000000000000008");
const OTHER = SourceGroupId.parse("01JD0000000000000000000009");

const group = (id = GROUP, given: Partial<AgentGroup> = {}): AgentGroup => ({
  id,
  name: "photos",
  includes: ["/srv"],
  excludes: [],
  retry_max: 2,
  retry_backoff_seconds: 60,
  ...given,
});
const schedule = (given: Partial<AgentSchedule> = {}): AgentSchedule => ({
  id: DAILY,
  cron: "0 13 * * *",
  timezone: "UTC",
  enabled: true,
  spread_seconds: 0,
  source_group_ids: [GROUP],
  ...given,
});
const set = (given: Partial<ScheduleSet> = {}): ScheduleSet => ({
  type: "schedule.set",
  version: 1,
  paused: false,
  schedules: [schedule()],
  groups: [group()],
  ...given,
});

/** A scheduler over a real file, with a clock that the test owns. `again` is the next life of the same agent. */
function world(folder?: string, clock = manualTimers(0.5, START)) {
  const books = testJournal(folder === undefined ? {} : { folder });
  open.push(books);
  const started: HeldJob[] = [];
  const errors: unknown[] = [];
  const make = () =>
    new Scheduler({
      book: new ScheduleBook({ db: books.db, journal: books.journal, now: clock.now }),
      timers: clock,
      hostId: "01JD0000000000000000000000",
      timezone: () => "Europe/Berlin",
      start: (jobs) => started.push(...jobs),
      onError: (error) => errors.push(error),
      say: () => {},
    });
  let scheduler = make();
  scheduler.start();
  return {
    ...books,
    clock,
    started,
    errors,
    adopt: (next: ScheduleSet) => scheduler.adopt(next),
    fires: () =>
      books.waiting().flatMap((data) => {
        const { message } = JSON.parse(String(data)) as { message: { type: string } };
        return message.type === "schedule.fire" ? [ScheduleFire.parse(message)] : [];
      }),
    /** The agent ends, and starts again when `offMs` have passed. */
    restart: (offMs: number) => {
      scheduler.stop();
      clock.advance(offMs);
      scheduler = make();
      scheduler.start();
    },
    end: (code: JobErrorCode | "succeeded" | "cancelled") => {
      const job = started.at(-1);
      if (job === undefined) throw new Error("nothing was started");
      books.journal.started(job.id);
      if (code === "succeeded") books.journal.finished(job.id, { state: "succeeded", result: {} });
      else if (code === "cancelled") books.journal.finished(job.id, { state: "cancelled" });
      else books.journal.finished(job.id, { state: "failed", error: { code, message: "no" } });
      // The journal's own clock stands still; its instants are those of the world's.
      const at = new Date(clock.now()).toISOString();
      books.db.query<null, [string, string]>("update job set finished_at = ? where id = ?").run(at, job.id);
      scheduler.refresh();
    },
  };
}

test("a fire writes its key, its job and its message together, and the job goes to the queue", () => {
  const { adopt, clock, started, fires, journal } = world();
  adopt(set());
  clock.advance(HOUR - 1);
  expect(fires()).toEqual([]);
  clock.advance(1);
  expect(started).toHaveLength(1);
  expect(journal.held()).toMatchObject([{ id: started[0]?.id, actorKind: "schedule", kind: "backup" }]);
  expect(fires()).toEqual([
    {
      type: "schedule.fire",
      schedule_id: DAILY,
      scheduled_at: "2026-11-21T13:00:00.000Z",
      fired_at: "2026-11-21T13:00:00.000Z",
      attempt: 0,
      jobs: [
        {
          job_id: started[0]?.id,
          source_group_id: GROUP,
          source_group_name: "photos",
          input: { source_group_id: GROUP, source_group_name: "photos", includes: ["/srv"], excludes: [] },
        },
      ],
    } as ScheduleFire,
  ]);
});

test("an agent that was off for days catches up with one run that names what it stands for", () => {
  const { adopt, restart, fires, started } = world();
  adopt(set());
  restart(3 * 24 * HOUR);
  expect(started).toHaveLength(1);
  expect(fires()).toMatchObject([
    {
      scheduled_at: "2026-11-23T13:00:00.000Z",
      catch_up: {
        missed_count: 3,
        missed: ["2026-11-21T13:00:00.000Z", "2026-11-22T13:00:00.000Z", "2026-11-23T13:00:00.000Z"],
      },
    },
  ]);
  restart(0);
  expect(started).toHaveLength(1);
});

test("a run that is minutes late because the agent was starting says so; seconds are in time", () => {
  const late = world();
  late.adopt(set());
  late.restart(HOUR + 5 * MINUTE);
  expect(late.fires()).toMatchObject([{ catch_up: { missed_count: 1 } }]);
  const soon = world();
  soon.adopt(set());
  soon.restart(HOUR + 20_000);
  expect(soon.fires()[0]?.catch_up).toBeUndefined();
});

test("times that pass while a schedule is off, or its host in maintenance, are not caught up with", () => {
  const { adopt, clock, started } = world();
  adopt(set({ paused: true }));
  clock.advance(25 * HOUR);
  adopt(set({ version: 2 }));
  expect(started).toEqual([]);
  adopt(set({ version: 3, schedules: [schedule({ enabled: false })] }));
  clock.advance(24 * HOUR);
  adopt(set({ version: 4 }));
  expect(started).toEqual([]);
  clock.advance(24 * HOUR);
  expect(started).toHaveLength(1);
});

test("a change of what is backed up moves no fire; what is due by the old times is fired first", () => {
  const { adopt, clock, started, fires } = world();
  adopt(set());
  adopt(set({ version: 2, groups: [group(GROUP, { includes: ["/home"] })] }));
  clock.advance(HOUR);
  expect(started).toMatchObject([{ input: { includes: ["/home"] } }]);
  clock.advance(23 * HOUR + 59 * MINUTE);
  adopt(set({ version: 3, schedules: [schedule({ cron: "0 18 * * *" })] }));
  clock.advance(2 * MINUTE);
  expect(fires()).toHaveLength(1);
  clock.advance(6 * HOUR);
  expect(fires()).toHaveLength(2);
});

test("a schedule without a zone fires by the machine's own clock, and others by theirs", () => {
  const { adopt, clock, fires } = world();
  const tokyo = schedule({
    id: ScheduleId.parse("01JD0000000000000000000002"),
    cron: "30 22 * * *",
    timezone: "Asia/Tokyo",
  });
  adopt(set({ schedules: [schedule({ cron: "15 14 * * *", timezone: null }), tokyo] }));
  clock.advance(2 * HOUR);
  expect(fires().map((fire) => fire.scheduled_at)).toEqual([
    "2026-11-21T13:15:00.000Z",
    "2026-11-21T13:30:00.000Z",
  ]);
});

test("a backup that takes longer than its schedule's step has one successor waiting and not a queue", () => {
  const { adopt, clock, started, fires, journal } = world();
  adopt(set({ schedules: [schedule({ cron: "* * * * *" })] }));
  clock.advance(MINUTE);
  const [first] = started;
  if (first !== undefined) journal.started(first.id);
  clock.advance(10 * MINUTE);
  expect(started).toHaveLength(2);
  expect(fires()).toHaveLength(11);
  expect(
    new Set(
      fires()
        .slice(1)
        .map((fire) => fire.jobs[0]?.job_id),
    ),
  ).toEqual(new Set([started[1]?.id]));
});

test.each(["repository_unreachable", "repository_locked"] as const)(
  "a scheduled backup that failed with %s is tried again with longer waits, as often as its group says",
  (code) => {
    const { adopt, clock, started, end, fires } = world();
    adopt(set());
    clock.advance(HOUR);
    end(code);
    clock.advance(MINUTE - 1);
    expect(started).toHaveLength(1);
    clock.advance(1);
    expect(started).toHaveLength(2);
    end(code);
    clock.advance(2 * MINUTE - 1);
    expect(started).toHaveLength(2);
    clock.advance(1);
    end(code);
    clock.advance(10 * HOUR);
    expect(started).toHaveLength(3);
    expect(fires().map((fire) => [fire.scheduled_at, fire.attempt])).toEqual([
      ["2026-11-21T13:00:00.000Z", 0],
      ["2026-11-21T13:00:00.000Z", 1],
      ["2026-11-21T13:00:00.000Z", 2],
    ]);
  },
);

test("what would fail again just so is not tried again: a wrong password, a missing folder, a cancel", () => {
  for (const code of ["wrong_password", "source_missing", "hook_failed", "cancelled", "succeeded"] as const) {
    const { adopt, clock, started, end } = world();
    adopt(set());
    clock.advance(HOUR);
    end(code);
    clock.advance(5 * HOUR);
    expect([code, started.length]).toEqual([code, 1]);
  }
});

test("a try that is due survives a restart, comes once, and gives way to the next fire", () => {
  const { adopt, clock, started, end, restart, fires } = world();
  adopt(
    set({
      schedules: [schedule({ cron: "0 * * * *" })],
      groups: [group(GROUP, { retry_backoff_seconds: 1_800 })],
    }),
  );
  clock.advance(HOUR);
  end("repository_unreachable");
  restart(29 * MINUTE);
  expect(started).toHaveLength(1);
  restart(2 * MINUTE);
  expect(started).toHaveLength(2);
  restart(0);
  expect(started).toHaveLength(2);
  end("repository_unreachable");
  clock.advance(29 * MINUTE);
  end("repository_unreachable");
  expect(fires().map((fire) => fire.attempt)).toEqual([0, 1, 0]);
});

test("a schedule that is deleted, or no longer fires the group, tries nothing again", () => {
  for (const after of [
    { schedules: [] },
    { schedules: [schedule({ source_group_ids: [OTHER] })], groups: [group(OTHER)] },
  ]) {
    const { adopt, clock, started, end } = world();
    adopt(set());
    clock.advance(HOUR);
    end("repository_locked");
    adopt(set({ version: 2, ...after }));
    clock.advance(HOUR);
    expect(started).toHaveLength(1);
  }
});

test("an agent without schedules never wakes for them", () => {
  const { clock } = world();
  let woken = 0;
  const after = clock.after;
  clock.after = (ms, run) => {
    woken += 1;
    return after(ms, run);
  };
  clock.advance(24 * HOUR);
  expect(woken).toBe(0);
});

test("a set that this release cannot read at its start counts as none, so that the server sends it again", () => {
  const { adopt, db, journal, clock } = world();
  adopt(set({ version: 7 }));
  db.run(`update schedule_set set body = '{"version":7,"schedules":"later"}'`);
  expect(new ScheduleBook({ db, journal, now: clock.now }).version).toBe(0);
});

test("a fire whose jobs do not fit a frame goes without saying what they do", () => {
  const { adopt, clock, fires } = world();
  const paths = Array.from({ length: 20_000 }, (_, n) => `/srv/a-rather-long-folder-name/${n}`);
  const groups = [group(GROUP, { includes: paths }), group(OTHER, { includes: paths })];
  adopt(set({ groups, schedules: [schedule({ source_group_ids: [GROUP, OTHER] })] }));
  clock.advance(HOUR);
  expect(fires()[0]?.jobs.map((job) => Object.keys(job).includes("input"))).toEqual([false, false]);
  expect(JSON.stringify(fires()).length).toBeLessThan(10_000);
});
