import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DOWNLOAD_CHUNK, type DownloadEnd } from "@restic-manager/protocol/download";
import { parseAgentFrame } from "@restic-manager/protocol/frame";
import { ResticId, SourceGroupId } from "@restic-manager/protocol/ids";
import { runBackup } from "../jobs/backup.ts";
import { runInit } from "../jobs/init.ts";
import { testTools, type TestTools } from "../testing/job-tools.ts";
import { Downloads } from "./downloads.ts";

setDefaultTimeout(60_000);

const BYTES = 5 * DOWNLOAD_CHUNK + 7;
let folder: string;
let given: TestTools;
let snapshot_id: ResticId;
let content: Uint8Array;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rm-download-"));
  given = await testTools(folder);
  mkdirSync(join(folder, "src"));
  content = Uint8Array.from({ length: BYTES }, (_, i) => (i * 2_654_435_761) >>> 11);
  writeFileSync(join(folder, "src/file"), content);
  await runInit({}, given.tools);
  const group = {
    source_group_id: SourceGroupId.parse("01JD0000000000000000000000"),
    source_group_name: "default",
  };
  const saved = await runBackup({ ...group, includes: [join(folder, "src")], excludes: [] }, given.tools);
  if (saved.state !== "succeeded") throw new Error(JSON.stringify(saved));
  snapshot_id = ResticId.parse(saved.result["snapshot_id"]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Downloads whose frames are read as the server reads them. */
function world(options: { mostBytes?: number; connected?: () => boolean } = {}) {
  const chunks: { offset: number; bytes: Uint8Array }[] = [];
  const ends: DownloadEnd[] = [];
  let wake = (): void => {};
  const downloads = new Downloads({
    restic: () => given.tools.restic(),
    timers: given.tools.timers,
    send(frame) {
      if (options.connected?.() === false) return false;
      const read = parseAgentFrame(frame);
      if (read.type !== "download") throw new Error(`read as ${read.type}`);
      chunks.push({ offset: read.header.offset, bytes: read.chunk });
      wake();
      return true;
    },
    say(end) {
      ends.push(end);
      wake();
    },
    ...(options.mostBytes === undefined ? {} : { mostBytes: options.mostBytes }),
  });
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await new Promise<void>((resolve) => (wake = resolve));
  };
  const open = (request_id: string, path = join(folder, "src/file")): void =>
    downloads.take({ type: "download.open", request_id, snapshot_id, path, archive: "tar" });
  const more = (request_id: string, bytes: number): void =>
    downloads.take({ type: "download.more", request_id, until: bytes });
  return { downloads, chunks, ends, until, open, more };
}

const sum = (chunks: { bytes: Uint8Array }[]): number =>
  chunks.reduce((total, { bytes }) => total + bytes.byteLength, 0);

test("as much is sent as was asked for, to the byte, and then the rest", async () => {
  const { chunks, ends, until, open, more } = world();
  open("a");
  more("a", 1_000);
  await until(() => sum(chunks) > 0);
  expect(chunks.map(({ offset, bytes }) => [offset, bytes.byteLength])).toEqual([[0, 1_000]]);
  // What is asked for twice, or less than before, changes nothing.
  more("a", 500);
  more("a", 1_000 + DOWNLOAD_CHUNK + 1);
  await until(() => sum(chunks) >= 1_000 + DOWNLOAD_CHUNK + 1);
  expect(sum(chunks)).toBe(1_000 + DOWNLOAD_CHUNK + 1);
  more("a", BYTES);
  await until(() => ends.length > 0);
  expect(ends).toEqual([{ type: "download.end", request_id: "a", bytes: BYTES }]);
  expect(Buffer.concat(chunks.map(({ bytes }) => bytes)).equals(Buffer.from(content))).toBe(true);
  expect(Math.max(...chunks.map(({ bytes }) => bytes.byteLength))).toBeLessThanOrEqual(DOWNLOAD_CHUNK);
});

test("what cannot be had is told with its reason", async () => {
  const { ends, until, open, more } = world();
  open("gone", join(folder, "src/gone"));
  more("gone", 1_000);
  await until(() => ends.length > 0);
  expect(ends).toMatchObject([{ type: "download.failed", error: { code: "path_missing" } }]);
});

test("one that nobody wants ends restic; a third at a time is refused; too much breaks off", async () => {
  const { downloads, chunks, ends, until, open, more } = world({ mostBytes: 2_000 });
  open("a");
  open("b");
  open("c");
  expect(ends).toMatchObject([{ request_id: "c", error: { code: "busy" } }]);
  downloads.take({ type: "download.stop", request_id: "a" });
  more("b", BYTES);
  await until(() => ends.length === 3);
  expect(ends.find(({ request_id }) => request_id === "a")).toMatchObject({ type: "download.failed" });
  expect(ends.find(({ request_id }) => request_id === "b")).toMatchObject({ error: { code: "too_large" } });
  expect(sum(chunks)).toBeLessThanOrEqual(DOWNLOAD_CHUNK);
  await downloads.stop();
});

test("a connection that takes no more ends it", async () => {
  let connected = true;
  const { downloads, chunks, ends, until, open, more } = world({ connected: () => connected });
  open("a");
  more("a", 100);
  await until(() => sum(chunks) === 100);
  connected = false;
  more("a", BYTES);
  await until(() => ends.length > 0);
  expect(ends).toMatchObject([{ type: "download.failed", error: { code: "failed" } }]);
  open("b");
  downloads.leaveAll();
  await until(() => ends.length === 2);
  await downloads.stop();
});
