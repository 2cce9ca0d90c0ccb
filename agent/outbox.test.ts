import { afterEach, expect, test } from "bun:test";
import fc from "fast-check";
import { parseAgentFrame } from "@restic-manager/protocol/frame";
import { runs } from "@restic-manager/protocol/testing/hostile";
import { openAgentDb } from "./db.ts";
import { isDiskFull } from "./disk-full.ts";
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

interface Kept {
  line: number;
  /** Bytes of its chunk; 0 for a message, which nothing takes away. */
  bytes: number;
}

test("whatever is written, acknowledged, reopened and short of room in whatever order, nothing unacknowledged is lost or doubled", () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant("message" as const) }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant("log" as const), bytes: fc.integer({ min: 1, max: 6_000 }) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("acknowledge" as const), upTo: fc.nat(40) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("roll back" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("new epoch" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("give way" as const), bytes: fc.nat(20_000) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("disk" as const), full: fc.boolean() }) },
  );
  const limit = 30_000;
  let refused = 0;
  let gone = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const db = openAgentDb(":memory:");
      let outbox = new Outbox(db, limit);
      let model: Kept[] = [];
      let lines = 0;
      const giveWay = (bytes: number): void => {
        let freed = 0;
        for (const kept of model) {
          if (freed >= bytes) break;
          if (kept.bytes > 0) gone += 1;
          freed += kept.bytes;
          kept.bytes = 0;
        }
      };
      const waiting = () => model.reduce((sum, kept) => sum + kept.bytes, 0);
      /** One transaction, as the journal makes them; false when the disk had no room for it. */
      const written = (work: () => void): boolean => {
        try {
          db.transaction(work)();
          return true;
        } catch (error) {
          if (!isDiskFull(error)) throw error;
          outbox.reload();
          refused += 1;
          return false;
        }
      };
      for (const one of steps) {
        switch (one.do) {
          case "message":
            if (
              !written(() =>
                outbox.append({ type: "log.gap", job_id: jobId(1), first_line: lines, count: 1 }),
              )
            )
              break;
            model.push({ line: lines, bytes: 0 });
            lines += 1;
            break;
          case "log":
            if (!written(() => outbox.appendLog({ ...chunk(lines, one.bytes), count: 1 }))) break;
            model.push({ line: lines, bytes: one.bytes });
            giveWay(waiting() - limit);
            lines += 1;
            break;
          case "acknowledge": {
            const upTo = Math.min(one.upTo, outbox.highest);
            const few = Math.max(0, upTo - outbox.lowest + 1);
            if (written(() => outbox.acknowledge(upTo))) model = model.slice(few);
            break;
          }
          case "reopen":
            outbox = new Outbox(db, limit);
            break;
          case "roll back":
            expect(() =>
              db.transaction(() => {
                outbox.append({ type: "log.gap", job_id: jobId(1), first_line: lines, count: 1 });
                throw new Error("the transaction failed");
              })(),
            ).toThrow();
            outbox.reload();
            break;
          case "new epoch":
            try {
              outbox.beginEpoch();
            } catch (error) {
              if (!isDiskFull(error)) throw error;
            }
            break;
          case "give way":
            if (written(() => outbox.giveWay(one.bytes))) giveWay(one.bytes);
            break;
          case "disk":
            // Not a page more than there are: the real answer of a full disk.
            db.run(`pragma max_page_count = ${one.full ? 1 : 1_000_000}`);
        }
        const frames = outbox.read(1, 1_000, 1e9);
        const expected = Array.from(
          { length: model.length },
          (_, i) => outbox.highest - model.length + 1 + i,
        );
        expect(frames.map((frame) => frame.seq)).toEqual(expected);
        expect(frames.map(({ data }) => firstLine(data))).toEqual(model.map(({ line }) => line));
        expect(frames.map(({ data }) => typeof data !== "string")).toEqual(
          model.map(({ bytes }) => bytes > 0),
        );
        expect(outbox.logBytes).toBe(waiting());
        const file = new Outbox(db, limit);
        expect([file.epoch, file.highest]).toEqual([outbox.epoch, outbox.highest]);
      }
      db.close();
    }),
    runs(200),
  );
  // It was seen, not only allowed for.
  expect([refused > 0, gone > 0]).toEqual([true, true]);
});

function firstLine(data: string | Uint8Array): number {
  const frame = parseAgentFrame(data);
  if (frame.type !== "durable") throw new Error("not a durable frame");
  const { durable } = frame;
  if (durable.type === "log") return durable.header.first_line;
  return durable.message.type === "log.gap" ? durable.message.first_line : -1;
}
