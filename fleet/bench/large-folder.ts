import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreatedJob, Job } from "@restic-manager/protocol/api/jobs";
import { SnapshotsPage } from "@restic-manager/protocol/api/hosts";
import { SourceGroup } from "@restic-manager/protocol/api/sources";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import type { OneMachine } from "../../script/trial/one-machine.ts";
import { until } from "../../script/trial/stage.ts";
import type { BenchOptions } from "./bench.ts";
import { idleFrames } from "./console-page.ts";
import { figure, median, type Figure } from "./figure.ts";
import { dragTree, findInTree, jumpToEnd, scrollTree, type TreeFrames } from "./tree-page.ts";

const ENTRIES = 500_000;
const QUICK_ENTRIES = 30_000;
const ROUNDS = 3;
const FRAMES = 600;
const QUICK_FRAMES = 100;
const CHROMIUM = process.env["RM_TEST_CHROMIUM"] ?? "/usr/bin/chromium";
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
];

interface Place {
  /** For files: on a disk that takes them all. */
  disk: string;
  /** For the browser. */
  folder: string;
  origin: string;
  cookie: string;
}

/**
 * A folder of half a million files in the console's wizard: a real snapshot, a real browser without a graphics card. How long frames
 * take while it is scrolled as with a wheel, while the scroll bar is dragged from one end to the other, and how soon the end is there.
 */
export async function measureLargeFolder(
  { quick, say }: BenchOptions,
  machine: OneMachine,
  place: Place,
): Promise<Figure[]> {
  const entries = quick ? QUICK_ENTRIES : ENTRIES;
  const folder = join(place.disk, "large-folder");
  mkdirSync(folder);
  for (let n = 0; n < entries; n += 1)
    writeFileSync(join(folder, `message-${String(n).padStart(6, "0")}`), "");
  say(`  a folder of ${entries} files written`);
  const snapshotId = await backedUp(machine, folder);
  say("  backed up");
  const context = await openBrowser(place);
  try {
    const at = new URLSearchParams({ at: folder }).toString();
    const address = `${place.origin}/hosts/${machine.host.id}/snapshots/${snapshotId}/restore?${at}`;
    return await look({ quick, say }, context, address, entries);
  } finally {
    await context.close();
  }
}

/** Backs the folder up as a group of its own, and answers its snapshot. */
async function backedUp({ api, host }: OneMachine, folder: string): Promise<string> {
  const path = `/api/hosts/${host.id}/source-groups`;
  const group = await api.call("POST", path, SourceGroup, { name: "large", includes: [folder] });
  const { job } = await api.call("POST", `${path}/${group.id}/run`, CreatedJob, {});
  return await until("the large folder is backed up", 600, async () => {
    const now = await api.call("GET", `/api/jobs/${job.id}`, Job);
    if (now.state === "failed" || now.state === "cancelled") throw new Error(`the backup was ${now.state}`);
    const { items } = await api.call("GET", `/api/hosts/${host.id}/snapshots`, SnapshotsPage);
    return items.find(({ paths }) => paths.includes(folder))?.id;
  });
}

async function openBrowser({ folder, origin, cookie }: Place): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(mkdtempSync(join(folder, "profile-")), {
    executablePath: CHROMIUM,
    args: FLAGS,
    viewport: { width: 1440, height: 900 },
  });
  const [name = "", value = ""] = cookie.split("=");
  await context.addCookies([{ name, value, url: origin }]);
  return context;
}

async function look(
  { quick, say }: BenchOptions,
  context: BrowserContext,
  address: string,
  entries: number,
): Promise<Figure[]> {
  const wheel: TreeFrames[] = [];
  const drag: TreeFrames[] = [];
  const ends: number[] = [];
  const finds: number[] = [];
  const idle: number[] = [];
  const frames = quick ? QUICK_FRAMES : FRAMES;
  for (let round = 0; round < (quick ? 1 : ROUNDS); round += 1) {
    const page = await opened(context, address);
    idle.push(await idleFrames(page, frames));
    wheel.push(await scrollTree(page, frames));
    ends.push(await jumpToEnd(page, entries));
    await page.keyboard.press("Home");
    drag.push(await dragTree(page, frames, entries));
    finds.push(await findInTree(page, `message-${String(entries - 7).padStart(6, "0")}`));
    say(
      `  round ${round + 1}: longest frame ${told(wheel)} with the wheel, ${told(drag)} dragged, ${idle.at(-1)?.toFixed(0)} ms at rest; ` +
        `end after ${ends.at(-1)?.toFixed(0)} ms, found after ${finds.at(-1)?.toFixed(0)} ms`,
    );
    await page.close();
  }
  const longest = (given: TreeFrames[]) => ({
    value: median(given.map(({ worst }) => worst)),
    unit: "ms" as const,
    baseline: median(idle),
  });
  return [
    figure("browse.large_folder.longest_frame", longest(wheel), { most: 50, of: "value" }),
    figure("browse.large_folder.longest_frame_dragged", longest(drag), { most: 100, of: "value" }),
    figure(
      "browse.large_folder.jump_to_end",
      { value: median(ends), unit: "ms" },
      { most: 500, of: "value" },
    ),
    // With the 200 ms for which the console waits until somebody has typed.
    figure("browse.large_folder.found", { value: median(finds), unit: "ms" }, { most: 1_000, of: "value" }),
  ];
}

const told = (given: TreeFrames[]) =>
  `${given.at(-1)?.worst.toFixed(0)} ms (${given.at(-1)?.over50} over 50)`;

/** The wizard once its snapshot is indexed, so that what follows is the console's part. */
async function opened(context: BrowserContext, address: string): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(address);
  await page.getByTitle("message-000000", { exact: true }).waitFor();
  await page.getByPlaceholder(/^Search [\d,. ]+ items in this snapshot/).waitFor();
  return page;
}
