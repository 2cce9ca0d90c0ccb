import { expect, test } from "bun:test";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import { localBus } from "../platform/bus.ts";
import { newHostId, newJobId } from "../testing/rows.ts";
import { ProgressBoard } from "./progress.ts";

const report = (job_id: JobId) => ({
  type: "job.progress" as const,
  job_id,
  kind: "init" as const,
  at: "2026-11-21T12:00:00.000Z",
  progress: {},
});

function board(owner: (jobId: JobId) => Promise<HostId | undefined>) {
  const bus = localBus(() => {});
  const heard: JobId[] = [];
  bus.subscribe("job.progress", ({ jobId }) => heard.push(jobId));
  return { bus, heard, board: new ProgressBoard(bus, owner) };
}

test("an agent that makes up job ids fills no memory", async () => {
  const { board: progress, heard } = board(async () => undefined);
  for (let n = 0; n < 100; n += 1) await progress.report(newHostId(), report(newJobId()));
  expect(progress.size).toBe(0);
  expect(heard).toEqual([]);
});

test("progress of another host's job is not believed", async () => {
  const owner = newHostId();
  const { board: progress, heard } = board(async () => owner);
  await progress.report(newHostId(), report(newJobId()));
  expect(heard).toEqual([]);
});

test("a store that failed once does not silence a job's progress for ever", async () => {
  const host = newHostId();
  const job = newJobId();
  let failing = true;
  const { board: progress, heard } = board(async () => {
    if (failing) throw new Error("no connection");
    return host;
  });
  await progress.report(host, report(job)).catch(() => {});
  failing = false;
  await progress.report(host, report(job));
  expect(heard).toEqual([job]);
});

test("a job that is over is forgotten", async () => {
  const host = newHostId();
  const job = newJobId();
  let owner: HostId | undefined = host;
  const { board: progress, bus } = board(async () => owner);
  await progress.report(host, report(job));
  expect(progress.latest(job)).toEqual({});
  owner = undefined;
  bus.publish("job.changed", { jobId: job, hostId: host });
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  expect(progress.size).toBe(0);
});
