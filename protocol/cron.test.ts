import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseCron } from "./cron.ts";

test.each([
  ["", "needs 5 fields (minute hour day month weekday) and has 0"],
  ["* * * *", "needs 5 fields (minute hour day month weekday) and has 4"],
  ["0 0 3 * * *", "needs 5 fields (minute hour day month weekday) and has 6: leave out the one for seconds"],
  ["@daily", "write 0 0 * * * instead of @daily"],
  ["@reboot", 'does not know "@reboot"'],
  ["0 0 30 2 *", "names a date that never comes"],
  ["0 0 31 4,6,9,11 *", "names a date that never comes"],
  ["0 0 30 2 */2", "names a date that never comes"],
  ["60 * * * *", 'minute: "60" is not 0 to 59'],
  ["0 24 * * *", 'hour: "24" is not 0 to 23'],
  ["0 0 0 * *", 'day of the month: "0" is not 1 to 31'],
  ["0 0 * 13 *", 'month: "13" is not 1 to 12'],
  ["0 0 * * 8", 'day of the week: "8" is not 0 to 7'],
  ["0 0 L * *", 'day of the month: "l" is not 1 to 31'],
  ["5/15 * * * *", "minute: write 5-59/15 instead of 5/15"],
  ["*/0 * * * *", "minute: a step must be 1 to 59"],
  ["0 5-1 * * *", "hour: 5-1 ends before it begins; write two ranges"],
  ["1,,2 * * * *", 'minute: cannot read ""'],
  ["-o * * * *", 'minute: cannot read "-o"'],
  ["1.5 * * * *", 'minute: cannot read "1.5"'],
  ["٣ * * * *", 'minute: cannot read "٣"'],
])("%s is refused with words", (text, problem) => {
  expect(parseCron(text)).toEqual({ ok: false, problem });
});

test.each([
  ["0 3 * * *", { minutes: [0], hours: [3], eitherDay: false }],
  ["  0\t3  *  * * ", { minutes: [0], hours: [3] }],
  ["*/20 9-17/4 * * *", { minutes: [0, 20, 40], hours: [9, 13, 17] }],
  ["30,5,5 * * * *", { minutes: [5, 30] }],
  ["0 0 1 JAN,dec *", { months: new Set([1, 12]) }],
  ["0 0 * * mon-FRI", { weekdays: new Set([1, 2, 3, 4, 5]), eitherDay: false }],
  ["0 0 * * 0,7", { weekdays: new Set([0]) }],
  ["0 0 13 * 5", { eitherDay: true }],
  ["0 0 */2 * 5", { eitherDay: false }],
  ["0 0 29 2 *", { days: new Set([29]), months: new Set([2]) }],
  ["0 0 30 2 1", { eitherDay: true }],
])("%s is read", (text, cron) => {
  expect(parseCron(text)).toMatchObject({ ok: true, cron });
});

test("whatever is typed is read or refused with one line of words, and never throws", () => {
  const field = fc.stringMatching(/^[0-9*,/a-z@#?L-]{1,8}$/);
  const text = fc.oneof(
    fc.string(),
    fc.array(field, { maxLength: 7 }).map((parts) => parts.join(" ")),
  );
  fc.assert(
    fc.property(text, (typed) => {
      const parsed = parseCron(typed);
      if (!parsed.ok) return expect(parsed.problem).toMatch(/^.{1,200}$/s);
      const { minutes, hours } = parsed.cron;
      expect(minutes.length * hours.length).toBeGreaterThan(0);
    }),
  );
});

test("a text that is far too long is not read", () => {
  const problem = "has more than 512 characters";
  expect(parseCron(`${"1,".repeat(400)}1 * * * *`)).toEqual({ ok: false, problem });
});
