import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "@restic-manager/server/platform/db/open";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { buildConsole, CONSOLE_SERVER } from "../../script/trial/built-console.ts";
import type { BenchOptions } from "./bench.ts";
import {
  filterFor,
  firstRowAt,
  idleFrames,
  NOTE_FIRST_ROW,
  scrollToEnd,
  type ScrollFigures,
} from "./console-page.ts";
import { figure, median, type Figure } from "./figure.ts";
import { signIn, startServerProgram, type BenchServer } from "./server-program.ts";
import { storeFleet, type FleetSize } from "./stored-fleet.ts";

const CHROMIUM = process.env["RM_TEST_CHROMIUM"] ?? "/usr/bin/chromium";
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
];
const LARGE: FleetSize = { hosts: 10_000, jobs: 100_000, lines: 30_000 };
const QUICK: FleetSize = { hosts: 2_000, jobs: 20_000, lines: 3_000 };
const FEW: FleetSize = { hosts: 10, jobs: 100, lines: 300 };
const FILTERS = ["kiosk", "db-ams", "nas-osl", "web"];
const FEW_FILTERS = ["db", "web", "nas", "kiosk"];

/** The fleet's page in a real browser without a graphics card, of ten thousand hosts and of ten, in turn. */
export async function benchConsole(options: BenchOptions): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "rm-bench-console-"));
  const ends: (() => Promise<void>)[] = [];
  try {
    const dist = join(folder, "dist");
    options.say("  building the console…");
    buildConsole(dist);
    const sizes = { large: options.quick ? QUICK : LARGE, few: FEW };
    const views: Record<string, View> = {};
    for (const [name, size] of Object.entries(sizes)) {
      const server = await serve(join(folder, name), dist, size);
      ends.push(() => server.stop());
      const context = await browse(folder, server);
      ends.push(() => context.close());
      views[name] = { server, context, total: size.hosts };
    }
    const { large, few } = views;
    if (large === undefined || few === undefined) throw new Error("two views");
    return await measure(options, large, few);
  } finally {
    for (const end of ends.toReversed()) await end();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface View {
  server: BenchServer;
  context: BrowserContext;
  total: number;
}

async function serve(folder: string, dist: string, size: FleetSize): Promise<BenchServer> {
  const url = `sqlite:${join(folder, "server.db")}`;
  const store = await openDatabase(url);
  let cookie: string;
  try {
    await storeFleet(store, size, Date.now());
    cookie = await signIn(store.db);
  } finally {
    await store.close();
  }
  return startServerProgram(url, folder, cookie, { argv: [process.execPath, CONSOLE_SERVER, dist] });
}

async function browse(folder: string, server: BenchServer): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(mkdtempSync(join(folder, "profile-")), {
    executablePath: CHROMIUM,
    args: FLAGS,
    viewport: { width: 1440, height: 900 },
  });
  const [name = "", value = ""] = server.cookie.split("=");
  await context.addCookies([{ name, value, url: server.url }]);
  await context.addInitScript(NOTE_FIRST_ROW);
  return context;
}

async function open({ context, server }: View): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${server.url}/?sort=name`);
  return page;
}

async function measure({ quick, say }: BenchOptions, large: View, few: View): Promise<Figure[]> {
  const rounds = quick ? 3 : 9;
  const first: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  const filter: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let round = -1; round < rounds; round++) {
    for (const [view, times] of [
      [few, { first: first.theirs, filter: filter.theirs }],
      [large, { first: first.ours, filter: filter.ours }],
    ] as const) {
      const page = await open(view);
      const at = await firstRowAt(page);
      await page.getByText("Live", { exact: true }).waitFor();
      const texts = view === large ? FILTERS : FEW_FILTERS;
      const took = await filterFor(page, texts[(round + 1) % texts.length] ?? "web");
      await page.close();
      // The first round fills the browser's cache, as every visit but the first finds it.
      if (round < 0) continue;
      times.first.push(at);
      times.filter.push(took);
    }
  }
  say(`  first row: ${words(first.ours)} (ten hosts ${words(first.theirs)})`);
  say(`  filter: ${words(filter.ours)} (ten hosts ${words(filter.theirs)})`);
  const scrolls: ScrollFigures[] = [];
  const idle: number[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    const page = await open(large);
    await firstRowAt(page);
    await page.getByText("Live", { exact: true }).waitFor();
    // As with a wheel: the pointer is in the table, whose order then stands still.
    await page.mouse.move(700, 700);
    const scrolled = await scrollToEnd(page, large.total);
    say(`  scroll: ${JSON.stringify(scrolled)}`);
    if (scrolled.rows < large.total) throw new Error("the page could not be scrolled to its end");
    scrolls.push(scrolled);
    await page.close();
    const still = await open(few);
    await firstRowAt(still);
    idle.push(await idleFrames(still, scrolled.frames));
    await still.close();
  }
  const frames = median(scrolls.map((scroll) => scroll.worst));
  say(`  longest frame of ten hosts at rest: ${words(idle)}`);
  return [
    figure("console.first_row", compared(first), { most: 1_000, of: "value" }),
    figure("console.filter_to_rows", compared(filter), { most: 100, of: "value" }),
    figure(
      "console.longest_frame",
      { value: frames, unit: "ms", baseline: median(idle) },
      { most: 50, of: "value" },
    ),
  ];
}

const compared = ({ ours, theirs }: { ours: number[]; theirs: number[] }) => ({
  value: median(ours),
  unit: "ms" as const,
  baseline: median(theirs),
});
const words = (times: number[]) => times.map((time) => time.toFixed(0)).join(", ");
