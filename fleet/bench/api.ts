import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "@restic-manager/server/platform/db/open";
import type { BenchOptions } from "./bench.ts";
import { consoleQuestions, growthQuestions, type Question } from "./api-questions.ts";
import { figure, median, p99Of, type Figure } from "./figure.ts";
import { signIn, startServerProgram, type BenchServer } from "./server-program.ts";
import { onBothStores, type StoreUrl } from "./stores.ts";
import { storedHostId, storeFleet, type FleetSize } from "./stored-fleet.ts";

const FULL: FleetSize = { hosts: 10_000, jobs: 1_000_000, lines: 10_000_000 };
const QUICK: FleetSize = { hosts: 500, jobs: 20_000, lines: 100_000 };
/** What pages must not grow from. */
const SMALL: FleetSize = { hosts: 100, jobs: 10_000, lines: 100_000 };
/** One host that was backed up once: an empty store has no host whose page could be asked for. */
const EMPTY: FleetSize = { hosts: 1, jobs: 2, lines: 600 };
const ROUNDS = 120;
const P99_MS = 25;
const GROWTH = 2;

/** The console's questions to a server whose store is full, nearly empty and small, in turn; on SQLite and on PostgreSQL. */
export async function benchApi(options: BenchOptions): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "rm-bench-api-"));
  try {
    return await onBothStores(folder, (kind, urlOf) => measureStores(`api.${kind}`, options, folder, urlOf));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureStores(
  name: string,
  options: BenchOptions,
  folder: string,
  urlOf: StoreUrl,
): Promise<Figure[]> {
  const full = options.quick ? QUICK : FULL;
  const servers: AskedServer[] = [];
  try {
    for (const [what, size] of [
      ["full", full],
      ["small", SMALL],
      ["empty", EMPTY],
    ] as const)
      servers.push(await startOn(await urlOf(what), join(folder, `${name}-${what}`), size, options));
    const [big, small, empty] = servers;
    if (big === undefined || small === undefined || empty === undefined) throw new Error("three servers");
    const rounds = options.quick ? ROUNDS / 6 : ROUNDS;
    return [
      ...(await measureWorst(name, options, rounds, big, empty)),
      ...(await measureGrowth(name, options, rounds, big, small)),
    ];
  } finally {
    for (const { server } of servers) await server.stop();
  }
}

/** A server and how much its store holds. */
export interface AskedServer {
  server: BenchServer;
  size: FleetSize;
}

async function startOn(
  url: string,
  folder: string,
  size: FleetSize,
  { say }: BenchOptions,
): Promise<AskedServer> {
  const began = performance.now();
  const store = await openDatabase(url);
  let cookie: string;
  try {
    await storeFleet(store, size, Date.now());
    cookie = await signIn(store.db);
  } finally {
    await store.close();
  }
  const server = await startServerProgram(url, folder, cookie);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  say(`  a store of ${size.hosts} hosts, ${size.jobs} jobs and ${size.lines} lines: ready in ${seconds} s`);
  return { server, size };
}

/** The 99th percentile of each question, the worst of each group, beside the same question to the empty store. */
export async function measureWorst(
  name: string,
  { say }: BenchOptions,
  rounds: number,
  big: AskedServer,
  empty: AskedServer,
): Promise<Figure[]> {
  const [ours, theirs] = [consoleQuestions(big.size), consoleQuestions(empty.size)];
  const worst = new Map<string, { question: string; p99: number; baseline: number }>();
  for (const [at, question] of ours.entries()) {
    const same = theirs[at] ?? question;
    const [times, baseline] = await inTurn(rounds, [big, question], [empty, same]);
    const found = { question: question.path(0), p99: p99Of(times), baseline: p99Of(baseline) };
    say(
      `  ${found.p99.toFixed(1)} ms (empty ${found.baseline.toFixed(1)}), median ${median(times).toFixed(1)}: ${found.question}`,
    );
    const known = worst.get(question.group);
    if (known === undefined || known.p99 < found.p99) worst.set(question.group, found);
  }
  return [...worst].map(([group, { p99, baseline }]) =>
    figure(`${name}.${group}.p99`, { value: p99, unit: "ms", baseline }, { most: P99_MS, of: "value" }),
  );
}

async function measureGrowth(
  name: string,
  { say }: BenchOptions,
  rounds: number,
  big: AskedServer,
  small: AskedServer,
): Promise<Figure[]> {
  const [ours, theirs] = [growthQuestions(big.size), growthQuestions(small.size)];
  const worst = new Map<string, { value: number; baseline: number }>();
  for (const [at, question] of ours.entries()) {
    const [times, baseline] = await inTurn(rounds, [big, question], [small, theirs[at] ?? question]);
    const found = { value: median(times), baseline: median(baseline) };
    say(`  grows from ${found.baseline.toFixed(1)} to ${found.value.toFixed(1)} ms: ${question.path(0)}`);
    const known = worst.get(question.group);
    if (known === undefined || known.value / known.baseline < found.value / found.baseline)
      worst.set(question.group, found);
  }
  return [...worst].map(([group, { value, baseline }]) =>
    figure(`${name}.${group}.growth`, { value, unit: "ms", baseline }, { most: GROWTH, of: "ratio" }),
  );
}

/** Milliseconds of one question to each of two servers, asked in turn after a few that only warm up. */
async function inTurn(
  rounds: number,
  ...sides: [[AskedServer, Question], [AskedServer, Question]]
): Promise<[number[], number[]]> {
  const times: [number[], number[]] = [[], []];
  for (let round = -5; round < rounds; round++)
    for (const [at, [{ server }, { path, afterChange }]] of sides.entries()) {
      if (afterChange === true) await server.rename(storedHostId(0), `renamed-${round + 5}`);
      const began = performance.now();
      await server.ask(path(round + 5));
      if (round >= 0) times[at]?.push(performance.now() - began);
    }
  return times;
}
