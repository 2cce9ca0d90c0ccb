import { describe, expect, test } from "bun:test";
import { dayTime, timeSpan } from "./day-times.ts";

const NOW = Date.UTC(2026, 10, 21, 8, 42);
const HOUR = 3_600_000;

describe("a time as people say it", () => {
  test("is the time alone today", () => expect(dayTime(NOW - HOUR, NOW, "UTC")).toBe("07:42"));
  test("says yesterday", () => expect(dayTime(NOW - 9 * HOUR, NOW, "UTC")).toBe("yesterday 23:42"));
  test("says the day before that", () => expect(dayTime(NOW - 48 * HOUR, NOW, "UTC")).toBe("19 Nov 08:42"));
  test("says the year when it was another", () =>
    expect(dayTime(Date.UTC(2025, 2, 14, 8, 14), NOW, "UTC")).toBe("14 Mar 2025 08:14"));
  test("is the reader's day, not the server's", () =>
    expect(dayTime(NOW - 9 * HOUR, NOW, "Asia/Tokyo")).toBe("08:42"));
  test("spans from one to the other", () =>
    expect(timeSpan(NOW - HOUR, NOW, NOW, "UTC")).toBe("07:42 to 08:42"));
});
