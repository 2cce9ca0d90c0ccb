import { expect, test } from "bun:test";
import fc from "fast-check";
import { StreamLines } from "@restic-manager/protocol/api/jobs";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import { encodeLogLine } from "@restic-manager/protocol/log-lines";
import { nothingTouched } from "../link/touched.ts";
import type { Database } from "../platform/db/schema.ts";
import { testParts } from "../testing/parts.ts";
import { addHost, addJob, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { findJob } from "./jobs.ts";
import { readLog } from "./log-reader.ts";
import { ProgressBoard } from "./progress.ts";
import { recordLogs } from "./record-logs.ts";
import { setFinished } from "./store.ts";
import { followJob } from "./stream.ts";
import { Tails } from "./tail.ts";

interface Seen {
  event: string;
  id: string | undefined;
  data: unknown;
}

function eventOf(bytes: Uint8Array): Seen {
  const text = new TextDecoder().decode(bytes);
  const of = (field: string) => new RegExp(`^${field}: (.*)$`, "m").exec(text)?.[1];
  return { event: of("event") ?? "", id: of("id"), data: JSON.parse(of("data") ?? "null") };
}

/** A job whose log a test writes, and viewers that read when the test lets them. */
async function watched(db: Database) {
  const { bus, clock } = testParts(db);
  const progress = new ProgressBoard(bus, () => Promise.resolve(undefined));
  const errors: unknown[] = [];
  let reads = 0;
  const tails = new Tails({
    bus,
    clock,
    readJob: (id) => findJob({ db, progress }, id),
    readLines: (id, from, most) => {
      reads += 1;
      return readLog(db, id, from, most, 4);
    },
    onError: (error) => errors.push(error),
  });
  const hostId: HostId = await addHost(db);
  const jobId: JobId = await addJob(db, hostId, "running", { kind: "backup" });
  let written = 0;
  const write = async (lines: number, gap = 0): Promise<void> => {
    written += gap;
    const texts = Array.from({ length: lines }, (_, n) => `line ${written + n}`);
    const raw = texts.map((text) => encodeLogLine({ at: NOON, stream: "stdout", text })).join("");
    const header = { seq: 1, job_id: jobId, first_line: written, count: lines, raw_size: raw.length };
    const chunk = Bun.zstdCompressSync(Buffer.from(raw));
    await db.transaction().execute((trx) => recordLogs(trx, [{ hostId, header, chunk }], nothingTouched()));
    written += lines;
    bus.publish("job.log", { jobId });
    clock.advance(250);
  };
  const finish = async (): Promise<void> => {
    await db
      .transaction()
      .execute((trx) => setFinished(trx, jobId, NOON, { state: "cancelled", started_at: NOON }));
    bus.publish("job.changed", { jobId, hostId });
  };
  const view = (from = 0) => {
    const leaving = new AbortController();
    const events = followJob(tails, jobId, from, leaving.signal);
    const next = async (): Promise<Seen | undefined> => {
      const { value, done } = await events.next();
      return done === true ? undefined : eventOf(value);
    };
    /** The numbers of all lines and of all missing lines until the log ends. */
    const rest = async (): Promise<{ lines: number[]; missing: number[]; events: string[] }> => {
      const all = { lines: [] as number[], missing: [] as number[], events: [] as string[] };
      for (let seen = await next(); seen !== undefined; seen = await next()) {
        all.events.push(seen.event);
        if (seen.event !== "lines") continue;
        const { lines, gaps } = StreamLines.parse(seen.data);
        all.lines.push(...lines.map(({ n }) => n));
        all.missing.push(
          ...gaps.flatMap(({ first_line, count }) => Array.from({ length: count }, (_, n) => first_line + n)),
        );
      }
      return all;
    };
    return { next, rest, leave: () => leaving.abort() };
  };
  return { bus, clock, tails, hostId, jobId, write, finish, view, errors, reads: () => reads };
}

const upTo = (end: number, from = 0) => Array.from({ length: end - from }, (_, n) => from + n);

onEveryStore("a job's stream", (open) => {
  test("tells the job, its lines as they come, its end, and then closes", async () => {
    const { view, write, finish, tails, errors } = await watched(await open());
    const viewer = view();
    expect(await viewer.next()).toMatchObject({ event: "job", data: { state: "running" } });
    const first = viewer.next();
    await write(3);
    expect(await first).toMatchObject({ event: "lines", id: "3" });
    const last = viewer.next();
    await finish();
    expect(await last).toMatchObject({ event: "job", data: { state: "cancelled" } });
    expect(await viewer.next()).toMatchObject({ event: "end", id: "3" });
    expect(await viewer.next()).toBeUndefined();
    expect(tails.size).toBe(0);
    expect(errors).toEqual([]);
  });

  test("goes on when the server's clock is set back", async () => {
    const { view, write, clock } = await watched(await open());
    const viewer = view();
    await viewer.next();
    for (const id of ["3", "6"]) {
      clock.set(-2 * 3600_000);
      const seen = viewer.next();
      await write(3);
      expect(await seen).toMatchObject({ event: "lines", id });
    }
    viewer.leave();
  });

  test("reads each piece of the log once, however many look on", async () => {
    const { view, write, finish, reads } = await watched(await open());
    const viewers = Array.from({ length: 40 }, () => view());
    for (const viewer of viewers) expect((await viewer.next())?.event).toBe("job");
    for (const lines of [256, 100, 256]) {
      const all = viewers.map((viewer) => viewer.next());
      await write(lines);
      for (const seen of await Promise.all(all)) expect(seen?.event).toBe("lines");
    }
    expect(reads()).toBe(3);
    const all = viewers.map((viewer) => viewer.rest());
    await finish();
    for (const { events } of await Promise.all(all)) expect(events).toEqual(["job", "end"]);
    expect(reads()).toBe(3);
  });

  test("a viewer that reads nothing for long misses nothing, and holds nobody up", async () => {
    const { view, write, finish } = await watched(await open());
    const [slow, quick] = [view(), view()];
    await slow.next();
    await quick.next();
    for (let turn = 0; turn < 30; turn += 1) {
      const seen = quick.next();
      await write(256);
      expect(await seen).toMatchObject({ event: "lines", id: String((turn + 1) * 256) });
    }
    await finish();
    expect((await slow.rest()).lines).toEqual(upTo(30 * 256));
    expect((await quick.rest()).lines).toEqual([]);
  });

  test("whoever comes back at any line gets each line after it once, and the holes", async () => {
    const db = await open();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ lines: fc.integer({ min: 1, max: 60 }), gap: fc.integer({ min: 0, max: 3 }) }), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.array(fc.nat(200), { minLength: 1, maxLength: 4 }),
        async (writes, starts) => {
          const { view, write, finish } = await watched(db);
          const viewers = starts.map((from) => ({ from, seen: view(from).rest() }));
          let end = 0;
          const missing = new Set<number>();
          for (const { lines, gap } of writes) {
            for (let n = 0; n < gap; n += 1) missing.add(end + n);
            await write(lines, gap);
            end += gap + lines;
          }
          await finish();
          for (const { from, seen } of viewers) {
            const after = upTo(Math.max(end, from), from);
            expect((await seen).lines).toEqual(after.filter((n) => !missing.has(n)));
            expect((await seen).missing).toEqual(after.filter((n) => missing.has(n)));
          }
        },
      ),
      { numRuns: 10 },
    );
  });

  test("tells progress as it comes, and none after the end", async () => {
    const { bus, hostId, jobId, view, finish } = await watched(await open());
    const viewer = view();
    await viewer.next();
    const seen = viewer.next();
    bus.publish("job.progress", { jobId, hostId, kind: "backup", progress: { fraction: 0.5 } });
    expect(await seen).toMatchObject({ event: "progress", data: { fraction: 0.5 } });
    const rest = viewer.rest();
    await finish();
    expect((await rest).events).toEqual(["job", "end"]);
  });

  test("a viewer that leaves is forgotten, and with the last of them the job", async () => {
    const { view, tails } = await watched(await open());
    const [one, two] = [view(), view()];
    await one.next();
    await two.next();
    const waiting = [one.rest(), two.rest()];
    one.leave();
    await waiting[0];
    expect(tails.size).toBe(1);
    two.leave();
    await waiting[1];
    expect(tails.size).toBe(0);
  });
});
