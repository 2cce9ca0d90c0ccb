import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { cronInWords, cronWords } from "./cron-words.ts";

describe("a cron expression in plain English", () => {
  test.each([
    ["* * * * *", "Every minute"],
    ["*/15 * * * *", "Every 15 minutes"],
    ["5-59/15 * * * *", "Every 15 minutes, from 5 past"],
    ["*/15 8-17 * * 1-5", "Every 15 minutes from 08:00 to 17:45, Monday to Friday"],
    ["*/30 */2 * * *", "Every 30 minutes, in every 2nd hour"],
    ["*/20 1,5,6 * * *", "Every 20 minutes, in the hours of 01, 05 and 06"],
    ["0 * * * *", "Every hour, on the hour"],
    ["30 * * * *", "Every hour, at half past"],
    ["1 * * * *", "Every hour, at 1 minute past"],
    ["7 * * * *", "Every hour, at 7 minutes past"],
    ["5,17,40 * * * *", "At 5, 17 and 40 minutes past every hour"],
    ["5,17,40 1,2,9 * * *", "At 5, 17 and 40 minutes past the hours 01, 02 and 09, every day"],
    ["30 3-21/6 * * *", "Every 6 hours, at half past"],
    ["0 */12 * * *", "At 00:00 and 12:00, every day"],
    ["0 8-17 * * *", "Every hour from 08:00 to 17:00"],
    ["30 1 * * *", "At 01:30, every day"],
    ["30 1,13,20 * * *", "At 01:30, 13:30 and 20:30, every day"],
    ["30 1 * * 0", "At 01:30, every Sunday"],
    ["30 1 * * 7", "At 01:30, every Sunday"],
    ["30 1 * * mon,wed,fri", "At 01:30, every Monday, Wednesday and Friday"],
    ["30 1 * * 6,0", "At 01:30, every Saturday and Sunday"],
    ["30 1 * * 1-5", "At 01:30, Monday to Friday"],
    ["0 5 1 * *", "At 05:00 on the 1st of the month"],
    ["0 5 1,15 * *", "At 05:00 on the 1st and 15th of the month"],
    ["0 5 1-7,22 * *", "At 05:00 on the 1st to 7th and 22nd of the month"],
    ["0 5 11,12,13 * *", "At 05:00 on the 11th to 13th of the month"],
    ["0 5 1 1 *", "At 05:00 on the 1st of January"],
    ["0 5 1 1,7 *", "At 05:00 on the 1st of January and July"],
    ["0 5 * 6-8 *", "At 05:00, every day in June to August"],
    ["0 5 * 12 1", "At 05:00, every Monday in December"],
    ["0 5 13 * 5", "At 05:00 on the 13th of the month and every Friday"],
    ["0 5 */30 * 5", "At 05:00 on the 1st and 31st of the month when it is a Friday"],
    ["0 5 29 2 *", "At 05:00 on the 29th of February"],
  ])("%s reads %s", (cron, words) => expect(cronWords(cron)).toBe(words));

  test("names the times of a day when they are few and the words do not", () => {
    const timesOf = (cron: string) => {
      const read = cronInWords(cron);
      return read.ok ? read.times : [];
    };
    expect(timesOf("30 3-21/6 * * *")).toEqual(["03:30", "09:30", "15:30", "21:30"]);
    expect(timesOf("30 1 * * *")).toEqual([]);
    expect(timesOf("0 * * * *")).toEqual([]);
  });

  test("says what is wrong with what is none", () => {
    expect(cronInWords("@daily")).toEqual({ ok: false, problem: "write 0 0 * * * instead of @daily" });
    expect(cronWords("61 * * * *")).toBe("61 * * * *");
  });

  test("whatever can be read has words, with no hole in them", () => {
    const field = (from: number, to: number) =>
      fc.oneof(
        fc.constant("*"),
        fc.integer({ min: from, max: to }).map(String),
        fc.integer({ min: 1, max: to }).map((step) => `*/${step}`),
        fc
          .uniqueArray(fc.integer({ min: from, max: to }), { minLength: 1, maxLength: 5 })
          .map((values) => values.join(",")),
      );
    const cron = fc
      .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7))
      .map((fields) => fields.join(" "));
    fc.assert(
      fc.property(cron, (text) => {
        const read = cronInWords(text);
        expect(read.ok).toBe(true);
        if (read.ok)
          expect(read.words).toMatch(/^(Every|At) [^ ](?!.*(undefined|null|NaN| {2}|, ,)).*[^ ,]$/);
      }),
      { numRuns: 500 },
    );
  });
});
