import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JobId, ResticId } from "@restic-manager/protocol/ids";
import { chromium, type BrowserContext, type Locator, type Page } from "playwright-core";
import { factsOf, oddTree, type Fact } from "../agent/testing/odd-tree.ts";
import { buildConsole } from "../script/trial/built-console.ts";
import { CHROMIUM, CHROMIUM_FLAGS } from "./chromium.ts";
import type { HostOnStage } from "./stage/host.ts";
import { RealRepository } from "./stage/real-repository.ts";
import { ADMIN } from "./stage/server-process.ts";
import { Stage } from "./stage/stage.ts";
import { until } from "./stage/until.ts";

/** How long any one step of a page may take on a busy machine. */
const STEP_MS = 60_000;
const MANY = 40;
const BLOCK = 50_000;
/** KiB/s. restic takes five packs of 16 MiB at once and writes what is whole: with seven, some is there long before the end. */
const SLOW = 12_000;

/** A console in a real browser, with a real server, agent, restic and rest-server behind it, and a machine with files to lose. */
export interface WizardWorld {
  stage: Stage;
  repository: RealRepository;
  host: HostOnStage;
  /** What is backed up: `odd` with all that is hard to restore, `many` files and a `large` one, 110 MB together. */
  data: string;
  snapshotId: ResticId;
  /** Signed in as the administrator. */
  browser: BrowserContext;
  /** What pages complained of since it was last asked. */
  complaints: () => string[];
  /** The wizard's address with a folder of the snapshot. */
  wizard: (folder: string) => string;
  /** Does something while this machine downloads slowly. */
  slowly: (work: () => Promise<void>) => Promise<void>;
  stop: () => Promise<void>;
}

export async function startWizardWorld(): Promise<WizardWorld> {
  const ends: (() => unknown)[] = [];
  const stop = async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    return await start(ends, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(ends: (() => unknown)[], stop: () => Promise<void>): Promise<WizardWorld> {
  const dist = mkdtempSync("/tmp/rm-wizard-console-");
  ends.push(() => rmSync(dist, { recursive: true, force: true }));
  buildConsole(dist);
  const stage = await Stage.open({ console: dist });
  ends.push(() => stage.strike());
  const repository = await RealRepository.start(stage.folder);
  ends.push(() => repository.stop());
  const data = join(stage.folder, "data");
  writeData(data);
  const host = await stage.addReadyHost(repository.casting("db-ams-01", [data]));
  await host.finished((await host.backUp()).id, 90);
  await host.atRest();
  const snapshotId = await until("the snapshot is listed", async () => (await host.snapshots())[0]?.id);
  const said: string[] = [];
  const browser = await openBrowser(join(stage.folder, "profile"), said);
  ends.push(() => browser.close());

  const { api, origin } = stage.server;
  const signedIn = await api.ask("POST", "/api/session", ADMIN);
  const [name = "", value = ""] = signedIn.headers.getSetCookie()[0]?.split(";", 1)[0]?.split("=") ?? [];
  await browser.addCookies([{ name, value, url: origin }]);
  const cap = async (limits: object) => {
    await api.call("PUT", `/api/hosts/${host.id}/bandwidth`, { parse: () => undefined }, limits);
    await until("the agent knows its caps", async () => {
      const { config } = await host.look();
      return config.version === config.applied_version;
    });
  };
  return {
    stage,
    repository,
    host,
    data,
    snapshotId,
    browser,
    complaints: () => said.splice(0),
    wizard: (folder) =>
      `${origin}/hosts/${host.id}/snapshots/${snapshotId}/restore?${new URLSearchParams({ at: folder }).toString()}`,
    async slowly(work) {
      await cap({ download_kib_per_s: SLOW });
      await work();
      await cap({});
    },
    stop,
  };
}

function writeData(data: string): void {
  mkdirSync(join(data, "many"), { recursive: true });
  mkdirSync(join(data, "odd"));
  oddTree(join(data, "odd"));
  const random = (blocks: number) =>
    Buffer.concat(Array.from({ length: blocks }, () => crypto.getRandomValues(new Uint8Array(BLOCK))));
  for (let n = 0; n < MANY; n += 1) writeFileSync(join(data, "many", `f${n}`), random(20));
  writeFileSync(join(data, "large"), random(1_200));
}

async function openBrowser(profile: string, said: string[]): Promise<BrowserContext> {
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: CHROMIUM_FLAGS,
    viewport: { width: 1440, height: 900 },
    reducedMotion: "reduce",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  browser.setDefaultTimeout(STEP_MS);
  browser.on("page", (page) => {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) said.push(message.text());
    });
    page.on("pageerror", (error) => said.push(error.message));
  });
  return browser;
}

/** A row of the wizard's tree, by the whole name. */
export const rowOf = (page: Page, name: string): Locator =>
  page.getByRole("treeitem").filter({ has: page.getByTitle(name, { exact: true }) });

/** Presses Tab until this has the focus, as somebody without a mouse does. */
export async function tabTo(page: Page, what: Locator): Promise<void> {
  await what.waitFor();
  const focused = what.and(page.locator(":focus"));
  for (let presses = 0; presses < 120; presses += 1) {
    if ((await focused.count()) === 1) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never comes to ${what.toString()}`);
}

/** The job whose page is open. */
export async function jobOnPage(page: Page): Promise<JobId> {
  await page.waitForURL(/\/jobs\//);
  return page.url().replace(/.*\/jobs\//, "") as JobId;
}

/** Of `odd`, at most; in place they are left as they are, and count as done. */
const ODD_BYTES = 13_000_000;

/** Waits until some bytes of a restore are on the disk. */
export async function underWay({ host }: WizardWorld, id: JobId): Promise<void> {
  await until("some of it is there", async () => {
    const job = await host.job(id);
    return job.kind === "restore" && job.state === "running" && (job.progress?.bytes_done ?? 0) > ODD_BYTES;
  });
}

/** As a copy in a new folder is: with the owners go the rights to run as somebody else. */
export function withoutOwners(facts: Record<string, Fact>): Record<string, Fact> {
  const owner = `${process.getuid?.()}:${process.getgid?.()}`;
  return Object.fromEntries(
    Object.entries(facts).map(([path, fact]) => [
      path,
      { ...fact, owner, mode: fact.type === "file" ? fact.mode & 0o777 : fact.mode },
    ]),
  );
}

/** All there is to know of a copy of `data`: contents, metadata, which files are one, and whether holes are holes. */
export function wholeOf(data: string) {
  const sparse = statSync(join(data, "odd/sparse"));
  return {
    facts: factsOf(data),
    hardLinked: statSync(join(data, "odd/links/file")).ino === statSync(join(data, "odd/links/hard")).ino,
    holes: sparse.blocks * 512 < sparse.size / 2,
  };
}
