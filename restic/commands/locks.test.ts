import { expect, test } from "bun:test";
import fc from "fast-check";
import { isProvablyOwnStale, judgeLock, staleAfterMs } from "./list-locks.ts";
import { unlockArgs } from "./unlock.ts";

const now = Date.parse("2026-11-21T10:00:00Z");
const lock = { hostname: "client1", pid: 7, time: "2026-11-21T09:59:00.235911607Z" };
const judge = (
  changes: Partial<typeof lock>,
  alive = true,
  hostname = "client1",
): ReturnType<typeof judgeLock> =>
  judgeLock({ ...lock, ...changes }, { hostname, now, pidAlive: () => alive });

test("a lock of ours with a living process is live, with a dead one it is stale", () => {
  expect(judge({})).toEqual({ state: "live", ageMs: 59_765 });
  expect(judge({}, false)).toEqual({ state: "stale", why: "process_gone", ageMs: 59_765 });
});

test("another host's lock is judged by its age alone", () => {
  expect(judge({}, false, "client2").state).toBe("live");
  expect(judge({ time: "2026-11-21T09:29:59Z" }, true, "client2")).toMatchObject({ why: "expired" });
  expect(judge({ time: "2026-11-21T09:30:00Z" }, true, "client2").state).toBe("live");
});

test("a time of the future or none at all is never expired", () => {
  expect(judge({ time: "2027-01-01T00:00:00Z" })).toEqual({ state: "live", ageMs: 0 });
  expect(judge({ time: "yesterday" })).toEqual({ state: "live", ageMs: 0 });
});

test("stale is exactly own and dead, or old", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("a", "b", ""),
      fc.constantFrom("a", "b", ""),
      fc.integer(),
      fc.boolean(),
      fc.integer({ min: -2 * staleAfterMs, max: 3 * staleAfterMs }),
      (ours, theirs, pid, alive, age) => {
        const one = { hostname: theirs, pid, time: new Date(now - age).toISOString() };
        const at = { hostname: ours, now, pidAlive: () => alive };
        const stale = isProvablyOwnStale(one, at) || age > staleAfterMs;
        expect(judgeLock(one, at).state).toBe(stale ? "stale" : "live");
      },
    ),
  );
});

test("live locks go only when it is asked for", () => {
  expect(unlockArgs({})).toEqual(["unlock"]);
  expect(unlockArgs({ removeAll: true })).toEqual(["unlock", "--remove-all"]);
});
