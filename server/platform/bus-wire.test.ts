import { expect, test } from "bun:test";
import fc from "fast-check";
import { ulid } from "ulid";
import { HostId, JobId } from "@restic-manager/protocol/ids";
import { localBus, type BusTopic } from "./bus.ts";
import { deliverEnvelope, Outgoing, RequestOnTheWire } from "./bus-wire.ts";

const host = () => HostId.parse(ulid());
const job = () => JobId.parse(ulid());
const progress = { phase: "backup", fraction: 0.5 };

/** A bus that writes down everything it tells. */
function listener() {
  const heard: [BusTopic, unknown][] = [];
  const bus = localBus((error) => {
    throw error;
  });
  const topics: BusTopic[] = [
    "host.changed",
    "host.removed",
    "config.changed",
    "schedules.changed",
    "job.changed",
    "job.queued",
    "job.cancel",
    "job.log",
    "job.progress",
    "snapshots.changed",
    "store.changed",
    "bus.changed",
    "bus.resync",
  ];
  for (const topic of topics) bus.subscribe(topic, (event) => void heard.push([topic, event]));
  return { bus, heard };
}

test("what changed is told once to the others, progress before the job it belongs to", () => {
  const outgoing = new Outgoing("a");
  const [hostId, jobId] = [host(), job()];
  for (let i = 0; i < 3; i += 1) outgoing.note("host.changed", { hostId });
  outgoing.note("job.changed", { jobId, hostId });
  outgoing.note("job.progress", { jobId, hostId, kind: "init", progress: {} });
  outgoing.note("job.log", { jobId });
  const { bus, heard } = listener();
  for (const message of outgoing.take()) deliverEnvelope(message, "b", bus);
  expect(heard).toEqual([
    ["job.progress", { jobId, hostId, kind: "init", progress: {} }],
    ["job.changed", { jobId, hostId }],
    ["job.log", { jobId }],
    ["host.changed", { hostId }],
  ]);
  expect(outgoing.take()).toEqual([]);
});

test("what one server alone has to know is not told to the others", () => {
  const outgoing = new Outgoing("a");
  const [hostId, jobId] = [host(), job()];
  expect(outgoing.note("job.queued", { jobId, hostId })).toBe(false);
  expect(outgoing.note("job.cancel", { jobId, hostId, now: true })).toBe(false);
  expect(outgoing.note("store.changed", { failing: true, message: "full" })).toBe(false);
  expect(outgoing.note("bus.resync", {})).toBe(false);
  expect(outgoing.take()).toEqual([]);
});

test("a server passes over its own messages", () => {
  const outgoing = new Outgoing("a");
  outgoing.note("host.changed", { hostId: host() });
  const { bus, heard } = listener();
  for (const message of outgoing.take()) deliverEnvelope(message, "a", bus);
  expect(heard).toEqual([]);
});

test("however much changed, every message is smaller than NATS takes, and nothing is left out", () => {
  const outgoing = new Outgoing("a");
  const hosts = Array.from({ length: 30_000 }, host);
  for (const hostId of hosts) outgoing.note("host.changed", { hostId });
  const jobs = Array.from({ length: 10_000 }, job);
  for (const [at, jobId] of jobs.entries()) {
    const hostId = hosts[at] ?? host();
    outgoing.note("job.changed", { jobId, hostId });
    outgoing.note("job.progress", { jobId, hostId, kind: "init", progress: {} });
  }
  const messages = outgoing.take();
  expect(Math.max(...messages.map((message) => message.length))).toBeLessThan(1_000_000);
  const { bus, heard } = listener();
  for (const message of messages) deliverEnvelope(message, "b", bus);
  expect(heard).toHaveLength(50_000);
});

test("progress that would fill a message by itself is left out", () => {
  const outgoing = new Outgoing("a");
  const huge = { ...progress, note: "x".repeat(500_000) };
  outgoing.note("job.progress", { jobId: job(), hostId: host(), kind: "backup", progress: huge });
  expect(outgoing.take()).toEqual([]);
});

test("a message that is none of ours is refused, and tells nobody anything", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.jsonValue().map((v) => JSON.stringify({ from: v, hosts: v })),
      ),
      (text) => {
        const { bus, heard } = listener();
        let refused = false;
        try {
          deliverEnvelope(text, "b", bus);
        } catch {
          refused = true;
        }
        // What can be read of it may be an empty envelope; it never carries something that is no id.
        expect(heard).toEqual([]);
        return refused || heard.length === 0;
      },
    ),
  );
});

test("progress of a kind that does not fit its shape is dropped", () => {
  const { bus, heard } = listener();
  const event = { jobId: job(), hostId: host(), kind: "backup", progress: { fraction: "half" } };
  deliverEnvelope(JSON.stringify({ from: "a", progress: [event] }), "b", bus);
  expect(heard).toEqual([]);
});

test("a request that is none of ours is refused", () => {
  expect(RequestOnTheWire.safeParse({ topic: "link.erase", request: {} }).success).toBe(false);
  expect(RequestOnTheWire.safeParse({ topic: "link.deliver", request: { hostIds: ["../x"] } }).success).toBe(
    false,
  );
});
