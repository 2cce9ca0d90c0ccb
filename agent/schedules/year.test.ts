import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseCron } from "@restic-manager/protocol/cron";
import { spreadMs, zoneOf } from "@restic-manager/protocol/fire-times";
import { ScheduleId, SourceGroupId } from "@restic-manager/protocol/ids";
import { MISSED_COUNTED } from "@restic-manager/protocol/limits";
import { ScheduleFire } from "@restic-manager/protocol/schedule-fire";
import { type AgentSchedule, type ScheduleSet } from "@restic-manager/protocol/schedule";
import { openAgentDb } from "../db.ts";
import { Journal } from "../journal.ts";
import { Outbox } from "../outbox.ts";
import { ScheduleBook } from "./book.ts";
import { Scheduler } from "./scheduler.ts";

const HOST = "01JD0000000000000000000001";
const GROUP = SourceGroupId.parse("01JD0000000000000000000009");
const BEGIN = Date.UTC(2026, 0, 1);
const YEAR = 365 * 86_400_000;
const SET_BACK = 24 * 3_600_000;

/** What schedules may be. Each is looked at minute by minute once, so there are few. */
const KINDS = [
  ["30 2 * * *", "Europe/Berlin"],
  ["0 * * * *", "America/New_York"],
  ["15 0 * * *", "America/Santiago"],
  ["45 1 * * 0", "Australia/Lord_Howe"],
  ["0 3 1 * *", "UTC"],
  ["*/20 */6 * * *", "Asia/Kathmandu"],
] as const;
type Kind = (typeof KINDS)[number];

const known = new Map<Kind, number[]>();
/** All instants of a kind in 2026, from nothing but the minutes of the wall clock. */
function instantsOf(kind: Kind): number[] {
  const found = known.get(kind);
  if (found !== undefined) return found;
  const [text, name] = kind;
  const parsed = parseCron(text);
  const zone = zoneOf(name);
  if (!parsed.ok || zone === undefined) throw new Error(`cannot read ${text} in ${name}`);
  const { minutes, hours, days, months, weekdays } = parsed.cron;
  const matches = (wall: number): boolean => {
    const date = new Date(wall);
    return (
      minutes.includes(date.getUTCMinutes()) &&
      hours.includes(date.getUTCHours()) &&
      days.has(date.getUTCDate()) &&
      months.has(date.getUTCMonth() + 1) &&
      weekdays.has(date.getUTCDay())
    );
  };
  const hourly = hours.length === 24;
  const all: number[] = [];
  let latest = Number.NEGATIVE_INFINITY;
  for (let at = BEGIN - 3 * 86_400_000; at < BEGIN + YEAR + 40 * 86_400_000; at += 60_000) {
    const wall = at + zone.offsetAt(at);
    let fires = matches(wall) && (hourly || wall > latest);
    if (!hourly && latest > 0)
      for (let skipped = latest + 60_000; skipped < wall; skipped += 60_000) fires ||= matches(skipped);
    latest = Math.max(latest, wall);
    if (fires) all.push(at);
  }
  known.set(kind, all);
  return all;
}

/** The place of the first that is later; a look each half minute must be cheap. */
function firstAfter(sorted: readonly number[], moment: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? Number.POSITIVE_INFINITY) > moment) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** One timer at a time and a clock that can be set, sleep and stop: what the scheduler asks of the machine. */
function machine() {
  let [wall, mono] = [BEGIN, 0];
  let timer: { at: number; run: () => void } | undefined;
  return {
    now: () => wall,
    after(ms: number, run: () => void) {
      if (timer !== undefined) throw new Error("the scheduler has two timers");
      const own = { at: mono + ms, run };
      timer = own;
      return () => {
        if (timer === own) timer = undefined;
      };
    },
    /** Time passes and timers run. */
    run(ms: number) {
      const end = mono + ms;
      while (timer !== undefined && timer.at <= end) {
        const { at, run } = timer;
        timer = undefined;
        wall += at - mono;
        mono = at;
        run();
      }
      wall += end - mono;
      mono = end;
    },
    /** The clock moves and timers do not: sleep, or somebody sets it. */
    jump: (ms: number) => void (wall += ms),
    /** The program ends. */
    stop: () => void (timer = undefined),
  };
}

type Step =
  | { do: "run" | "sleep" | "off"; ms: number }
  | { do: "set"; ms: number }
  | { do: "change"; kind: Kind; spread: number; paused: boolean };

const HOUR = 3_600_000;
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .integer({ min: 1, max: 20 * 24 })
      .map((hours) => ({ do: "run" as const, ms: hours * HOUR + 11_111 })),
  },
  {
    weight: 2,
    arbitrary: fc
      .integer({ min: 1, max: 9 * 24 * 60 })
      .map((minutes) => ({ do: "sleep" as const, ms: minutes * 60_000 })),
  },
  {
    weight: 2,
    arbitrary: fc
      .integer({ min: 0, max: 5 * 24 * 60 })
      .map((minutes) => ({ do: "off" as const, ms: minutes * 60_000 + 17 })),
  },
  {
    weight: 2,
    arbitrary: fc
      .oneof(fc.integer({ min: -90, max: 90 }), fc.integer({ min: -4 * 24 * 60, max: 4 * 24 * 60 }))
      .map((minutes) => ({ do: "set" as const, ms: minutes * 60_000 })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("change" as const),
      kind: fc.constantFrom(...KINDS),
      spread: fc.constantFrom(0, 0, 1_800, 40_000),
      paused: fc.constantFrom(false, false, false, true),
    }),
  },
);

/** Lives through the steps, and holds every fire against the oracle. Returns how many there were. */
function live(plan: readonly Step[], days: number): number {
  const db = openAgentDb(":memory:");
  const clock = machine();
  const outbox = new Outbox(db);
  const journal = new Journal({ db, outbox, now: clock.now });
  const ids = [1, 2].map((n) => ScheduleId.parse(`01JD000000000000000000010${n}`));
  let version = 0;
  let current = new Map<ScheduleId, { kind: Kind; schedule: AgentSchedule; spread: number }>();
  let paused = false;
  let running = false;
  /** The oracle: up to which moment each schedule has had its runs. */
  const until = new Map<ScheduleId, number>();
  let seen = 0;
  let fires = 0;
  const keys = new Set<string>();

  const heard = (): ScheduleFire[] => {
    if (outbox.highest === seen) return [];
    const frames = outbox.read(seen + 1, 10_000, 1e9);
    seen = frames.at(-1)?.seq ?? seen;
    return frames.flatMap((frame) => {
      const { message } = JSON.parse(String(frame.data)) as { message: { type: string } };
      return message.type === "schedule.fire" ? [ScheduleFire.parse(message)] : [];
    });
  };
  /** What one look at the clock must have fired. */
  const judge = (now: number): void => {
    const wanted: string[] = [];
    for (const [id, { kind, spread }] of paused ? [] : current) {
      let from = until.get(id) ?? now;
      if (from - now > SET_BACK) from = now;
      const all = instantsOf(kind);
      const missed = all.slice(firstAfter(all, from - spread), firstAfter(all, now - spread));
      const last = missed.at(-1);
      until.set(id, last === undefined ? from : last + spread);
      const key = last === undefined ? "" : `${id} ${new Date(last).toISOString()}`;
      if (last === undefined || keys.has(key)) continue;
      keys.add(key);
      const late = missed.length > 1 || now - last - spread > 60_000;
      wanted.push(`${key} ${late ? Math.min(missed.length, MISSED_COUNTED) : 0}`);
    }
    const got = heard().map((fire) => {
      expect(Date.parse(fire.fired_at)).toBe(now);
      expect(fire.jobs).toHaveLength(1);
      return `${fire.schedule_id} ${fire.scheduled_at} ${fire.catch_up?.missed_count ?? 0}`;
    });
    if (got.length === 0 && wanted.length === 0) return;
    fires += got.length;
    expect(got.toSorted()).toEqual(wanted.toSorted());
    // Done at once, so that the next fire gets a job of its own.
    for (const job of journal.held()) journal.finished(job.id, { state: "cancelled" });
    heard();
    outbox.acknowledge(seen);
  };

  let scheduler: Scheduler;
  const boot = (): void => {
    const book = new ScheduleBook({ db, journal, now: clock.now });
    scheduler = new Scheduler({
      book,
      timers: {
        now: clock.now,
        after: (ms, run) => {
          if (ms > 30_000) throw new Error("it sleeps too long to notice that a clock was set");
          return clock.after(ms, () => {
            run();
            judge(clock.now());
          });
        },
      },
      hostId: HOST,
      timezone: () => "UTC",
      start: () => {},
      onError: (error) => {
        throw error;
      },
      say: () => {},
    });
    running = true;
    scheduler.start();
    judge(clock.now());
  };
  const change = (step: Extract<Step, { do: "change" }>): void => {
    const now = clock.now();
    judgeBefore(now);
    const [id = ids[0]] = version % 2 === 0 ? ids : ids.slice(1);
    if (id === undefined) throw new Error("no id");
    const schedule: AgentSchedule = {
      id,
      cron: step.kind[0],
      timezone: step.kind[1],
      enabled: true,
      spread_seconds: step.spread,
      source_group_ids: [GROUP],
    };
    version += 1;
    const before = current.get(id);
    const spread = spreadMs(HOST, id, step.spread);
    current = new Map(current).set(id, { kind: step.kind, schedule, spread });
    const set: ScheduleSet = {
      type: "schedule.set",
      version,
      paused: step.paused,
      schedules: [...current.values()].map((one) => one.schedule),
      groups: [
        { id: GROUP, name: "g", includes: ["/a"], excludes: [], retry_max: 0, retry_backoff_seconds: 1 },
      ],
    };
    const resumed = paused && !step.paused;
    scheduler.adopt(set);
    const same =
      before !== undefined && before.kind === step.kind && before.schedule.spread_seconds === step.spread;
    if (!same) until.set(id, now);
    if (resumed) for (const one of current.keys()) until.set(one, now);
    paused = step.paused;
    judge(now);
  };
  /** What is due by the old schedules is fired before the new ones hold. */
  const judgeBefore = (now: number): void => {
    scheduler.refresh();
    judge(now);
  };

  boot();
  const end = BEGIN + days * 86_400_000;
  for (const step of plan) {
    // Outside the year the oracle knows nothing.
    if (clock.now() > end || clock.now() < BEGIN) break;
    if (step.do === "change") change(step);
    else if (step.do === "run") clock.run(Math.min(step.ms, Math.max(0, end - clock.now())));
    else if (step.do === "sleep" || step.do === "set") {
      if (step.do === "set" && clock.now() + step.ms < BEGIN) continue;
      clock.jump(step.ms);
      clock.run(30_000);
    } else {
      clock.stop();
      running = false;
      clock.jump(step.ms);
      boot();
    }
  }
  expect(running).toBe(true);
  db.close();
  return fires;
}

test("a year of clocks that are changed, set, asleep and off fires every instant once, and what was missed in one run", () => {
  let fires = 0;
  fc.assert(
    fc.property(fc.array(steps, { minLength: 60, maxLength: 90 }), (plan) => {
      const first: Step = { do: "change", kind: KINDS[0], spread: 0, paused: false };
      fires += live([first, ...plan], 365);
    }),
    { numRuns: 3 },
  );
  expect(fires).toBeGreaterThan(300);
}, 240_000);

test("a year without trouble fires each day once, also on the days when clocks are changed", () => {
  const day: Step = { do: "change", kind: KINDS[0], spread: 0, paused: false };
  expect(live([day, { do: "run", ms: YEAR }], 365)).toBe(365);
}, 60_000);
