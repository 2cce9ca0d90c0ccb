import { expect, test } from "bun:test";
import { Keeper } from "./keeper.ts";

/** A process that the test ends and starts itself. */
function played() {
  const log: string[] = [];
  let ended: string | undefined = "not started";
  const kept = {
    name: "it",
    start: async () => {
      log.push("start");
      ended = undefined;
    },
    ended: () => ended,
  };
  return { keeper: new Keeper(kept), log, die: (how: string) => void (ended = how) };
}

test("what is ended on purpose is no death, and comes back", async () => {
  const { keeper, log, die } = played();
  await keeper.up();
  await keeper.down(async () => die("SIGKILL"), 0);
  expect(log).toEqual(["start", "start"]);
  expect(keeper.deaths).toEqual([]);
  expect(keeper.running).toBe(true);
});

test("what ends by itself is a death, and comes back", async () => {
  const { keeper, log, die } = played();
  await keeper.up();
  die("exit code 1");
  expect(keeper.running).toBe(false);
  await keeper.up();
  await keeper.up();
  expect(log).toEqual(["start", "start"]);
  expect(keeper.deaths).toEqual(["it ended by itself (exit code 1)"]);
});

test("it is not started while it is being ended", async () => {
  const { keeper, log, die } = played();
  await keeper.up();
  const gate = Promise.withResolvers<void>();
  const down = keeper.down(async () => {
    await gate.promise;
    die("SIGTERM");
  }, 0);
  const up = keeper.up();
  expect(log).toEqual(["start"]);
  gate.resolve();
  await Promise.all([down, up]);
  expect(log).toEqual(["start", "start"]);
});
