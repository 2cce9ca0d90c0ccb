import { describe, expect, test } from "bun:test";
import { formatBytes } from "./bytes.ts";
import { formatCountdown, formatDuration, roundRemaining } from "./durations.ts";
import { countOf, formatCount, formatPercent } from "./numbers.ts";
import { absoluteTime, calendarDay, clockTime, hourAndMinute, relativeTime } from "./times.ts";

const KIB = 1024;
const MIB = KIB * KIB;
const GIB = KIB * MIB;
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe("bytes", () => {
  test.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [1536, "1.50 KiB"],
    [16 * MIB, "16.0 MiB"],
    [918.3 * GIB, "918 GiB"],
    [999.4 * GIB, "999 GiB"],
    [999.6 * GIB, "0.98 TiB"],
    [4.21 * 1024 * GIB, "4.21 TiB"],
    [9.996 * MIB, "10.0 MiB"],
    [-5, "0 B"],
  ])("%d bytes read %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe("durations", () => {
  test.each([
    [400, "0.4 s"],
    [990, "1 s"],
    [11 * second, "11 s"],
    [3 * minute + 12 * second, "3 min 12 s"],
    [26 * minute + 2 * second, "26 min 02 s"],
    [hour + 4 * minute, "1 h 04 min"],
    [51 * hour, "2 d 3 h"],
    [-1, "0 s"],
  ])("%d ms read %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

  test.each([
    [0, "less than a minute"],
    [49, "less than a minute"],
    [58, "about 1 min"],
    [301, "about 5 min"],
    [22 * 60, "about 20 min"],
    [57 * 60, "about 55 min"],
    [58 * 60, "about 1 h"],
    [92 * 60, "about 1 h 30"],
    [5 * 3600, "about 5 h"],
    [50 * 3600, "about 2 days"],
  ])("%d seconds left read %s", (seconds, text) => expect(roundRemaining(seconds)).toBe(text));

  test("a countdown ends at zero and never goes below", () => {
    expect(formatCountdown(57 * minute + 48 * second)).toBe("57:48");
    expect(formatCountdown(hour + 2 * minute + 3 * second)).toBe("1:02:03");
    expect(formatCountdown(-1)).toBe("00:00");
  });
});

describe("relative times", () => {
  const now = Date.UTC(2026, 10, 21, 8, 42, 0);
  test.each([
    [0, "1 s ago"],
    [41 * second, "41 s ago"],
    [12 * minute, "12 min ago"],
    [6 * hour + 12 * minute, "6 h 12 ago"],
    [31 * hour, "31 h ago"],
    [3 * day, "3 d ago"],
    [100 * day, "3 mo ago"],
    [3 * 366 * day, "3 y ago"],
    [-(5 * hour + 48 * minute), "in 5 h 48"],
    [-16 * hour, "in 16 h"],
  ])("%d ms before now reads %s", (before, text) => expect(relativeTime(now - before, now)).toBe(text));

  test("absolute times carry their zone", () => {
    expect(absoluteTime(now, "Europe/Berlin")).toMatch(/^Sat 21 Nov 2026 (at )?09:42:00 (CET|GMT\+1)$/);
    expect(clockTime(now, "UTC")).toBe("08:42:00");
    expect(hourAndMinute(now, "UTC")).toBe("08:42");
    expect(calendarDay(now, "UTC")).toBe("21 Nov 2026");
  });
});

describe("counts", () => {
  test("thousands are separated and nouns agree", () => {
    expect(formatCount(214_408)).toBe("214,408");
    expect(countOf(1, "host")).toBe("1 host");
    expect(countOf(0, "host")).toBe("0 hosts");
    expect(countOf(2, "repository", "repositories")).toBe("2 repositories");
  });

  test("a percentage reaches 100 only when it is done and leaves 0 when it has begun", () => {
    expect(formatPercent(0)).toBe("0");
    expect(formatPercent(0.001)).toBe("1");
    expect(formatPercent(0.629)).toBe("62");
    expect(formatPercent(0.9999)).toBe("99");
    expect(formatPercent(1)).toBe("100");
  });
});
