import { AxeBuilder } from "@axe-core/playwright";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { AXE_RULES, CHROMIUM, CHROMIUM_FLAGS } from "./chromium.ts";

/** The console's own components, in every state, in a real browser: no server is needed for these. */

const CONSOLE = join(import.meta.dirname, "../console");

let vite: Bun.Subprocess<"ignore", "pipe", "inherit">;
let address = "";
let folder = "";
const said: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rm-gallery-"));
  const port = freePort();
  vite = Bun.spawn(["bun", "--bun", "vite", "--port", String(port), "--strictPort"], {
    cwd: CONSOLE,
    stdin: "ignore",
    stdout: "pipe",
  });
  for await (const chunk of vite.stdout) if (new TextDecoder().decode(chunk).includes("ready in")) break;
  address = `http://127.0.0.1:${port}/gallery.html`;
}, 60_000);

afterAll(async () => {
  vite.kill();
  await vite.exited;
  rmSync(folder, { recursive: true, force: true });
});

function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

async function browse(scheme: "light" | "dark", width: number): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(mkdtempSync(join(folder, "profile-")), {
    executablePath: CHROMIUM,
    args: CHROMIUM_FLAGS,
    colorScheme: scheme,
    viewport: { width, height: 844 },
    reducedMotion: "reduce",
  });
  context.on("page", (page) => {
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") said.push(message.text());
    });
    page.on("pageerror", (error) => said.push(error.message));
  });
  return context;
}

async function open(context: BrowserContext, query: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(address + query);
  await page.waitForSelector("h1");
  return page;
}

describe.each(["light", "dark"] as const)("in %s", (scheme) => {
  test.each([1440, 390])(
    "at %d px nothing is hard to use, nothing scrolls sideways and the browser has nothing to complain of",
    async (width) => {
      const context = await browse(scheme, width);
      try {
        for (const show of ["", "?show=fleet", "?show=job", "?show=sign-in", "?show=set-up"]) {
          const page = await open(context, show);
          const { violations } = await new AxeBuilder({ page }).withTags(AXE_RULES).analyze();
          expect({ show, violations: violations.map(({ id, nodes }) => [id, nodes[0]?.html]) }).toEqual({
            show,
            violations: [],
          });
          expect(
            await page.evaluate("document.documentElement.scrollWidth - innerWidth"),
          ).toBeLessThanOrEqual(0);
          await page.close();
        }
        expect(said.splice(0)).toEqual([]);
      } finally {
        await context.close();
      }
    },
    120_000,
  );
});

describe("the parts at work", () => {
  let context: BrowserContext;
  beforeAll(async () => {
    context = await browse("light", 1440);
  }, 60_000);
  afterAll(() => context.close());

  test("ten thousand hosts are a page of at most a hundred rows, walked with j and k", async () => {
    const page = await open(context, "?show=fleet&hosts=10000");
    expect(await page.locator("[data-row-link]").count()).toBeLessThan(100);
    for (const key of ["j", "j", "j", "k"]) await page.keyboard.press(key);
    expect(await page.evaluate("document.activeElement.textContent")).toBe("web-fra-02");
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
    await page.getByText("pos-ber-10000").waitFor();
    await page.close();
  }, 60_000);

  test("a click anywhere in a row opens it, and the slash goes to the filter", async () => {
    const page = await open(context, "?show=fleet");
    await page.getByRole("row", { name: /nas-oslo-03/ }).click({ position: { x: 700, y: 18 } });
    expect(page.url()).toEndWith("/hosts/host-2");
    await page.goBack();
    await page.keyboard.press("/");
    await page.keyboard.type("kiosk-osl-11");
    await page.getByText("1 row", { exact: true }).waitFor();
    await page.close();
  }, 60_000);

  test("the log follows, stops when the reader scrolls up, counts what came, and follows again", async () => {
    const page = await open(context, "?show=job&lines=3000");
    await page.getByText("#3000").waitFor();
    const log = page.getByRole("log");
    await log.hover();
    await page.mouse.wheel(0, -2_000);
    await page.getByRole("button", { name: "Follow", exact: true }).waitFor();
    await page.evaluate(
      "madeUpLog.add({ lines: Array.from({ length: 142 }, (_, i) => madeUpLine(3000 + i)), gaps: [] })",
    );
    await page.getByRole("button", { name: "142 new lines" }).click();
    await page.getByText("#3142").waitFor();
    await page.getByRole("button", { name: "Following" }).waitFor();
    await page.close();
  }, 60_000);

  test("an address leads to its line, deep in a million", async () => {
    const page = await open(context, "?show=job&lines=1000000&phase=complete#L123456");
    await page.locator("#L123456").waitFor();
    expect(await page.locator("#L123456").textContent()).toContain("#123456");
    expect(await page.locator("[id^=L]").count()).toBeLessThan(200);
    await page.close();
  }, 60_000);

  test("a search shows only the lines it finds, in a log longer than the page keeps", async () => {
    const page = await open(context, "?show=job&lines=200000&phase=complete");
    await page.getByRole("searchbox", { name: "Search this log" }).fill("#77777");
    await page.getByText("1 of 200,000 lines", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Show all lines" }).click();
    await page.getByText("1 of 200,000 lines").waitFor({ state: "detached" });
    await page.close();
  }, 60_000);

  test("the palette finds a host by its name and closes with Escape", async () => {
    const page = await open(context, "?show=fleet");
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.type("pos-ber-04");
    await page.getByRole("dialog").getByText("Issues · Debian 12").waitFor();
    await page.keyboard.press("Enter");
    expect(page.url()).toEndWith("/hosts/host-3");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.close();
  }, 60_000);
});
