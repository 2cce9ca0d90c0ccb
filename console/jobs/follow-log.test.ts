import type { JobLogPage } from "@restic-manager/protocol/api/jobs";
import { describe, expect, test } from "bun:test";
import { ApiProblem } from "../api-problem.ts";
import { LogBook } from "../ui/live-log/log-book.ts";
import { followLog, type EventSourceLike } from "./follow-log.ts";

const line = (n: number) => ({ n, at: 0, stream: "stdout" as const, text: `line ${n}` });
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** A server with a log that grows, whose streams the test opens, feeds and cuts by hand. */
function scriptedServer(
  length: number,
  given: { complete?: boolean; refusal?: ApiProblem; holes?: JobLogPage["gaps"] } = {},
) {
  const server = {
    length,
    complete: given.complete ?? false,
    holes: given.holes ?? [],
    refusal: given.refusal ?? null,
    streams: [] as ScriptedStream[],
    asked: [] as number[],
    waits: [] as { ms: number; act: () => void }[],
    told: [] as string[],
    async read(from: number, limit: number): Promise<JobLogPage> {
      server.asked.push(from);
      if (server.refusal !== null) throw server.refusal;
      return {
        ...pageOf(from, Math.min(server.length, from + limit)),
        end: server.length,
        complete: server.complete,
      };
    },
  };
  const lost = (n: number) =>
    server.holes.some((hole) => n >= hole.first_line && n < hole.first_line + hole.count);
  function pageOf(from: number, to: number) {
    return {
      lines: numbers(from, to)
        .filter((n) => !lost(n))
        .map(line),
      gaps: server.holes.filter((hole) => hole.first_line >= from && hole.first_line < to),
    };
  }
  const book = new LogBook((from, limit) => server.read(from, limit));
  const following = followLog({
    jobId: "J",
    book,
    read: (from, limit) => server.read(from, limit),
    open: (url) => {
      const stream = new ScriptedStream(url, pageOf);
      server.streams.push(stream);
      return stream;
    },
    later: (ms, act) => {
      const wait = { ms, act };
      server.waits.push(wait);
      return () => server.waits.splice(server.waits.indexOf(wait), 1);
    },
    random: () => 1,
    onJob: (job) => server.told.push(`job ${job.state}`),
    onProgress: (progress) => server.told.push(`progress ${String(progress["files_done"])}`),
    onSignedOut: () => server.told.push("signed out"),
  });
  /** Every line that the book holds, in order. */
  const held = () => numbers(0, book.view().end).filter((n) => book.line(n) !== undefined);
  const settle = async () => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  const stream = () => server.streams.at(-1) ?? expect.unreachable("no stream is open");
  const waited = async () => {
    server.waits.shift()?.act();
    await settle();
  };
  return { server, book, following, held, settle, stream, waited };
}

class ScriptedStream implements EventSourceLike {
  readyState = 0;
  readonly url: string;
  readonly #page: (from: number, to: number) => Pick<JobLogPage, "lines" | "gaps">;
  readonly #listeners = new Map<string, (event: MessageEvent<string>) => void>();

  constructor(url: string, page: (from: number, to: number) => Pick<JobLogPage, "lines" | "gaps">) {
    this.url = url;
    this.#page = page;
  }
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.#listeners.set(type, listener);
  }
  close(): void {
    this.readyState = 2;
  }
  say(type: string, data: unknown = {}, lastEventId = ""): void {
    this.#listeners.get(type)?.(new MessageEvent(type, { data: JSON.stringify(data), lastEventId }));
  }
  lines(from: number, to: number): void {
    this.say("lines", this.#page(from, to), String(to));
  }
}

describe("a log that is followed", () => {
  test("has what was there and what came, each once", async () => {
    const { book, held, settle, stream } = scriptedServer(3);
    await settle();
    stream().say("open");
    stream().lines(3, 7);
    expect(stream().url).toBe("/api/jobs/J/stream?from=3");
    expect(held()).toEqual(numbers(0, 7));
    expect(book.view().phase).toBe("live");
  });

  test("loses and doubles nothing when the browser returns by itself", async () => {
    const { book, held, settle, stream } = scriptedServer(0);
    await settle();
    stream().say("open");
    stream().lines(0, 5);
    stream().say("error");
    expect(book.view().phase).toBe("reconnecting");
    stream().say("open");
    // The server sends from the line the browser remembers; even one line twice would count once.
    stream().lines(4, 9);
    expect(held()).toEqual(numbers(0, 9));
    expect(book.view().end).toBe(9);
    expect(book.view().counts?.all).toBe(9);
  });

  test("comes back from the line after the last when the browser gives up", async () => {
    const { server, book, held, settle, stream, waited } = scriptedServer(0);
    await settle();
    stream().say("open");
    stream().lines(0, 5);
    server.length = 8;
    stream().readyState = 2;
    stream().say("error");
    expect(server.waits.map((wait) => wait.ms)).toEqual([1_000]);
    await waited();
    expect(server.asked).toEqual([0, 5]);
    expect(stream().url).toBe("/api/jobs/J/stream?from=8");
    stream().say("open");
    stream().lines(8, 10);
    expect(held()).toEqual(numbers(0, 10));
    expect(book.view().phase).toBe("live");
  });

  test("waits longer each time, to half a minute, while the server is away", async () => {
    const { server, book, settle, stream, waited } = scriptedServer(0);
    await settle();
    stream().say("open");
    stream().readyState = 2;
    stream().say("error");
    server.refusal = new ApiProblem({ code: "unreachable", message: "The server did not answer." }, 0);
    const waits = [];
    for (let turn = 0; turn < 7; turn += 1) {
      waits.push(server.waits[0]?.ms);
      await waited();
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(book.view().phase).toBe("reconnecting");
  });

  test("says where lines were dropped, and goes on after them", async () => {
    const { book, held, settle, stream } = scriptedServer(0, { holes: [{ first_line: 2, count: 3 }] });
    await settle();
    stream().say("open");
    stream().lines(0, 8);
    expect(held()).toEqual([0, 1, 5, 6, 7]);
    expect(book.view().gaps).toEqual([{ first_line: 2, count: 3 }]);
  });

  test("takes only the end of a long one", async () => {
    const { book, settle, stream } = scriptedServer(200_000);
    await settle();
    expect(stream().url).toBe("/api/jobs/J/stream?from=199000");
    expect(book.view().end).toBe(200_000);
  });

  test("ends with the job, and no stream stays", async () => {
    const { server, book, settle, stream } = scriptedServer(1);
    await settle();
    stream().say("job", { state: "succeeded" });
    stream().say("progress", { files_done: 7 });
    stream().say("end");
    expect(server.told).toEqual(["job succeeded", "progress 7"]);
    expect(stream().readyState).toBe(2);
    expect(book.view().phase).toBe("complete");
  });

  test("leads to the sign-in when the session is over", async () => {
    const { server, settle, stream, waited } = scriptedServer(1);
    await settle();
    stream().say("open");
    server.refusal = new ApiProblem({ code: "unauthenticated", message: "Sign in." }, 401);
    stream().readyState = 2;
    stream().say("error");
    await waited();
    expect(server.told).toEqual(["signed out"]);
    expect(server.waits).toEqual([]);
  });

  test("says why it cannot be read when it was refused, and does not ask again", async () => {
    const refusal = new ApiProblem({ code: "not_found", message: "There is no job J." }, 404);
    const { server, book, settle } = scriptedServer(1, { refusal });
    await settle();
    expect(book.view()).toMatchObject({ phase: "failed", problem: "There is no job J." });
    expect(server.waits).toEqual([]);
  });

  test("lets go while nobody looks and goes on where it was", async () => {
    const { following, held, settle, stream, server } = scriptedServer(0);
    await settle();
    stream().say("open");
    stream().lines(0, 2);
    following.pause();
    expect(stream().readyState).toBe(2);
    server.length = 4;
    following.resume();
    following.pause();
    following.resume();
    await settle();
    expect(server.streams.map((opened) => opened.url)).toEqual([
      "/api/jobs/J/stream?from=0",
      "/api/jobs/J/stream?from=4",
    ]);
    expect(held()).toEqual(numbers(0, 4));
  });
});

describe("a log that is complete", () => {
  test("needs no stream", async () => {
    const { server, book, held, settle } = scriptedServer(4_500, { complete: true });
    await settle();
    expect(server.streams).toEqual([]);
    expect(book.view().phase).toBe("complete");
    expect(held()).toEqual(numbers(0, 4_500));
    expect(book.view().counts?.all).toBe(4_500);
  });
});
