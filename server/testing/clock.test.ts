import { expect, test } from "bun:test";
import { testClock } from "./clock.ts";

test("timers run in order, each at its own instant", () => {
  const clock = testClock(0);
  const seen: string[] = [];
  clock.after(30, () => seen.push(`c at ${clock.now()}`));
  clock.every(10, () => seen.push(`tick at ${clock.now()}`));
  clock.after(15, () => clock.after(5, () => seen.push(`b at ${clock.now()}`)));
  clock.advance(30);
  expect(seen).toEqual(["tick at 10", "tick at 20", "b at 20", "c at 30", "tick at 30"]);
  expect(clock.now()).toBe(30);
});

test("a cancelled timer does not run, and none is left", () => {
  const clock = testClock();
  const cancels = [clock.after(5, () => expect.unreachable()), clock.every(5, () => expect.unreachable())];
  for (const cancel of cancels) cancel();
  clock.advance(100);
  expect(clock.pending()).toBe(0);
});

test("after a jump every timer that fell due runs once, and repeats from there", () => {
  const clock = testClock(0);
  const seen: string[] = [];
  const later = clock.after(50, () => expect.unreachable());
  clock.after(20, () => {
    seen.push(`once at ${clock.now()}`);
    later();
  });
  clock.every(10, () => seen.push(`tick at ${clock.now()}`));
  clock.jump(1_000);
  expect(seen).toEqual(["tick at 1000", "once at 1000"]);
  clock.advance(10);
  expect(seen.at(-1)).toBe("tick at 1010");
});

test("a clock that is set says something else, and no timer is earlier or later for it", () => {
  const clock = testClock(1_000);
  const seen: number[] = [];
  clock.every(10, () => seen.push(clock.elapsed()));
  clock.set(-500);
  expect([clock.now(), clock.elapsed()]).toEqual([500, 0]);
  clock.advance(20);
  expect(seen).toEqual([10, 20]);
  expect([clock.now(), clock.elapsed()]).toEqual([520, 20]);
});
