import { afterEach, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLOSE } from "@restic-manager/protocol/close";
import { HEARTBEAT_MS, OFFLINE_AFTER_MS, WINDOW_BYTES, WINDOW_FRAMES } from "@restic-manager/protocol/limits";
import type { ServerMessage } from "@restic-manager/protocol/server-message";
import { RECONNECT_MOST_MS, RECONNECT_SLOW_MS, reconnectDelay, slowDelay } from "./backoff.ts";
import { Link, type SocketEvents } from "./link.ts";
import { command, jobId, testJournal } from "./testing/journal.ts";
import { manualTimers } from "./testing/timers.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** A link whose sockets the test holds. */
function world(given: { resync?: () => void; folder?: string } = {}) {
  const timers = manualTimers();
  const books = testJournal(given.folder === undefined ? {} : { folder: given.folder });
  open.push(books);
  const sockets: { events: SocketEvents; sent: (string | Uint8Array)[]; dropped: boolean; full: boolean }[] =
    [];
  const heard: string[] = [];
  const link = new Link({
    outbox: books.outbox,
    timers,
    connect(events) {
      const socket = { events, sent: [] as (string | Uint8Array)[], dropped: false, full: false };
      sockets.push(socket);
      return {
        send(data) {
          if (socket.full) return false;
          socket.sent.push(data);
          return true;
        },
        drop: () => void (socket.dropped = true),
      };
    },
    duties: {
      hello: () => ({ type: "hello" }),
      run: (message) => heard.push(`run ${message.job_id}`),
      cancel: (id, now) => heard.push(`cancel ${id} ${now}`),
      configure: (config) => heard.push(`configure ${config.version}`),
      schedule: (set) => heard.push(`schedule ${set.version}`),
      browse: (question) => heard.push(`browse ${question.request_id}`),
      download: (order) => heard.push(`${order.type} ${order.request_id}`),
      leave: (requestId) => heard.push(`leave ${requestId}`),
      lost: () => heard.push("lost"),
      resync: given.resync ?? (() => heard.push("resync")),
      say: (_level, text) => heard.push(text),
    },
  });
  const last = () => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error("nothing was opened");
    return socket;
  };
  const tell = (message: ServerMessage) => last().events.message(JSON.stringify(message));
  const welcome = (last_seq = 0, next: "continue" | "new_epoch" | "resync" = "continue") =>
    tell({ type: "welcome", protocol_version: 1, server_time: "2026-11-21T00:00:00.000Z", last_seq, next });
  const greet = (lastSeq = 0) => {
    link.start();
    last().events.opened();
    welcome(lastSeq);
  };
  const seqs = () =>
    last()
      .sent.filter((data) => String(data).includes('"durable"'))
      .map((data) => (JSON.parse(String(data)) as { seq: number }).seq);
  return { ...books, timers, link, sockets, heard, last, tell, welcome, greet, seqs };
}

test("nothing durable leaves before the server has said where it stands", () => {
  const { journal, link, last, welcome, seqs } = world();
  journal.accept(command(1));
  link.start();
  last().events.opened();
  expect(last().sent).toEqual(['{"type":"hello"}']);
  welcome(0);
  expect(seqs()).toEqual([1]);
});

test("sending begins after what the server has committed, and that much is forgotten", () => {
  const { journal, outbox, greet, seqs } = world();
  for (let n = 1; n <= 4; n += 1) journal.accept(command(n));
  greet(2);
  expect(outbox.lowest).toBe(3);
  expect(seqs()).toEqual([3, 4]);
});

test("a frame stays until its acknowledgement", () => {
  const { journal, outbox, greet, tell } = world();
  greet();
  journal.accept(command(1));
  journal.accept(command(2));
  expect(outbox.lowest).toBe(1);
  tell({ type: "ack", seq: 1 });
  expect(outbox.lowest).toBe(2);
});

test("no more than the window is in flight, by frames and by bytes", () => {
  const { journal, greet, seqs, tell } = world();
  greet();
  for (let n = 1; n <= WINDOW_FRAMES + 10; n += 1) journal.accept(command(n));
  expect(seqs()).toHaveLength(WINDOW_FRAMES);
  tell({ type: "ack", seq: 5 });
  expect(seqs()).toHaveLength(WINDOW_FRAMES + 5);
});

test.skipIf(process.getuid?.() !== 0)("what a full disk did not let go goes with the next heartbeat", () => {
  const disk = mkdtempSync(join(tmpdir(), "rm-small-"));
  Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk]);
  open.push({ close: () => void Bun.spawnSync(["umount", "--lazy", disk]) });
  const { journal, outbox, greet, tell, timers } = world({ folder: disk });
  greet();
  journal.accept(command(1));
  journal.accept(command(2));
  const filler = openSync(join(disk, "filler"), "w");
  expect(() => {
    for (;;) writeSync(filler, Buffer.alloc(4_096));
  }).toThrow("ENOSPC");
  closeSync(filler);
  tell({ type: "ack", seq: 2 });
  expect(outbox.read(1, 10, 1e6)).toHaveLength(2);
  rmSync(join(disk, "filler"));
  timers.advance(HEARTBEAT_MS);
  expect(outbox.read(1, 10, 1e6)).toEqual([]);
});

test("an acknowledgement beyond what was sent forgets only what was sent", () => {
  const { journal, outbox, greet, tell, seqs } = world();
  greet();
  for (let n = 1; n <= WINDOW_FRAMES + 10; n += 1) journal.accept(command(n));
  tell({ type: "ack", seq: 1_000_000 });
  expect(outbox.lowest).toBe(WINDOW_FRAMES + 1);
  expect(seqs()).toHaveLength(WINDOW_FRAMES + 10);
});

test("a server that says it has more than was ever said loses nothing that is still to be said", () => {
  const { journal, outbox, greet, last, heard, timers, sockets, welcome, seqs } = world();
  journal.accept(command(1));
  greet(1_000_000);
  expect(last().dropped).toBe(true);
  expect(outbox.lowest).toBe(1);
  expect(heard.at(-1)).toContain("reports that this agent never made");
  timers.advance(RECONNECT_MOST_MS);
  expect(sockets).toHaveLength(2);
  last().events.opened();
  welcome(0);
  expect(seqs()).toEqual([1]);
});

test("large frames fill the window by their bytes", () => {
  const { journal, greet, last } = world();
  greet();
  journal.accept(command(1));
  const megabyte = new Uint8Array(1_000_000);
  for (let i = 0; i < 8; i += 1) {
    journal.log({ jobId: jobId(1), firstLine: i, count: 1, rawSize: 1, data: megabyte });
  }
  const sent = last().sent.reduce((sum, data) => sum + data.length, 0);
  expect(sent).toBeGreaterThan(WINDOW_BYTES - 1_000_000);
  expect(sent).toBeLessThan(WINDOW_BYTES + 1_000_000);
});

test("after a break everything unacknowledged goes again, from the server's number on", () => {
  const { journal, greet, last, timers, sockets, welcome, seqs } = world();
  greet();
  for (let n = 1; n <= 3; n += 1) journal.accept(command(n));
  last().events.closed(1006, "");
  timers.advance(1_000);
  expect(sockets).toHaveLength(2);
  last().events.opened();
  welcome(1);
  expect(seqs()).toEqual([2, 3]);
});

test("what an old socket still says is not heard", () => {
  const { greet, last, timers, sockets, heard } = world();
  greet();
  const old = last();
  old.events.closed(1006, "");
  timers.advance(1_000);
  expect(sockets).toHaveLength(2);
  old.events.message(JSON.stringify(command(9)));
  old.events.closed(1006, "");
  timers.advance(60_000);
  expect(heard.join()).not.toContain("run");
});

test("a socket that takes no more is dropped, and the link starts over", () => {
  const { journal, greet, last, timers, sockets } = world();
  greet();
  last().full = true;
  journal.accept(command(1));
  expect(last().dropped).toBe(true);
  timers.advance(1_000);
  expect(sockets).toHaveLength(2);
});

test("a job that says only how far it is leaves room for heartbeats, or the server would seem gone after 90 s", () => {
  const { link, timers, sockets, last, tell, greet } = world();
  greet();
  const beats = () => last().sent.filter((data) => String(data).includes("heartbeat")).length;
  for (let answered = 0, second = 0; second < 200; second += 1) {
    timers.advance(1_000);
    link.say({
      type: "job.progress",
      job_id: jobId(1),
      kind: "prune",
      at: "2026-11-21T00:00:00.000Z",
      progress: {},
    });
    // The server answers a heartbeat, and progress never.
    for (; answered < beats(); answered += 1) tell({ type: "ack", seq: 0 });
  }
  expect(sockets).toHaveLength(1);
  expect(beats()).toBeGreaterThan(200_000 / HEARTBEAT_MS - 2);
});

test("silence is filled with heartbeats, and an agent that sends needs none", () => {
  const { greet, last, timers, tell, journal } = world();
  greet();
  const beats = () => last().sent.filter((data) => String(data).includes("heartbeat")).length;
  timers.advance(HEARTBEAT_MS - 1);
  journal.accept(command(1));
  timers.advance(HEARTBEAT_MS - 1);
  tell({ type: "ack", seq: 1 });
  expect(beats()).toBe(0);
  timers.advance(1);
  expect(beats()).toBe(1);
});

test("a server that says nothing for 90 s is given up, whatever TCP believes", () => {
  const { greet, last, timers } = world();
  greet();
  const socket = last();
  timers.advance(OFFLINE_AFTER_MS - 1);
  expect(socket.dropped).toBe(false);
  timers.advance(1);
  expect(socket.dropped).toBe(true);
});

test("an agent that went back in time starts a new numbering and says hello again on the same socket", () => {
  const { journal, outbox, link, last, welcome, seqs } = world();
  journal.accept(command(1));
  const before = outbox.epoch;
  link.start();
  last().events.opened();
  welcome(7, "new_epoch");
  expect(outbox.epoch).not.toBe(before);
  expect(last().sent).toHaveLength(2);
  welcome(0);
  expect(seqs()).toEqual([1]);
});

test("a server that went back in time is told everything again", () => {
  const { link, last, welcome, heard } = world();
  link.start();
  last().events.opened();
  welcome(0, "resync");
  expect(heard).toContain("resync");
});

test("waiting grows from up to one second to up to sixty, spread over all of it", () => {
  expect(reconnectDelay(0, 0.999)).toBeLessThanOrEqual(1_000);
  expect(reconnectDelay(3, 1)).toBe(8_000);
  expect(reconnectDelay(40, 1)).toBe(RECONNECT_MOST_MS);
  expect(reconnectDelay(40, 0.25)).toBe(15_000);
  expect(slowDelay(0)).toBe(RECONNECT_SLOW_MS / 2);
});

for (const reason of ["protocol", "revoked", "clone", "replaced"] as const) {
  test(`after "${reason}" it tries slowly, since soon nothing will have changed`, () => {
    const { greet, last, timers, sockets, heard } = world();
    greet();
    last().events.closed(CLOSE[reason], "because");
    timers.advance(RECONNECT_MOST_MS);
    expect(sockets).toHaveLength(1);
    timers.advance(RECONNECT_SLOW_MS);
    expect(sockets.length).toBeGreaterThan(1);
    expect(heard.join()).toContain("because");
  });
}

test("a message of a newer server that this agent does not know changes nothing", () => {
  const { greet, last, heard } = world();
  greet();
  const before = heard.length;
  last().events.message('{"type":"agent.update","url":"x"}');
  last().events.message("not json");
  expect(heard).toHaveLength(before);
});

test("a state file that cannot be written ends the connection and not the agent; the next one begins where this stood", () => {
  const { db, journal, outbox, greet, tell, last, sockets, timers, welcome, seqs } = world();
  greet();
  journal.accept(command(1));
  journal.accept(command(2));
  db.run(
    "create trigger broken before delete on outbox begin select raise(abort, 'input/output error'); end",
  );
  tell({ type: "ack", seq: 1 });
  expect(last().dropped).toBe(true);
  db.run("drop trigger broken");
  timers.advance(RECONNECT_MOST_MS);
  expect(sockets).toHaveLength(2);
  last().events.opened();
  welcome(1);
  expect(outbox.lowest).toBe(2);
  expect(seqs()).toEqual([2]);
});

test("what the server asks for again and cannot be written down is asked for again by the next connection", () => {
  const made = world({
    resync: () => {
      throw new Error("no room");
    },
  });
  made.link.start();
  made.last().events.opened();
  made.welcome(0, "resync");
  expect(made.last().dropped).toBe(true);
  // Not a word, from which the server would take that it was done.
  expect(made.last().sent).toEqual(['{"type":"hello"}']);
});
