import { expect, test } from "bun:test";
import { addHost, addSchedule, addSourceGroup, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { scheduleLoad } from "./load.ts";
import { nextRuns } from "./next-runs.ts";

const HOUR = 3_600_000;

onEveryStore("load over a day", (open) => {
  test("counts the starts of each quarter of an hour, each host in its own zone", async () => {
    const db = await open();
    for (const timezone of ["UTC", "Europe/Berlin"]) {
      const host = await addHost(db, { timezone });
      await addSchedule(db, host, [await addSourceGroup(db, host)], { cron: "0 3 * * *", timezone: null });
    }
    const { slots, schedules, from } = await scheduleLoad(db, NOON + 1);
    expect({ schedules, from, slots: slots.length }).toEqual({
      schedules: 2,
      from: "2026-11-21T12:00:00.000Z",
      slots: 96,
    });
    const busy = slots.filter((slot) => slot.starts > 0);
    expect(busy.map(({ at, starts }) => [at, starts])).toEqual([
      ["2026-11-22T02:00:00.000Z", 1],
      ["2026-11-22T03:00:00.000Z", 1],
    ]);
  });

  test("a spread takes a peak apart and loses no run, and one that began before the window counts", async () => {
    const db = await open();
    for (let n = 0; n < 40; n += 1) {
      const host = await addHost(db);
      const group = await addSourceGroup(db, host);
      // At 11:30 with up to two hours: some of them start after noon, and none of yesterday's twice.
      await addSchedule(db, host, [group], { cron: "30 11 * * *", spread_seconds: 7_200 });
    }
    const { slots } = await scheduleLoad(db, NOON);
    const sum = (key: "starts" | "without_spread") => slots.reduce((all, slot) => all + slot[key], 0);
    expect(sum("without_spread")).toBe(40);
    expect(sum("starts")).toBe(40);
    expect(Math.max(...slots.map((slot) => slot.without_spread))).toBe(40);
    expect(Math.max(...slots.map((slot) => slot.starts))).toBeLessThan(20);
    expect(slots[0]?.starts).toBeGreaterThan(0);
  });

  test("what is off or in maintenance mode starts nothing", async () => {
    const db = await open();
    const host = await addHost(db, { paused_at: NOON });
    const group = await addSourceGroup(db, host);
    await addSchedule(db, host, [group]);
    const other = await addHost(db);
    await addSchedule(db, other, [await addSourceGroup(db, other)], { enabled: 0 });
    const load = await scheduleLoad(db, NOON);
    expect(load).toMatchObject({ schedules: 0, paused: 1 });
    expect(load.slots.every((slot) => slot.starts === 0)).toBe(true);
  });

  test("schedules for every minute start fifteen times a quarter", async () => {
    const db = await open();
    const host = await addHost(db);
    const group = await addSourceGroup(db, host);
    for (let n = 0; n < 60; n += 1) await addSchedule(db, host, [group], { cron: "* * * * *" });
    const { slots } = await scheduleLoad(db, NOON);
    expect(slots.every((slot) => slot.starts === 15 * 60)).toBe(true);
  });
});

onEveryStore("next runs", (open) => {
  test("the next fire is told, and the schedule that fires every group", async () => {
    const db = await open();
    const host = await addHost(db);
    const groups = [await addSourceGroup(db, host), await addSourceGroup(db, host, "photos")];
    await addSchedule(db, host, groups.slice(0, 1), { cron: "30 12 * * *" });
    const whole = await addSchedule(db, host, groups, { cron: "0 3 * * *" });
    await addSchedule(db, host, groups, { cron: "0 4 * * *" });
    const found = (await nextRuns(db, [host], NOON)).get(host);
    expect(found).toEqual({
      next_run: new Date(NOON + HOUR / 2).toISOString(),
      covering_schedule: { id: whole, cron: "0 3 * * *" },
    });
  });

  test("a paused host runs nothing, and still has what runs all of it; one without schedules has neither", async () => {
    const db = await open();
    const paused = await addHost(db, { paused_at: NOON });
    const id = await addSchedule(db, paused, [await addSourceGroup(db, paused)]);
    const bare = await addHost(db);
    const off = await addHost(db);
    await addSchedule(db, off, [await addSourceGroup(db, off)], { enabled: 0 });
    const found = await nextRuns(db, [paused, bare, off], NOON);
    expect(found.get(paused)).toEqual({
      next_run: null,
      covering_schedule: { id, cron: "0 3 * * *" },
    });
    expect(found.get(bare)).toEqual({ next_run: null, covering_schedule: null });
    expect(found.get(off)).toEqual({ next_run: null, covering_schedule: null });
  });
});
