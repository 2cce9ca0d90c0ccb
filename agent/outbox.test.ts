import { afterEach, expect, test } from "bun:test";
import fc from "fast-check";
import { parseAgentFrame } from "@restic-manager/protocol/frame";
import { openAgentDb } from "./db.ts";
import { Outbox } from "./outbox.ts";
import { jobId, testJournal } from "./testing/journal.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function box(logLimit?: number) {
  const made = testJournal(logLimit === undefined ? {} : { logLimit });
  open.push(made);
  return made;
}

const chunk = (firstLine: number, bytes: number) => ({
  jobId: jobId(1),
  firstLine,
  count: 10,
  rawSize: 100,
  data: new Uint8Array(bytes),
});

test("numbers rise by one, also across restarts", () => {
  const { outbox, db } = box();
  expect(outbox.append({ type: "job.accepted", job_id: jobId(1), at: "2026-11-21T00:00:00.000Z" })).toBe(1);
  expect(outbox.appendLog(chunk(0, 5))).toBe(2);
  outbox.acknowledge(2);
  const later = new Outbox(db);
  expect(later.epoch).toBe(outbox.epoch);
  expect([later.lowest, later.highest]).toEqual([3, 2]);
  expect(later.appendLog(chunk(10, 5))).toBe(3);
});

test("a lost file is a new epoch", () => {
  const one = new Outbox(openAgentDb(":memory:"));
  const other = new Outbox(openAgentDb(":memory:"));
  expect(one.epoch).not.toBe(other.epoch);
});

test("what is read is what was written, within the window asked for, and at least one frame", () => {
  const { outbox } = box();
  for (let i = 0; i < 5; i += 1) outbox.appendLog(chunk(i * 10, 1_000));
  expect(outbox.read(2, 2, 1e9).map((frame) => frame.seq)).toEqual([2, 3]);
  expect(outbox.read(1, 64, 10).map((frame) => frame.seq)).toEqual([1]);
  expect(outbox.read(6, 64, 1e9)).toEqual([]);
  const [frame] = outbox.read(3, 1, 1e9);
  const parsed = parseAgentFrame(frame?.data ?? "");
  expect(parsed).toMatchObject({
    type: "durable",
    seq: 3,
    durable: { type: "log", header: { first_line: 20 } },
  });
});

test("log lines over the limit give way oldest first, keep their numbers, and say how many are missing", () => {
  const { outbox, waiting } = box(2_500);
  outbox.append({ type: "job.started", job_id: jobId(1), at: "2026-11-21T00:00:00.000Z" });
  for (let i = 0; i < 4; i += 1) outbox.appendLog(chunk(i * 10, 1_000));
  expect(outbox.logBytes).toBeLessThanOrEqual(2_500);
  const frames = waiting().map((data) => parseAgentFrame(data));
  expect(frames.map((frame) => (frame.type === "durable" ? frame.seq : 0))).toEqual([1, 2, 3, 4, 5]);
  expect(frames[1]).toMatchObject({ durable: { message: { type: "log.gap", first_line: 0, count: 10 } } });
  expect(frames[2]).toMatchObject({ durable: { message: { type: "log.gap", first_line: 10, count: 10 } } });
  expect(frames[3]).toMatchObject({ durable: { type: "log" } });
});

test("a new epoch numbers what waits anew from 1, in the same order", () => {
  const { outbox, db } = box();
  for (let i = 0; i < 5; i += 1) outbox.appendLog(chunk(i * 10, 10));
  outbox.acknowledge(3);
  const before = outbox.epoch;
  outbox.beginEpoch();
  expect(outbox.epoch).not.toBe(before);
  expect([outbox.lowest, outbox.highest]).toEqual([1, 2]);
  const lines = outbox.read(1, 9, 1e9).map(({ data }) => parseAgentFrame(data));
  expect(lines).toMatchObject([
    { seq: 1, durable: { header: { first_line: 30 } } },
    { seq: 2, durable: { header: { first_line: 40 } } },
  ]);
  expect(new Outbox(db).highest).toBe(2);
});

test("whatever is written, acknowledged and reopened in whatever order, nothing unacknowledged is lost or doubled", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("message" as const) }),
    fc.record({ do: fc.constant("log" as const), bytes: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ do: fc.constant("acknowledge" as const), upTo: fc.nat(40) }),
    fc.record({ do: fc.constant("reopen" as const) }),
    fc.record({ do: fc.constant("roll back" as const) }),
    fc.record({ do: fc.constant("new epoch" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const db = openAgentDb(":memory:");
      let outbox = new Outbox(db);
      let model: number[] = [];
      let lines = 0;
      for (const one of steps) {
        switch (one.do) {
          case "message":
            outbox.append({ type: "log.gap", job_id: jobId(1), first_line: lines, count: 1 });
            model.push(lines);
            lines += 1;
            break;
          case "log":
            outbox.appendLog({ ...chunk(lines, one.bytes), count: 1 });
            model.push(lines);
            lines += 1;
            break;
          case "acknowledge": {
            const upTo = Math.min(one.upTo, outbox.highest);
            const gone = Math.max(0, upTo - outbox.lowest + 1);
            outbox.acknowledge(upTo);
            model = model.slice(gone);
            break;
          }
          case "reopen":
            outbox = new Outbox(db);
            break;
          case "roll back":
            expect(() =>
              db.transaction(() => {
                outbox.appendLog(chunk(lines, 10));
                throw new Error("the transaction failed");
              })(),
            ).toThrow();
            outbox.reload();
            break;
          case "new epoch":
            outbox.beginEpoch();
        }
        const frames = outbox.read(1, 1_000, 1e9);
        const expected = Array.from(
          { length: model.length },
          (_, i) => outbox.highest - model.length + 1 + i,
        );
        expect(frames.map((frame) => frame.seq)).toEqual(expected);
        expect(frames.map(({ data }) => firstLine(data))).toEqual(model);
      }
      db.close();
    }),
  );
});

function firstLine(data: string | Uint8Array): number {
  const frame = parseAgentFrame(data);
  if (frame.type !== "durable") throw new Error("not a durable frame");
  const { durable } = frame;
  if (durable.type === "log") return durable.header.first_line;
  return durable.message.type === "log.gap" ? durable.message.first_line : -1;
}
