import { AxeBuilder } from "@axe-core/playwright";
import { expect } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import type { Role } from "@restic-manager/protocol/api/session";
import type { JobId } from "@restic-manager/protocol/ids";
import { encodeLogLine, type LogLine } from "@restic-manager/protocol/log-lines";
import { growLog, insertChunk } from "@restic-manager/server/jobs/log-store";
import { serveConsole } from "@restic-manager/server/platform/http/console-assets";
import { manifestOf } from "@restic-manager/server/platform/http/console-manifest";
import { NOON } from "@restic-manager/server/testing/rows";
import { startTestServer, type TestServer } from "@restic-manager/server/testing/server";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { buildConsole } from "../script/trial/built-console.ts";
import { AXE_RULES, CHROMIUM, CHROMIUM_FLAGS } from "./chromium.ts";
import { cuttable, type Cuttable } from "./cuttable.ts";

export interface Look {
  scheme?: "light" | "dark";
  width?: number;
  /** Signed in as that, an admin unless told; null for nobody. */
  role?: Role | null;
}

/** A server with the console as it is shipped, behind a network that can be cut, and browsers at noon of its clock. */
export interface ConsoleWorld {
  server: TestServer;
  network: Cuttable;
  browse: (look?: Look) => Promise<BrowserContext>;
  /** What browsers complained of since it was last asked. */
  complaints: () => string[];
  /** Adds lines to a job's log, as an agent's chunk would. */
  log: (jobId: JobId, firstLine: number, lines: readonly Omit<LogLine, "at">[]) => Promise<void>;
  stop: () => Promise<void>;
}

export async function startConsoleWorld(): Promise<ConsoleWorld> {
  const folder = mkdtempSync(join(tmpdir(), "rm-console-"));
  const dist = join(folder, "dist");
  buildConsole(dist);
  const server = await startTestServer({ pages: serveConsole(manifestOf(dist)) });
  const network = cuttable(server.url);
  const said: string[] = [];
  const { db, bus } = server.parts;

  return {
    server,
    network,
    complaints: () => said.splice(0),
    async browse({ scheme = "light", width = 1440, role = "admin" } = {}) {
      const context = await chromium.launchPersistentContext(mkdtempSync(join(folder, "profile-")), {
        executablePath: CHROMIUM,
        args: CHROMIUM_FLAGS,
        colorScheme: scheme,
        viewport: { width, height: 900 },
        reducedMotion: "reduce",
        timezoneId: "UTC",
      });
      await context.clock.setFixedTime(NOON);
      if (role !== null) {
        const [name = "", value = ""] = (await server.signedInAs(role)).split("=");
        await context.addCookies([{ name, value, url: network.url }]);
      }
      context.on("page", (page) => {
        page.on("console", (message) => {
          if (message.type() === "error" || message.type() === "warning") said.push(message.text());
        });
        page.on("pageerror", (error) => said.push(error.message));
      });
      return context;
    },
    async log(jobId, firstLine, lines) {
      const raw = lines
        .map((line, n) => encodeLogLine({ ...line, at: NOON + (firstLine + n) * 1_000 }))
        .join("");
      await db.transaction().execute(async (trx) => {
        await insertChunk(trx, jobId, {
          first_line: firstLine,
          count: lines.length,
          raw_size: Buffer.byteLength(raw),
          data: zstdCompressSync(raw),
        });
        await growLog(trx, jobId, firstLine + lines.length, 0);
      });
      bus.publish("job.log", { jobId });
      // Viewers are told of more lines at most so often.
      server.clock.advance(250);
    },
    async stop() {
      network.stop();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Opens an address of the console and waits for its heading. */
export async function open(context: BrowserContext, world: ConsoleWorld, path: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(world.network.url + path);
  await page.locator("h1").waitFor();
  return page;
}

/** Another scheme and width for a page that is open; returns once it is painted. */
export async function changeLook(page: Page, { scheme, width }: Required<Pick<Look, "scheme" | "width">>) {
  await page.emulateMedia({ colorScheme: scheme });
  await page.setViewportSize({ width, height: 900 });
  await page.locator(`html[data-mantine-color-scheme=${scheme}]`).waitFor();
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
}

/** Nothing is hard to use and nothing scrolls sideways. `path` names the page when it fails. */
export async function expectUsable(page: Page, path: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(AXE_RULES).analyze();
  const found = violations.map(({ id, nodes }) => [id, nodes[0]?.html]);
  const sideways = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
  expect({ path, found, sideways: Math.max(0, sideways) }).toEqual({ path, found: [], sideways: 0 });
}
