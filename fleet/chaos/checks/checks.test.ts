import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HostId, JobId } from "@restic-manager/protocol/ids";
import { encodeLogLine } from "@restic-manager/protocol/log-lines";
import type { AgentJob, ChaosHost } from "../host.ts";
import { Ledger, type Order } from "../ledger.ts";
import type { ResticStart } from "../restic-runs.ts";
import { Secrets } from "../secrets.ts";
import { Trend } from "./footprint.ts";
import { checkLog, type StoredLog } from "./logs.ts";
import { checkOutcomes, type StoredJob } from "./outcomes.ts";
import { checkProgramLog } from "./logs-of-programs.ts";
import { checkRuns } from "./runs.ts";
import { checkSnapshots } from "./snapshots.ts";
import { checkCommandLines, checkFiles } from "./traces.ts";

/** Each check finds what it is for, and nothing in a fleet that is well. */

const HOST = HostId.parse("01ARZ3NDEKTSV4RRFFQ69G5FAV");
const JOB = JobId.parse("01ARZ3NDEKTSV4RRFFQ69G5FAW");
const OTHER = JobId.parse("01ARZ3NDEKTSV4RRFFQ69G5FAX");
const MARKER = 1_000_000;
const PID = 4_321;

function host(parts: { starts?: ResticStart[]; jobs?: AgentJob[] } = {}): ChaosHost {
  const starts = parts.starts ?? [{ pid: PID, args: "backup", marker: MARKER }];
  const jobs = parts.jobs ?? [{ id: JOB, state: "finished", outcome: '{"state":"succeeded"}' } as const];
  const one = { index: 0, id: HOST, kind: "scripted", runs: { look: () => starts }, jobs: () => jobs };
  return one as unknown as ChaosHost;
}

function job(changes: Partial<StoredJob> = {}): StoredJob {
  const whole = {
    id: JOB,
    host_id: HOST,
    kind: "backup",
    state: "succeeded",
    input: JSON.stringify({ bandwidth: { upload_kib_per_s: MARKER } }),
    result: "{}",
    error: null,
    created_at: 0,
    started_at: 1,
    finished_at: 2,
    log_lines: 8,
    log_missing: 0,
  };
  return { ...whole, ...changes } as StoredJob;
}

function ledger(changes: Partial<Order> = {}): Ledger {
  const made = new Ledger();
  const order = { marker: MARKER, host: 0, hostId: HOST, round: 1, lines: 2, jobId: JOB, quiet: false };
  made.orders.set(MARKER, { ...order, ...changes });
  return made;
}

const stored = (...jobs: StoredJob[]) => new Map<string, StoredJob>(jobs.map((one) => [one.id, one]));

describe("outcomes", () => {
  const look = (jobs: StoredJob[], from = ledger(), hosts = [host()]) =>
    checkOutcomes(hosts, from, stored(...jobs));

  test("a job with its outcome at both ends is well", () => expect(look([job()])).toEqual([]));
  test("a job that is still running is found", () =>
    expect(look([job({ state: "running" })])[0]).toContain("is still running"));
  test("a job that was answered and is gone is found", () =>
    expect(look([], ledger(), [host({ jobs: [] })])[0]).toContain("is not in the store"));
  test("two jobs of one order are found", () =>
    expect(look([job(), job({ id: OTHER })])[0]).toContain("both of order"));
  test("an outcome that changes is found", () => {
    const from = ledger();
    expect(look([job()], from)).toEqual([]);
    expect(look([job({ finished_at: 3 })], from)[0]).toContain("had the outcome");
  });
  test("an end before its beginning is found", () =>
    expect(look([job({ started_at: 3 })])[0]).toContain("in no order"));
  test("ends that disagree are found", () => {
    const error = JSON.stringify({ code: "failed", message: "x" });
    expect(look([job({ state: "failed", error })])[0]).toContain(
      "is failed at the server and succeeded at h0",
    );
    expect(look([job({ id: OTHER, input: "{}" })], new Ledger())[0]).toContain(
      "which the server does not know",
    );
  });
  test("a lost job is found", () => {
    const error = JSON.stringify({ code: "agent_lost_job", message: "lost" });
    const found = look([job({ state: "failed", error })]);
    expect(found[0]).toContain("ended as agent_lost_job");
  });
  test("a failure that nobody caused is found, and one that somebody caused is not", () => {
    const error = JSON.stringify({ code: "failed", message: "x" });
    const hosts = [host({ jobs: [] })];
    const failed = job({ state: "failed", error });
    expect(look([failed], ledger({ quiet: true }), hosts)[0]).toContain(
      "although nothing was done to its host",
    );
    expect(look([failed], ledger(), hosts)).toEqual([]);
  });
});

describe("runs", () => {
  const twice = [PID, PID + 1].map((pid) => ({ pid, args: "backup", marker: MARKER }));
  test("one run for one order is well", () =>
    expect(checkRuns([host()], ledger(), stored(job()))).toEqual([]));
  test("a second run is found", () =>
    expect(checkRuns([host({ starts: twice })], ledger(), stored(job()))[0]).toContain("ran twice"));
  test("a success without a run is found", () =>
    expect(checkRuns([host({ starts: [] })], ledger(), stored(job()))[0]).toContain("restic never ran"));
  test("a run of no job is found", () =>
    expect(checkRuns([host()], ledger(), stored())[0]).toContain("knows no job"));
});

describe("logs", () => {
  const texts = [
    "start scan of /srv/data",
    `new       /srv/data/${PID}/file1 (100 B added)`,
    `new       /srv/data/${PID}/file2 (100 B added)`,
    "Files: …",
    "Dirs: …",
    "Added …",
    "processed …",
    "snapshot 12345678 saved",
  ];
  const chunk = (first_line: number, lines: string[]): StoredLog["chunks"][number] => {
    const raw = Buffer.from(lines.map((text) => encodeLogLine({ at: 1, stream: "stdout", text })).join(""));
    return { first_line, count: lines.length, raw_size: raw.length, data: Bun.zstdCompressSync(raw) };
  };
  const look = (chunks: StoredLog["chunks"], changes: Partial<StoredJob> = {}, mayMiss = false) =>
    checkLog(job(changes), { chunks, gaps: [] }, host(), ledger(), mayMiss);
  const half = [chunk(0, texts.slice(0, 3)), chunk(3, texts.slice(3))];

  test("a whole log is well", () => expect(look(half)).toEqual([]));
  test("the beginning of a run that was cut off is well", () =>
    expect(look([chunk(0, texts.slice(0, 2))], { state: "failed", log_lines: 2 })).toEqual([]));
  test("a missing line is found, unless the disk was full and it is counted", () => {
    const [, second] = half;
    const rest = second === undefined ? [] : [second];
    expect(look(rest)[0]).toContain("lacks 3 lines and says 0");
    expect(look(rest, { log_missing: 3 })[0]).toContain("for no reason");
    expect(look(rest, { log_missing: 3 }, true)).toEqual([]);
  });
  test("a line that comes twice is found", () =>
    expect(look([...half, chunk(7, texts.slice(7))])[0]).toContain("has line 7 twice"));
  test("lines in another order are found", () => {
    const mixed = [texts[0] ?? "", texts[2] ?? "", texts[1] ?? "", ...texts.slice(3)];
    expect(look([chunk(0, mixed)])[0]).toContain("line 1 is");
  });
  test("the words of another run are found", () => {
    const foreign = texts.map((text) => text.replace(String(PID), "99"));
    expect(look([chunk(0, foreign)])[0]).toContain("line 1 is");
  });
  test("a log without its end is found", () =>
    expect(look([chunk(0, texts.slice(0, 6))], { log_lines: 6 })[0]).toContain("has 6 lines"));
});

describe("snapshots", () => {
  const look = (listed: string[], inRepository: string[], result = "{}") =>
    checkSnapshots(host(), listed, inRepository, [job({ result })]);

  test("the same at both is well", () => expect(look(["a", "b"], ["b", "a"])).toEqual([]));
  test("one that is not listed is found", () => expect(look(["a"], ["a", "b"])[0]).toContain("not listed"));
  test("one that is not there is found", () => expect(look(["a"], [])[0]).toContain("not in the repository"));
  test("a success without its snapshot is found", () =>
    expect(look([], [], '{"snapshot_id":"c"}')[0]).toContain("says it saved c"));
});

describe("secrets", () => {
  let folder: string;
  const secrets = new Secrets();
  const value = `${crypto.randomUUID()}-geheim`;
  secrets.add("the password", value, ["its/home"]);
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "rm-traces-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const put = (path: string, text: string | Uint8Array) => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  };

  test("one at home is well", () => {
    put("its/home", value);
    put("elsewhere", "nothing");
    expect(checkFiles(folder, secrets)).toEqual([]);
  });
  test.each([
    ["as it is", Buffer.from(`\0\u0001${value}\0`)],
    ["in base64", Buffer.from(btoa(value))],
    ["in hex", Buffer.from(Buffer.from(value).toString("hex"))],
  ])("one in a file, %s, is found", (_, bytes) => {
    put("a/b/file.db-wal", bytes);
    expect(checkFiles(folder, secrets)).toEqual([
      `the password stands in ${join(folder, "a/b/file.db-wal")}`,
    ]);
  });
  test("one in a command line is found", async () => {
    const child = Bun.spawn(["/bin/sh", "-c", "read x", value], { stdin: "pipe" });
    try {
      expect(checkCommandLines(secrets)[0]).toStartWith(
        `the password stands in the command line of process ${child.pid}`,
      );
    } finally {
      child.kill("SIGKILL");
      await child.exited;
    }
    expect(checkCommandLines(secrets)).toEqual([]);
  });
  test("an agent that is thrown out for a silence that never was is found", () => {
    put(
      "log",
      "warn Not connected to the server (nothing was heard from this agent for too long). Backups go on",
    );
    expect(checkProgramLog(join(folder, "log"), 0).wrong.length).toBe(1);
  });
  test("a defect in a program's words is found once", () => {
    put("log", "all is well\nTypeError: undefined is not an object\n");
    const first = checkProgramLog(join(folder, "log"), 0);
    expect(first.wrong.length).toBe(1);
    expect(checkProgramLog(join(folder, "log"), first.read).wrong).toEqual([]);
  });
});

describe("memory and open files", () => {
  const trend = (samples: [number, number][]) => {
    const made = new Trend("it");
    for (const [round, [rssMb, files]] of samples.entries()) made.note(round, { rssMb, files });
    return made;
  };
  const flat: [number, number][] = Array.from({ length: 10 }, () => [80, 20]);

  test("what stays where it was is well", () => expect(trend(flat).exceeded()).toEqual([]));
  test("files that stay open are found", () =>
    expect(trend([...flat, [80, 60]]).exceeded()[0]).toContain("has 60 open files and had 20"));
  test("memory that is not given back is found", () =>
    expect(trend([...flat, [300, 20]]).exceeded()[0]).toContain("takes 300 MB and took 80"));
  test("the slope is that of the line through all rounds", () =>
    expect(
      trend([
        [10, 1],
        [12, 1],
        [14, 1],
      ]).describe(),
    ).toContain("2.000 MB a round"));
});
