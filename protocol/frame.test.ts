import { expect, test } from "bun:test";
import fc from "fast-check";
import { encodeDurable, parseAgentFrame } from "./frame.ts";
import { encodeLogChunk } from "./log-chunk.ts";
import { parseServerMessage } from "./server-message.ts";
import { JobId } from "./ids.ts";
import { decodeLogLines, encodeLogLine, LogStream } from "./log-lines.ts";
import { LOG_LINE_CHARACTERS } from "./limits.ts";

const JOB = JobId.parse("01JD0000000000000000000000");

test("any bytes and any text are read without a throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parseAgentFrame(bytes)));
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseAgentFrame(text)));
  fc.assert(fc.property(fc.json(), (text) => void parseServerMessage(text)));
  fc.assert(fc.property(fc.json(), (text) => void parseAgentFrame(text)));
});

test("a log chunk comes back as it was written", () => {
  const header = fc.record({
    seq: fc.integer({ min: 1 }),
    job_id: fc.constant(JOB),
    first_line: fc.nat(),
    count: fc.integer({ min: 1, max: 256 }),
    raw_size: fc.integer({ min: 1, max: 65_536 }),
  });
  fc.assert(
    fc.property(header, fc.uint8Array(), (head, chunk) => {
      const frame = parseAgentFrame(encodeLogChunk(head, chunk));
      expect(frame).toEqual({
        type: "durable",
        seq: head.seq,
        durable: { type: "log", header: head, chunk },
      });
    }),
  );
});

test("a binary frame that is cut anywhere is malformed, or a shorter chunk, but never a throw", () => {
  const whole = encodeLogChunk(
    { seq: 3, job_id: JOB, first_line: 0, count: 1, raw_size: 9 },
    new Uint8Array(20),
  );
  for (let length = 0; length < whole.byteLength; length += 1) {
    const frame = parseAgentFrame(whole.subarray(0, length));
    expect(["malformed", "durable"]).toContain(frame.type);
  }
});

test("a durable frame whose message cannot be read keeps its number, so that it can be accounted for", () => {
  const frame = parseAgentFrame(
    JSON.stringify({ type: "durable", seq: 7, message: { type: "job.started", job_id: "x" } }),
  );
  expect(frame).toMatchObject({ type: "malformed", seq: 7 });
  if (frame.type === "malformed") expect(frame.reason).toContain("job_id");
});

test("a negative or broken number names the field", () => {
  const frame = parseAgentFrame(encodeDurable(1, { type: "log.gap", job_id: JOB, first_line: -1, count: 1 }));
  expect(frame).toMatchObject({ type: "malformed", seq: 1, reason: expect.stringContaining("first_line") });
});

test("hello is taken from agents of other releases: more fields, other words, missing decoration", () => {
  const hello = {
    type: "hello",
    protocol_version: 1,
    epoch: "0123456789abcdef0123456789abcdef",
    outbox: { lowest: 1, highest: 0, something_new: true },
    restic: { state: "from the future" },
    os: 17,
    jobs: [{ id: "01JD0000000000000000000000", state: "paused", since: 4 }],
    whatever: [1, 2],
  };
  const frame = parseAgentFrame(JSON.stringify(hello));
  expect(frame).toMatchObject({
    type: "hello",
    hello: {
      os: "unknown",
      restic: { state: "missing" },
      jobs: [{ id: "01JD0000000000000000000000", state: "running" }],
      whatever: [1, 2],
    },
  });
});

test("a list of jobs that cannot be read is not taken for an empty one, which would end them all as lost", () => {
  for (const jobs of [undefined, "none", [{ id: "of another kind", state: "running" }]]) {
    const hello = {
      type: "hello",
      protocol_version: 1,
      epoch: "0123456789abcdef0123456789abcdef",
      outbox: { lowest: 1, highest: 0 },
      jobs,
    };
    expect(parseAgentFrame(JSON.stringify(hello)).type).toBe("foreign_hello");
  }
});

test("of a hello that lacks what delivery stands on, at least the version is read", () => {
  fc.assert(
    fc.property(fc.nat(), fc.dictionary(fc.string(), fc.jsonValue()), (version, rest) => {
      const frame = parseAgentFrame(
        JSON.stringify({ ...rest, epoch: 0, type: "hello", protocol_version: version }),
      );
      expect(frame).toEqual({ type: "foreign_hello", protocol_version: version });
    }),
  );
});

test("log lines come back as they were written, with line breaks as spaces and long ones cut and marked", () => {
  const line = fc.record({
    at: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    stream: fc.constantFrom(...LogStream.options),
    text: fc.string({ unit: "grapheme", maxLength: 200 }),
  });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), (lines) => {
      const back = decodeLogLines(lines.map(encodeLogLine).join(""));
      expect(back).toEqual(lines.map((one) => ({ ...one, text: one.text.replaceAll(/[\n\r]+/g, " ") })));
    }),
  );
  const [long] = decodeLogLines(
    encodeLogLine({ at: 1, stream: "stderr", text: "x".repeat(LOG_LINE_CHARACTERS + 5) }),
  );
  expect(long?.text.endsWith("[cut, 5 characters more]")).toBe(true);
});

test("NUL and halves of characters in an agent's words become U+FFFD, since PostgreSQL would refuse the whole outcome", () => {
  const message = {
    type: "job.finished",
    job_id: "01JD0000000000000000000000",
    kind: "init",
    started_at: null,
    finished_at: "2026-11-21T00:00:00.000Z",
    outcome: { state: "failed", error: { code: "failed", message: "a\0b \ud800 c \u{1f600} \\u0000" } },
    log_lines: 0,
  };
  const frame = parseAgentFrame(JSON.stringify({ type: "durable", seq: 1, message }));
  expect(frame).toMatchObject({
    type: "durable",
    durable: { message: { outcome: { error: { message: "a\ufffdb \ufffd c \u{1f600} \\u0000" } } } },
  });
});

test("a heartbeat is read the same whether it is seen or asked for its shape", () => {
  const at = fc.date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true });
  fc.assert(
    fc.property(at, (date) => {
      const message = { type: "heartbeat" as const, at: date.toISOString() };
      const seen = parseAgentFrame(JSON.stringify(message));
      const asked = parseAgentFrame(JSON.stringify({ ...message, more: 1 }));
      expect(seen).toEqual({ type: "transient", message });
      expect(asked).toEqual(seen);
    }),
  );
  for (const at of ["2026-02-31T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "2026-01-01T24:00:00.000Z", ""])
    expect(parseAgentFrame(`{"type":"heartbeat","at":"${at}"}`).type).toBe("malformed");
});
