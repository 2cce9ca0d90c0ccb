import { expect, test } from "bun:test";
import { heapStats } from "bun:jsc";
import { parseAgentFrame } from "@restic-manager/protocol/frame";
import { parseServerMessage } from "@restic-manager/protocol/server-message";
import { runs } from "@restic-manager/protocol/testing/hostile";
import fc from "fast-check";
import { agentCore } from "./core.ts";
import { openAgentDb } from "./db.ts";
import { Journal } from "./journal.ts";
import type { SocketEvents } from "./link.ts";
import { Outbox } from "./outbox.ts";
import { hostileSteps, type HostileStep } from "./testing/hostile-server.ts";
import { jobId } from "./testing/journal.ts";
import { manualTimers } from "./testing/timers.ts";

const JOBS = [jobId(1), jobId(2), jobId(3)];
const settle = () => new Promise((resolve) => setImmediate(resolve));

interface HeldSocket {
  events: SocketEvents;
  sent: (string | Uint8Array)[];
  opened: boolean;
  over: boolean;
}

/** An agent with all its own rules, whose restic ends at once and whose sockets the test holds. */
function world() {
  const timers = manualTimers();
  const db = openAgentDb(":memory:");
  const outbox = new Outbox(db);
  const journal = new Journal({ db, outbox, now: timers.now });
  const errors: string[] = [];
  /** The socket in use is looked at; of the others only what they sent is kept. */
  let socket: HeldSocket | undefined;
  const former: (string | Uint8Array)[] = [];
  const core = agentCore({
    db,
    hostId: "01JD0000000000000000000009",
    timezone: () => "Europe/Berlin",
    outbox,
    journal,
    timers,
    log: {
      info: () => {},
      warn: () => {},
      error: (text, fields) => errors.push(`${text}: ${String(fields?.["error"])}`),
    },
    connect(events) {
      former.push(...(socket?.sent ?? []));
      const made: HeldSocket = { events, sent: [], opened: false, over: false };
      socket = made;
      return {
        send: (data) => made.sent.push(data) > 0,
        drop: () => void (made.over = true),
      };
    },
    machine: () => ({
      hostname: "a",
      os: "linux",
      os_name: "Debian",
      arch: "x64",
      boot_id: "b",
      machine_id: "m",
      restic: { state: "ok", version: "0.18.0" },
    }),
    config: { version: () => 1, adopt: () => {}, save: async () => {} },
    work: async () => ({ state: "cancelled" }),
    between: async () => {
      journal.report([]);
      return "told";
    },
  });
  core.queue.open([]);
  core.scheduler.start();
  core.link.start();
  let written = 0;
  /** The socket in use, after waiting for the next one if the last is over. */
  const current = (): HeldSocket => {
    for (let waited = 0; socket?.over === true && waited < 3_600; waited += 1) timers.advance(1_000);
    if (socket === undefined) throw new Error("nothing was opened");
    if (!socket.opened && !socket.over) {
      socket.opened = true;
      socket.events.opened();
    }
    return socket;
  };
  /** What the server said it had, true or not: its word is taken for what an earlier life of the agent may have sent. */
  const claimed = new Set<number>();
  const hearText = (text: string) => {
    const message = parseServerMessage(text);
    if (message?.type === "welcome" && message.next !== "new_epoch")
      for (const { seq, data } of outbox.read(1, 1e9, 1e9))
        if (seq <= message.last_seq) for (const mark of marksIn([data])) claimed.add(mark);
    current().events.message(text);
  };
  const hear = (message: object) => hearText(JSON.stringify(message));
  const welcome = (last_seq: number, next: string) =>
    hear({ type: "welcome", protocol_version: 2, server_time: "2026-11-21T00:00:00.000Z", last_seq, next });
  return {
    errors,
    written: () => written,
    /** The marks `write` left in frames that the server had or said it had, and in those that wait. */
    marks: () => ({
      given: marksIn([...former, ...(socket?.sent ?? [])]).union(claimed),
      waiting: marksIn(outbox.read(1, 1e9, 1e9).map(({ data }) => data)),
    }),
    waiting: () => outbox.highest - outbox.lowest + 1,
    /** Forgets what was sent, as a test of memory must. */
    forget: () => {
      former.length = 0;
      socket?.sent.splice(0);
    },
    async take(step: HostileStep): Promise<void> {
      if (step.do === "text") hearText(step.text);
      else if (step.do === "welcome") welcome(step.lastSeq, step.next);
      else if (step.do === "ack") hear({ type: "ack", seq: step.seq });
      else if (step.do === "hang up") {
        current().events.closed(step.code, "");
        current().over = true;
      } else if (step.do === "wait") timers.advance(step.ms);
      else {
        journal.together(() => {
          for (let n = 0; n < step.frames; n += 1, written += 1)
            journal.append({ type: "log.gap", job_id: jobId(9), first_line: written, count: 1 });
        });
      }
      await settle();
    },
    /** An honest server that has nothing yet takes everything that waits. */
    async obey(): Promise<void> {
      for (let turn = 0; turn < 100 && outbox.highest >= outbox.lowest; turn += 1) {
        welcome(outbox.lowest - 1, "continue");
        hear({ type: "ack", seq: outbox.highest });
        await settle();
      }
    },
    async close(): Promise<void> {
      await core.stop();
      db.close();
    },
  };
}

function marksIn(frames: readonly (string | Uint8Array)[]): Set<number> {
  const found = new Set<number>();
  for (const data of frames) {
    const frame = parseAgentFrame(data);
    if (frame.type !== "durable" || frame.durable.type === "log") continue;
    const { message } = frame.durable;
    if (message.type === "log.gap") found.add(message.first_line);
  }
  return found;
}

test("whatever the server says, nothing throws and nothing is forgotten that was never sent", async () => {
  await fc.assert(
    fc.asyncProperty(hostileSteps(JOBS), async (steps) => {
      const agent = world();
      for (const step of steps) {
        await agent.take(step);
        const { given, waiting } = agent.marks();
        const lost = Array.from({ length: agent.written() }, (_, mark) => mark).filter(
          (mark) => !given.has(mark) && !waiting.has(mark),
        );
        expect(lost).toEqual([]);
      }
      await agent.obey();
      expect(agent.waiting()).toBe(0);
      expect(agent.errors).toEqual([]);
      await agent.close();
      expect(Reflect.get({}, "polluted")).toBeUndefined();
    }),
    runs(150),
  );
}, 300_000);

test("the heap does not grow with what the server said", async () => {
  const agent = world();
  const rounds = fc.sample(hostileSteps(JOBS), { seed: 5, numRuns: 40 });
  const all = async () => {
    for (const steps of rounds) for (const step of steps) await agent.take(step);
    await agent.obey();
    agent.forget();
    Bun.gc(true);
    return heapStats();
  };
  await all();
  const before = await all();
  for (let i = 0; i < 4; i += 1) await all();
  const after = await all();
  // Five times 40 rounds of some twenty messages: one object kept of each would be thousands.
  expect(after.objectCount - before.objectCount).toBeLessThan(600);
  expect(after.heapSize - before.heapSize).toBeLessThan(2_000_000);
  await agent.close();
}, 300_000);
