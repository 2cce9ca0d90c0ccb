import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { jobKinds } from "../jobs.ts";
import { parseAgentFrame } from "../frame.ts";
import { parseServerMessage } from "../server-message.ts";
import { decodeLogLines } from "../log-lines.ts";
import { parseResult } from "../outcome.ts";

/** Frames that each version of the protocol sent. Every later release reads them with the same meaning. */
const here = import.meta.dirname;
const V1 = "v1/";
const files = ["v1", "v2", "v3"].flatMap((version) => readdirSync(join(here, version)).map((file) => `${version}/${file}`));
const read = (file: string) => readFileSync(join(here, file), "utf8");

test("the recordings cover every message of version 1", () => {
  const agent = ["config.applied", "heartbeat", "hello", "job.progress"].map((type) => `agent.${type}.json`);
  const durable = ["job.accepted", "job.started", "log.gap", "repo.stats", "snapshots.report"];
  const outcomes = ["cancelled", "failed", "succeeded"].map((state) => `agent.durable.job.finished.${state}.json`);
  const server = ["ack", "command.cancel", "command.run", "config.update", "error", "welcome"];
  const wanted = [
    ...agent,
    ...durable.map((type) => `agent.durable.${type}.json`),
    ...outcomes,
    ...server.map((type) => `server.${type}.json`),
    "agent.log-chunk.bin",
  ];
  expect(files).toEqual(expect.arrayContaining(wanted.map((file) => V1 + file)));
});

for (const file of files.filter((name) => /^v\d+\/agent\..*\.json$/.test(name))) {
  test(`${file} is still read, and nothing of it is lost`, () => {
    const sent: unknown = JSON.parse(read(file));
    const frame = parseAgentFrame(read(file));
    switch (frame.type) {
      case "hello":
        return expect(frame.hello).toEqual(sent as typeof frame.hello);
      case "durable":
        if (frame.durable.type !== "message") throw new Error("a text frame was read as a log chunk");
        return expect<unknown>({ type: "durable", seq: frame.seq, message: frame.durable.message }).toEqual(sent);
      case "transient":
        return expect<unknown>(frame.message).toEqual(sent);
      case "download":
      case "foreign_hello":
      case "malformed":
        throw new Error(`it is not read any more: ${JSON.stringify(frame)}`);
    }
  });
}

for (const file of files.filter((name) => /^v\d+\/server\./.test(name))) {
  test(`${file} is still read, and nothing of it is lost`, () => {
    expect<unknown>(parseServerMessage(read(file))).toEqual(JSON.parse(read(file)));
  });
}

test("the recordings cover what version 2 added", () => {
  const added = ["agent.schedule.ack", "agent.durable.schedule.fire", "server.schedule.set", "agent.hello"];
  expect(files).toEqual(expect.arrayContaining(added.map((name) => `v2/${name}.json`)));
});

test("the recordings cover what version 3 added", () => {
  const answers = ["list.result", "search.result", "versions.result", "failed"].map((type) => `agent.tree.${type}`);
  const questions = ["list", "search", "versions", "cancel"].map((type) => `server.tree.${type}`);
  expect(files).toEqual(expect.arrayContaining([...answers, ...questions].map((name) => `v3/${name}.json`)));
});

test("the recordings cover downloads, comparisons and what is left behind", () => {
  const orders = ["open", "more", "stop"].map((type) => `server.download.${type}`);
  const durable = ["diff.changes", "job.finished.cancelled.restore", "job.finished.succeeded.diff"];
  const agent = ["download.end", "download.failed", ...durable.map((type) => `durable.${type}`)];
  const wanted = [...orders, ...agent.map((name) => `agent.${name}`)].map((name) => `v3/${name}.json`);
  expect(files).toEqual(expect.arrayContaining([...wanted, "v3/agent.download.chunk.bin"]));
});

test("agent.download.chunk.bin is still read, to the byte", () => {
  const frame = parseAgentFrame(new Uint8Array(readFileSync(join(here, "v3/agent.download.chunk.bin"))));
  if (frame.type !== "download") throw new Error(`read as ${frame.type}`);
  expect(frame.header).toEqual({
    type: "download.chunk",
    request_id: "3f6c3f0e-58a5-4d0c-9d61-1e5a1f0f6c11",
    offset: 65_536,
  });
  expect(new TextDecoder().decode(frame.chunk)).toBe("127.0.0.1 localhost\n");
});

test("agent.log-chunk.bin is still read, with as many lines as it says", () => {
  const frame = parseAgentFrame(new Uint8Array(readFileSync(join(here, V1, "agent.log-chunk.bin"))));
  if (frame.type !== "durable" || frame.durable.type !== "log") throw new Error(`read as ${frame.type}`);
  const { header, chunk } = frame.durable;
  const raw = zstdDecompressSync(chunk, { maxOutputLength: header.raw_size });
  expect(raw.byteLength).toBe(header.raw_size);
  expect(decodeLogLines(raw.toString("utf8"))).toHaveLength(header.count);
});

test("results and inputs inside the recordings have the shape of their kinds", () => {
  for (const file of files.filter((name) => name.includes("job.finished"))) {
    const { message } = JSON.parse(read(file)) as { message: FinishedRecording };
    if (message.outcome.state === "succeeded") {
      expect<unknown>(parseResult(message.kind, message.outcome.result)).toEqual(message.outcome.result);
    }
    if (message.outcome.left !== undefined)
      expect<unknown>(parseResult(message.kind, message.outcome.left)).toEqual(message.outcome.left);
    expect<unknown>(jobKinds[message.kind].input.parse(message.recreate.input)).toEqual(message.recreate.input);
  }
});

interface FinishedRecording {
  kind: keyof typeof jobKinds;
  outcome: { state: string; result?: unknown; left?: unknown };
  recreate: { input: unknown };
}
