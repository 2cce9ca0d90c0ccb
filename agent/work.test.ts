import { expect, test } from "bun:test";
import type { TransientMessage } from "@restic-manager/protocol/messages";
import type { HeldJob } from "./journal.ts";
import { jobRunners } from "./jobs.ts";
import { createLog } from "./log.ts";
import { Meta } from "./meta.ts";
import { jobId, testJournal } from "./testing/journal.ts";
import { manualTimers } from "./testing/timers.ts";
import { workOn } from "./work.ts";

const SECOND = 1_000;
const PRUNE: HeldJob = {
  id: jobId(1),
  kind: "prune",
  input: { use_admin: false },
  actorKind: "user",
  createdAt: "2026-11-21T00:00:00.000Z",
  state: "running",
  process: null,
  logLines: 0,
};

/** A prune that says what the test says, when the test says it. `told`: the seconds of what went to the server, with when. */
function working() {
  const made = testJournal();
  const timers = manualTimers();
  const began = timers.now();
  const said: TransientMessage[] = [];
  let progress: (seconds: number) => void = () => {};
  const ended = Promise.withResolvers<void>();
  const done = workOn(
    PRUNE,
    { cancel: new AbortController().signal, kill: new AbortController().signal },
    {
      journal: made.journal,
      timers,
      meta: new Meta(made.db),
      log: createLog({ write: () => {}, now: () => new Date(0), journal: false }),
      access: () => ({ ok: false, error: { code: "failed", message: "not asked" } }),
      hostName: () => "client1",
      say: (message) => void said.push(message),
      runners: {
        ...jobRunners,
        async prune(_input, tools) {
          progress = (seconds_elapsed) => tools.progress({ phase: "working", seconds_elapsed });
          await ended.promise;
          return { state: "succeeded", result: {} };
        },
      },
    },
  );
  return {
    at(ms: number): void {
      timers.advance(began + ms - timers.now());
    },
    progress: (seconds: number) => progress(seconds),
    told: () =>
      said.flatMap((message) =>
        message.type === "job.progress"
          ? [[message.progress["seconds_elapsed"], Date.parse(message.at) - began]]
          : [],
      ),
    async end() {
      ended.resolve();
      await done;
      timers.advance(60 * SECOND);
      made.close();
    },
  };
}

test("progress that comes too soon is told a little later, the newest of it, when nothing follows for an hour", async () => {
  const job = working();
  job.progress(1);
  job.at(300);
  job.progress(2);
  job.at(600);
  job.progress(3);
  expect(job.told()).toEqual([[1, 0]]);
  job.at(3_600 * SECOND);
  expect(job.told()).toEqual([
    [1, 0],
    [3, 1_300],
  ]);
  await job.end();
});

test("regression: what came too soon after another that had just been told was never told", async () => {
  const job = working();
  job.progress(1);
  job.at(500);
  // Held, to be told at 1,500.
  job.progress(2);
  job.at(1_200);
  job.progress(3);
  job.at(1_300);
  // At 1,500 it is too soon for this one as well.
  job.progress(4);
  job.at(3_600 * SECOND);
  expect(job.told()).toEqual([
    [1, 0],
    [3, 1_200],
    [4, 2_500],
  ]);
  await job.end();
});

test("nothing is told of a job that has ended", async () => {
  const job = working();
  job.progress(1);
  job.at(100);
  job.progress(2);
  await job.end();
  expect(job.told()).toEqual([[1, 0]]);
});
