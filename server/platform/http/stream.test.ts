import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { testClock } from "../../testing/clock.ts";
import { createFeed } from "./feed.ts";
import { encodeEvent, streamEvents, type StreamEvent } from "./stream.ts";

function parts() {
  const errors: unknown[] = [];
  const stopping = new AbortController();
  const clock = testClock();
  return {
    clock,
    errors,
    stop: () => stopping.abort(),
    of: { clock, stopping: stopping.signal, onError: (error: unknown) => errors.push(error) },
  };
}
const text = (response: Response) => response.text();

/** A source without news. */
async function* quiet(signal: AbortSignal): AsyncGenerator<StreamEvent> {
  yield* [];
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

describe("a stream of events", () => {
  test("carries events in order and ends with its source", async () => {
    const { of, clock } = parts();
    const response = streamEvents(of, async function* () {
      yield { event: "lines", id: "7", data: "one\ntwo" };
      yield { data: "three" };
    });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(await text(response)).toBe("event: lines\nid: 7\ndata: one\ndata: two\n\ndata: three\n\n");
    expect(clock.pending()).toBe(0);
  });

  test("cannot be broken by a line break in the data", () => {
    expect(new TextDecoder().decode(encodeEvent({ data: "a\r\nevent: fake\rb" }))).toBe(
      "data: a\ndata: event: fake\ndata: b\n\n",
    );
  });

  test("says something when there is nothing to say, so that no proxy closes it", async () => {
    const { of, clock, stop } = parts();
    const reader = streamEvents(of, quiet).body?.getReader();
    for (let round = 0; round < 3; round++) {
      const read = reader?.read();
      while (clock.pending() === 0) await Promise.resolve();
      clock.advance(15_000);
      expect(new TextDecoder().decode((await read)?.value)).toBe(": \n\n");
    }
    const last = reader?.read();
    stop();
    expect((await last)?.done).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  test("ends when its viewer has signed out", async () => {
    const { of, clock } = parts();
    let signedIn = true;
    const reader = streamEvents({ ...of, allowed: async () => signedIn }, quiet).body?.getReader();
    const read = reader?.read();
    while (clock.pending() < 2) await Promise.resolve();
    clock.advance(10_000);
    await Promise.resolve();
    expect(clock.pending()).toBe(2);
    signedIn = false;
    clock.advance(10_000);
    // What the heartbeat said in between.
    const rest = [await read, await reader?.read()];
    expect(rest.at(-1)?.done).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  test("tells its source when the viewer has gone", async () => {
    const { of, clock } = parts();
    const gone = Promise.withResolvers<void>();
    const response = streamEvents(of, async function* (signal) {
      try {
        yield { data: "hello" };
        yield* quiet(signal);
      } finally {
        gone.resolve();
      }
    });
    const reader = response.body?.getReader();
    await reader?.read();
    const waiting = reader?.read();
    while (clock.pending() === 0) await Promise.resolve();
    await reader?.cancel();
    await gone.promise;
    await waiting;
    expect(clock.pending()).toBe(0);
  });

  test("ends, and reports why, when its source fails", async () => {
    const { of, errors } = parts();
    const response = streamEvents(of, async function* (): AsyncGenerator<StreamEvent> {
      yield { data: "one" };
      throw new Error("the store is gone");
    });
    expect(await text(response)).toBe("data: one\n\n");
    expect(String(errors)).toContain("the store is gone");
  });

  test("that begins while the server stops ends at once", async () => {
    const { of, stop } = parts();
    stop();
    expect(await text(streamEvents(of, quiet))).toBe("");
  });

  test("asks its source for no more than a viewer that does not read has room for", async () => {
    const { of } = parts();
    const line = "x".repeat(64 * 1024);
    let made = 0;
    const ended = Promise.withResolvers<void>();
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      fetch: () =>
        streamEvents(of, async function* (signal) {
          try {
            while (!signal.aborted && made < 4_000) {
              made++;
              yield { data: line };
            }
          } finally {
            ended.resolve();
          }
        }),
    });
    const socket = connect(server.port ?? 0, "127.0.0.1");
    socket.pause();
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    // Nothing tells that a sender waits: it does once the number has stood still for many turns of the event loop.
    let still = 0;
    for (let seen = -1; still < 2_000; still = seen === made && made > 0 ? still + 1 : 0) {
      seen = made;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(made).toBeGreaterThan(0);
    expect(made * line.length).toBeLessThan(32 * 1024 * 1024);
    socket.destroy();
    await ended.promise;
    await server.stop(true);
  });
});

describe("a feed", () => {
  const collect = async (feed: { read(signal: AbortSignal): AsyncIterable<number> }, signal: AbortSignal) => {
    const seen: number[] = [];
    for await (const item of feed.read(signal)) seen.push(item);
    return seen;
  };
  const never = new AbortController().signal;

  test("gives what was pushed before and while it is read, in order", async () => {
    const feed = createFeed<number>(10);
    feed.push(1);
    const reading = collect(feed, never);
    await Promise.resolve();
    feed.push(2);
    feed.push(3);
    feed.end();
    expect(await reading).toEqual([1, 2, 3]);
  });

  test("ends when its reader falls behind, and holds nothing then", async () => {
    const feed = createFeed<number>(3);
    for (let n = 0; n < 1_000; n++) feed.push(n);
    expect(await collect(feed, never)).toEqual([]);
  });

  test("ends with the signal, also one that has aborted already", async () => {
    const gone = new AbortController();
    const feed = createFeed<number>(3);
    const reading = collect(feed, gone.signal);
    gone.abort();
    expect(await reading).toEqual([]);
    expect(await collect(createFeed<number>(3), gone.signal)).toEqual([]);
  });
});
