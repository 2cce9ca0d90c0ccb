import { expect, test } from "bun:test";
import { EnrollmentId } from "@restic-manager/protocol/ids";
import type { HostRow } from "@restic-manager/protocol/api/hosts";
import type { Job } from "@restic-manager/protocol/api/jobs";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import { localBus } from "../platform/bus.ts";
import { testClock } from "../testing/clock.ts";
import { newHostId, newJobId } from "../testing/rows.ts";
import { createEventStream, type EventsParts } from "./stream.ts";
import { createViewer } from "./viewer.ts";

/** A stream whose hosts and jobs are only their ids, and a page that collects. */
function setup(more: Partial<EventsParts> = {}) {
  const clock = testClock();
  const bus = localBus((error) => {
    throw error;
  });
  const looked: string[][] = [];
  const look = <T>(ids: readonly string[]): Promise<T[]> => {
    looked.push([...ids]);
    return Promise.resolve(ids.map((id) => ({ id }) as T));
  };
  const stream = createEventStream({
    bus,
    clock,
    version: "1",
    viewHosts: (ids: readonly HostId[]) => look<HostRow>(ids),
    viewJobs: (ids: readonly JobId[]) => look<Job>(ids),
    isSessionAlive: () => Promise.resolve(true),
    onError: (error) => {
      throw error;
    },
    ...more,
  });
  const open = (sessionHash = "s", names = true) => {
    const end = new AbortController();
    const events = stream.open({ sessionHash, names }, end.signal);
    const next = async () => {
      const { value } = await events.next();
      return value === undefined ? undefined : (JSON.parse(value) as Record<string, unknown>);
    };
    return { next, end: () => end.abort() };
  };
  return { clock, bus, looked, stream, open };
}

test("a page hears ready first, then each change once in 100 ms, looked up once for all pages", async () => {
  const { clock, bus, looked, open } = setup();
  const [one, two] = [open(), open()];
  expect(await one.next()).toMatchObject({ type: "ready", version: "1" });
  expect(await two.next()).toMatchObject({ type: "ready" });
  const [hostId, jobId] = [newHostId(), newJobId()];
  for (let n = 0; n < 5; n++) bus.publish("host.changed", { hostId });
  bus.publish("job.progress", { jobId, hostId, kind: "backup", progress: { n: 1 } });
  bus.publish("job.progress", { jobId, hostId, kind: "backup", progress: { n: 2 } });
  bus.publish("job.changed", { jobId, hostId });
  clock.advance(99);
  expect(looked).toEqual([]);
  clock.advance(1);
  for (const page of [one, two]) {
    expect(await page.next()).toEqual({
      type: "job.progress",
      job_id: jobId,
      host_id: hostId,
      kind: "backup",
      progress: { n: 2 },
    });
    expect(await page.next()).toEqual({ type: "job.changed", job: { id: jobId } });
    expect(await page.next()).toEqual({ type: "host.changed", host: { id: hostId } });
  }
  expect(looked).toEqual([[hostId], [jobId]]);
});

test("every sort of change has its event", async () => {
  const { clock, bus, open } = setup();
  const page = open();
  await page.next();
  const hostId = newHostId();
  const enrollmentId = EnrollmentId.parse(newHostId());
  bus.publish("host.changed", { hostId });
  bus.publish("host.removed", { hostId });
  bus.publish("snapshots.changed", { hostId });
  bus.publish("schedules.changed", { hostId });
  bus.publish("enrollment.changed", { enrollmentId });
  bus.publish("store.changed", { failing: true, message: "full" });
  clock.advance(100);
  expect(await page.next()).toEqual({ type: "host.removed", host_id: hostId });
  expect(await page.next()).toEqual({ type: "snapshots.changed", host_id: hostId });
  expect(await page.next()).toEqual({ type: "schedules.changed", host_id: hostId });
  expect(await page.next()).toEqual({ type: "enrollment.changed", enrollment_id: enrollmentId });
  expect(await page.next()).toEqual({ type: "store.changed", failing: true, message: "full" });
});

test("without an open page nothing is listened to, looked up or left running", async () => {
  const { clock, bus, looked, stream, open } = setup();
  bus.publish("host.changed", { hostId: newHostId() });
  expect(clock.pending()).toBe(0);
  const page = open();
  await page.next();
  bus.publish("host.changed", { hostId: newHostId() });
  expect(clock.pending()).toBe(2);
  page.end();
  expect(await page.next()).toBeUndefined();
  expect([stream.viewers(), clock.pending(), looked]).toEqual([0, 0, []]);
});

test("changes that come while others are looked up are sent after them", async () => {
  const gate = Promise.withResolvers<void>();
  const asked: HostId[][] = [];
  const { clock, bus, open } = setup({
    async viewHosts(ids) {
      asked.push([...ids]);
      if (asked.length === 1) await gate.promise;
      return ids.map((id) => ({ id }) as HostRow);
    },
  });
  const page = open();
  await page.next();
  const [first, second] = [newHostId(), newHostId()];
  bus.publish("host.changed", { hostId: first });
  clock.advance(100);
  bus.publish("host.changed", { hostId: second });
  clock.advance(1_000);
  expect(asked).toEqual([[first]]);
  gate.resolve();
  expect(await page.next()).toMatchObject({ host: { id: first } });
  clock.advance(100);
  expect(await page.next()).toMatchObject({ host: { id: second } });
});

test("more changes than a page shows become one ready", async () => {
  const { clock, bus, looked, open } = setup();
  const page = open();
  await page.next();
  for (let n = 0; n < 600; n++) bus.publish("host.changed", { hostId: newHostId() });
  clock.advance(100);
  expect(await page.next()).toMatchObject({ type: "ready" });
  expect(looked).toEqual([]);
});

test("what cannot be looked up becomes a ready, and the next change is sent again", async () => {
  const errors: unknown[] = [];
  let fails = true;
  const { clock, bus, open } = setup({
    viewHosts: (ids) =>
      fails ? Promise.reject(new Error("no store")) : Promise.resolve(ids.map((id) => ({ id }) as HostRow)),
    onError: (error) => void errors.push(error),
  });
  const page = open();
  await page.next();
  const hostId = newHostId();
  bus.publish("host.changed", { hostId });
  clock.advance(100);
  expect(await page.next()).toMatchObject({ type: "ready" });
  expect(errors).toHaveLength(1);
  fails = false;
  bus.publish("host.changed", { hostId });
  clock.advance(100);
  expect(await page.next()).toMatchObject({ type: "host.changed" });
});

test("a page whose session ended hears nothing more", async () => {
  const { clock, open } = setup({ isSessionAlive: (hash) => Promise.resolve(hash !== "revoked") });
  const [dead, alive] = [open("revoked"), open("alive")];
  await dead.next();
  await alive.next();
  clock.advance(10_000);
  expect(await dead.next()).toBeUndefined();
  alive.end();
  expect(await alive.next()).toBeUndefined();
});

test("a page that does not read costs a bounded memory, and is told to start afresh", async () => {
  const viewer = createViewer(() => ({ type: "ready", server_time: "2026-11-21T12:00:00Z", version: "1" }), {
    events: 3,
    characters: 100,
  });
  const end = new AbortController();
  const events = viewer.read(end.signal);
  const next = async () => (await events.next()).value;
  expect(await next()).toContain("ready");
  for (const event of ["a", "b", "c", "d", "e"]) viewer.push(event);
  expect([await next(), await next()]).toEqual([expect.stringContaining("ready") as unknown as string, "e"]);
  viewer.push("x".repeat(101));
  expect(await next()).toContain("ready");
  viewer.push("f");
  expect(await next()).toBe("f");
  const last = next();
  end.abort();
  expect(await last).toBeUndefined();
});
