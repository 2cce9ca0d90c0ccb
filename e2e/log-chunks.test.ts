import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { openAgentDb } from "@restic-manager/agent/db";
import { LogWriter } from "@restic-manager/agent/log-writer";
import { Outbox } from "@restic-manager/agent/outbox";
import { systemTimers } from "@restic-manager/agent/timers";
import { parseAgentFrame } from "@restic-manager/protocol/frame";
import { LOG_LINE_CHARACTERS } from "@restic-manager/protocol/limits";
import { LogStream } from "@restic-manager/protocol/log-lines";
import { runs } from "@restic-manager/protocol/testing/hostile";
import { readLog } from "@restic-manager/server/jobs/log-reader";
import { recordLogs } from "@restic-manager/server/jobs/record-logs";
import { nothingTouched } from "@restic-manager/server/link/touched";
import { openDatabase } from "@restic-manager/server/platform/db/open";
import { addHost, addJob } from "@restic-manager/server/testing/rows";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

type Written = { stream: LogStream; text: string; flush: boolean };

const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: "binary", maxLength: 120 }) },
  { weight: 3, arbitrary: fc.string({ maxLength: 60 }) },
  // Tabs, ends of lines and halves of characters are what the form of a chunk is made of.
  {
    weight: 3,
    arbitrary: fc
      .array(fc.constantFrom("\t", "\n", "\r", "\u0000", "\ud83d", "\ude00", "é", "1\to\t"), { maxLength: 8 })
      .map((parts) => parts.join("")),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: LOG_LINE_CHARACTERS + 50 }).map((n) => "ä".repeat(n)) },
);
const line: fc.Arbitrary<Written> = fc.record({
  stream: fc.constantFrom(...LogStream.options),
  text,
  flush: fc.integer({ max: 20, min: 0 }).map((n) => n === 0),
});

/** What a reader should see of a line: one line of well-formed text, cut where the protocol says. */
function shown(written: string): string {
  const over = written.length - LOG_LINE_CHARACTERS;
  const cut = over <= 0 ? written : `${written.slice(0, LOG_LINE_CHARACTERS)} [cut, ${over} characters more]`;
  return cut.replaceAll(/[\n\r]+/g, " ").toWellFormed();
}

test("what a job says is read as it was said, whatever it is, however it is cut, and if frames come twice", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rm-chunks-"));
  folders.push(folder);
  const store = await openDatabase(`sqlite:${join(folder, "server.db")}`);
  const hostId = await addHost(store.db);
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 600 }), fc.array(fc.boolean()), async (lines, twice) => {
        const jobId = await addJob(store.db, hostId, "running");
        const agent = openAgentDb(":memory:");
        const outbox = new Outbox(agent);
        const writer = new LogWriter({
          jobId,
          firstLine: 0,
          timers: systemTimers(),
          write: (chunk) => outbox.appendLog(chunk),
        });
        for (const one of lines) {
          writer.line(one.stream, one.text);
          if (one.flush) writer.flush();
        }
        writer.flush();
        for (const [at, { data }] of outbox.read(1, 1e6, 1e9).entries()) {
          const frame = parseAgentFrame(data);
          if (frame.type !== "durable" || frame.durable.type !== "log") throw new Error("no log chunk");
          const { header, chunk } = frame.durable;
          for (let times = twice[at] === true ? 2 : 1; times > 0; times -= 1)
            await store.db
              .transaction()
              .execute((trx) => recordLogs(trx, [{ hostId, header, chunk }], nothingTouched()));
        }
        agent.close();
        const read: { n: number; stream: LogStream; text: string }[] = [];
        for (;;) {
          const page = await readLog(store.db, jobId, read.length, 100);
          if (page === undefined || page.lines.length === 0) break;
          expect(page.gaps).toEqual([]);
          read.push(...page.lines.map(({ n, stream, text: said }) => ({ n, stream, text: said })));
        }
        expect(read).toEqual(lines.map(({ stream, text: said }, n) => ({ n, stream, text: shown(said) })));
      }),
      runs(60),
    );
  } finally {
    await store.close();
  }
}, 120_000);
