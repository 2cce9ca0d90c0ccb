import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { chromium, type BrowserContext, type Locator, type Page } from "playwright-core";
import { CHROMIUM, CHROMIUM_FLAGS } from "../chromium.ts";
import { ADMIN } from "./server-process.ts";
import type { Stage } from "./stage.ts";

/** How long any one step may take on a busy machine. */
const PATIENCE_MS = 90_000;

/** A person at the console of a stage's server, signed in as its administrator, in a real browser. */
export class ConsoleOnStage {
  readonly page: Page;
  readonly #origin: string;
  readonly #browser: BrowserContext;
  readonly #complaints: string[];

  static async open(stage: Stage): Promise<ConsoleOnStage> {
    const browser = await chromium.launchPersistentContext(mkdtempSync(join(stage.folder, "profile-")), {
      executablePath: CHROMIUM,
      args: CHROMIUM_FLAGS,
      viewport: { width: 1440, height: 900 },
      reducedMotion: "reduce",
    });
    browser.setDefaultTimeout(PATIENCE_MS);
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    const console = new ConsoleOnStage(page, browser, stage.server.origin, complaints);
    await console.#signIn();
    return console;
  }

  private constructor(page: Page, browser: BrowserContext, origin: string, complaints: string[]) {
    this.page = page;
    this.#browser = browser;
    this.#origin = origin;
    this.#complaints = complaints;
  }

  async #signIn(): Promise<void> {
    await this.page.goto(`${this.#origin}/sign-in`);
    await this.page.getByLabel("User name").fill(ADMIN.username);
    await this.page.getByLabel("Password", { exact: true }).fill(ADMIN.password);
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await this.page.getByRole("heading", { name: "Fleet" }).waitFor();
  }

  async goto(path: string): Promise<void> {
    await this.page.goto(this.#origin + path);
    await this.page.locator("h1").waitFor();
  }

  /** The button with exactly that name, as a screen reader says it. */
  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** Opens the job that a press of a button has just queued, and waits until it is over. Gives its id. */
  async openQueued(): Promise<string> {
    await this.page.getByRole("link", { name: "open the job", exact: true }).last().click();
    return await this.jobIsOver();
  }

  /** Presses what runs the same sort of job once more, and waits until that one is over. Gives its id. */
  async again(name: string): Promise<string> {
    const before = this.page.url();
    await this.button(name).click();
    await this.page.waitForURL((url) => url.href !== before);
    return await this.jobIsOver();
  }

  /** On a job's page: an end that it shows by itself, without a reload. */
  async jobIsOver(): Promise<string> {
    await this.page.waitForURL(/\/jobs\/[0-9A-Za-z]+$/);
    const id = this.page.url().split("/").at(-1) ?? "";
    // As its crumb names it: the address changes before the page does.
    await this.page.getByText(`${id.slice(0, 5)}…${id.slice(-4)}`).waitFor();
    await this.page.getByRole("button", { name: /^(Back up|Forget|Prune|Check|Unlock) again$/ }).waitFor();
    return id;
  }

  /** What the browser complained of since it was last asked. */
  complaints(): string[] {
    return this.#complaints.splice(0);
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}
