import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SnapshotsPage } from "@restic-manager/protocol/api/hosts";
import { TreeFolder, TreeFound } from "@restic-manager/protocol/api/tree";
import { buildAgent } from "../../script/build.ts";
import { house } from "../../script/files.ts";
import { buildConsole, CONSOLE_SERVER } from "../../script/trial/built-console.ts";
import { backUp, setUpOneMachine, type OneMachine } from "../../script/trial/one-machine.ts";
import { found, freePort, until, type Stage } from "../../script/trial/stage.ts";
import type { BenchOptions } from "./bench.ts";
import { inBenchFolder } from "./bench-folder.ts";
import { figure, median, p99Of, type Figure } from "./figure.ts";
import { measureLargeFolder } from "./large-folder.ts";
import { NEEDLE, writeManyNames, type ManyNames } from "./many-names.ts";
import { memoryOf } from "./process-figures.ts";

const ENTRIES = 1_000_000;
const QUICK_ENTRIES = 20_000;
const ROUNDS = 5;
const QUICK_ROUNDS = 1;
const FOLDERS = 500;
const QUICK_FOLDERS = 150;
const SEARCHES = 5;
/** What people look for: a name, none there is, a kind of file, what is everywhere, and what makes every name be looked at. */
const QUERIES = [NEEDLE, "no such name", "*haystack*", "report", "*r*z*q*", "spool/*1*.pdf"];

/**
 * Looking into a snapshot of a million entries by the API, with a real server, agent, restic and rest-server: beside plain restic, in
 * turn; then a folder of half a million in a browser. Takes about eight minutes.
 */
export async function benchBrowse(options: BenchOptions): Promise<Figure[]> {
  // A million files are too many for some disks, and nothing here is about reading them.
  const source = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "rm-bench-names-"));
  const clear = () => rmSync(source, { recursive: true, force: true });
  process.once("exit", clear);
  try {
    return await inBenchFolder((folder) => measure(options, folder, source));
  } finally {
    process.off("exit", clear);
    clear();
  }
}

async function measure(options: BenchOptions, folder: string, source: string): Promise<Figure[]> {
  const { quick, say } = options;
  const names = writeManyNames(source, quick ? QUICK_ENTRIES : ENTRIES);
  say(`  ${names.entries} names written`);
  const agent = join(folder, "restic-manager-agent");
  await buildAgent(house, agent);
  const dist = join(folder, "console");
  buildConsole(dist);
  const stage: Stage = { folder, programs: [] };
  try {
    const commands = { server: [process.execPath, CONSOLE_SERVER, dist], agent: [agent] };
    const port = await freePort(0);
    const machine = await setUpOneMachine(stage, commands, { port, source });
    await backUp(machine);
    const origin = `http://127.0.0.1:${port}`;
    const viewer = await lookInto(machine, origin);
    say("  backed up");
    const pid = stage.programs.at(-1)?.pid ?? 0;
    const index = join(folder, "agent-state/browse");
    const plain = plainRestic(machine, folder, viewer.snapshotId);
    return [
      ...(await measureOpening(options, names, viewer, plain, index)),
      ...(await measureLooking(options, names, viewer)),
      figure("browse.index_bytes_per_entry", bytesPerEntry(index, names), { most: 90, of: "value" }),
      figure(
        "browse.agent_peak_memory",
        { value: memoryOf(pid).peak, unit: "MB" },
        { most: 120, of: "value" },
      ),
      ...(await measureLargeFolder(options, machine, {
        disk: source,
        folder,
        origin,
        cookie: viewer.cookie,
      })),
    ];
  } finally {
    for (const program of stage.programs.toReversed()) await program.stop();
  }
}

interface Viewer {
  snapshotId: string;
  cookie: string;
  /** Asks below the snapshot's path. */
  ask: (what: string) => Promise<Response>;
}

/** Signs in as a browser does, and waits until the snapshot is listed. */
async function lookInto({ api, admin, host }: OneMachine, origin: string): Promise<Viewer> {
  const signed = await fetch(`${origin}/api/session`, {
    method: "POST",
    headers: { origin, "content-type": "application/json" },
    body: JSON.stringify(admin),
  });
  const cookie = signed.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
  const snapshotId = await until("the snapshot is listed", 60, async () => {
    const { items } = await api.call("GET", `/api/hosts/${host.id}/snapshots`, SnapshotsPage);
    return items[0]?.id;
  });
  const below = `${origin}/api/hosts/${host.id}/snapshots/${snapshotId}`;
  return { snapshotId, cookie, ask: (what) => fetch(`${below}/${what}`, { headers: { cookie } }) };
}

type Plain = (what?: { json?: boolean; folder?: string }) => Promise<number>;

/** Milliseconds that restic takes to list a snapshot or a folder as a person types it, with a warm cache of its own. */
function plainRestic({ token, repositoryUrl }: OneMachine, folder: string, snapshotId: string): Plain {
  const { username, password, repository_password } = token.credentials;
  const env = {
    RESTIC_REPOSITORY: repositoryUrl,
    RESTIC_REST_USERNAME: username ?? "",
    RESTIC_REST_PASSWORD: password ?? "",
    RESTIC_PASSWORD: repository_password ?? "",
    RESTIC_CACHE_DIR: join(folder, "plain-cache"),
  };
  const restic = found("RM_TEST_RESTIC", "restic");
  return async ({ json: asJson = false, folder: only } = {}) => {
    const flags = asJson ? ["--json", "--no-lock"] : ["--no-lock"];
    const began = performance.now();
    const child = Bun.spawn([restic, "ls", ...flags, snapshotId, ...(only === undefined ? [] : [only])], {
      env,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
    });
    if ((await child.exited) !== 0) throw new Error(`restic ls ended with ${child.exitCode}`);
    return performance.now() - began;
  };
}

/** How long after a snapshot is opened its first folder and its index are there, each round without what the one before left. */
async function measureOpening(
  { quick, say }: BenchOptions,
  { folders }: ManyNames,
  { ask }: Viewer,
  plain: Plain,
  index: string,
): Promise<Figure[]> {
  await plain();
  const first: [number, number][] = [];
  const whole: [number, number][] = [];
  const listed: number[] = [];
  for (let round = 0; round < (quick ? QUICK_ROUNDS : ROUNDS); round += 1) {
    const folder = folders[round] ?? "/";
    const plainFolder = await plain({ json: true, folder });
    const plainWhole = await plain();
    listed.push(await plain({ json: true }));
    for (const file of existsSync(index) ? readdirSync(index) : []) rmSync(join(index, file));
    const began = performance.now();
    const path = encodeURIComponent(folder);
    const shown = TreeFolder.parse(await json(await ask(`tree?path=${path}`)));
    first.push([performance.now() - began, plainFolder]);
    for (let indexed = shown.indexed; !indexed;) {
      const answer = await ask(`tree?path=${path}&indexed=true`);
      if (answer.status !== 503) indexed = TreeFolder.parse(await json(answer)).indexed;
    }
    whole.push([performance.now() - began, plainWhole]);
    say(`  round ${round + 1}: first folder ${words(first.at(-1))}, index ${words(whole.at(-1))}`);
  }
  return [
    compared("browse.first_folder", first, 1.2),
    compared("browse.index_ready", whole, 1.3),
    figure("browse.plain_ls_json", { value: median(listed) / 1_000, unit: "s" }),
  ];
}

const words = ([ours, theirs]: [number, number] = [0, 0]) =>
  `${(ours / 1_000).toFixed(2)} s (restic ${(theirs / 1_000).toFixed(2)} s)`;

function compared(name: string, pairs: [number, number][], most: number): Figure {
  const measured = {
    value: median(pairs.map(([ours]) => ours)) / 1_000,
    unit: "s" as const,
    baseline: median(pairs.map(([, theirs]) => theirs)) / 1_000,
    ratio: median(pairs.map(([ours, theirs]) => ours / theirs)),
  };
  return figure(name, measured, { most, of: "ratio" });
}

/** Folders that this viewer has not seen yet, pages of the large one, and searches. */
async function measureLooking(
  { quick, say }: BenchOptions,
  { folders, big }: ManyNames,
  { ask }: Viewer,
): Promise<Figure[]> {
  const timed = async (what: string): Promise<[number, unknown]> => {
    const began = performance.now();
    const body = await json(await ask(what));
    return [performance.now() - began, body];
  };
  const most = quick ? QUICK_FOLDERS : FOLDERS;
  const step = Math.max(1, Math.floor(folders.length / most));
  const small: number[] = [];
  for (let at = ROUNDS; at < folders.length; at += step) {
    const [took, body] = await timed(`tree?path=${encodeURIComponent(folders[at] ?? "")}`);
    TreeFolder.parse(body);
    small.push(took);
  }
  const large: number[] = [];
  let cursor: string | null = "0";
  while (cursor !== null && large.length < most) {
    const [took, body] = await timed(`tree?path=${encodeURIComponent(big)}&cursor=${cursor}`);
    large.push(took);
    cursor = TreeFolder.parse(body).next_cursor;
  }
  say(`  ${small.length} folders, ${large.length} pages of the large one`);
  let slowest = 0;
  for (const query of QUERIES) {
    const times: number[] = [];
    for (let n = 0; n < (quick ? 2 : SEARCHES); n += 1) {
      const [took, body] = await timed(`search?q=${encodeURIComponent(query)}`);
      times.push(took);
      if (n === 0)
        say(`  ${query}: ${TreeFound.parse(body).items.length} found, first in ${took.toFixed(1)} ms`);
    }
    slowest = Math.max(slowest, median(times));
  }
  return [
    figure("browse.cached_folder.p99", { value: p99Of(small), unit: "ms" }, { most: 20, of: "value" }),
    figure("browse.cached_folder.median", { value: median(small), unit: "ms" }),
    figure("browse.page_of_large_folder.p99", { value: p99Of(large), unit: "ms" }, { most: 20, of: "value" }),
    figure("browse.search.slowest", { value: slowest, unit: "ms" }, { most: 200, of: "value" }),
  ];
}

async function json(answer: Response): Promise<unknown> {
  if (answer.ok) return await answer.json();
  throw new Error(`the API answered ${answer.status}: ${await answer.text()}`);
}

function bytesPerEntry(index: string, { entries }: ManyNames) {
  const bytes = readdirSync(index).reduce((sum, file) => sum + statSync(join(index, file)).size, 0);
  return { value: bytes / entries, unit: "bytes" as const };
}
