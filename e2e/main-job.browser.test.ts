import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { build } from "../script/build.ts";
import { house } from "../script/files.ts";
import { Program } from "../script/trial/program.ts";
import { proveBackup } from "../script/trial/proof.ts";
import { startRestServers, type RestServers } from "../script/trial/rest-servers.ts";
import { found, freePort } from "../script/trial/stage.ts";
import { CHROMIUM, CHROMIUM_FLAGS } from "./chromium.ts";

/** How long any one step may take on a busy machine. */
const PATIENCE_MS = 60_000;
const FILES = 2_000;

let folder: string;
let source: string;
let origin: string;
let setupUrl: string;
let rest: RestServers;
let browser: BrowserContext;
const programs: Program[] = [];
const complaints: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rm-main-job-"));
  source = join(folder, "data");
  for (let i = 0; i < FILES; i += 1) {
    const below = join(source, `folder-${i % 40}`);
    mkdirSync(below, { recursive: true });
    writeFileSync(join(below, `file-${i}.txt`), `file ${i}\n`.repeat(1 + (i % 50)));
  }
  if (!existsSync(join(house, "dist", "SHA256SUMS"))) await build({ root: house, fast: true });
  mkdirSync(join(folder, "rest"));
  rest = await startRestServers(found("RM_TEST_REST_SERVER", "rest-server"), join(folder, "rest"));
  const port = await freePort(0);
  origin = `http://127.0.0.1:${port}`;
  const server = new Program({
    name: "the server",
    argv: [join(house, "dist", "restic-manager-server")],
    cwd: folder,
    env: { RM_LISTEN: `127.0.0.1:${port}`, RM_DATA_DIR: join(folder, "server"), RM_COOKIE_SECURE: "false" },
    logFile: join(folder, "server.log"),
  });
  programs.push(...rest.programs, server);
  [setupUrl = ""] = await server.says(/http:\S+\/setup\?token=\S+/);
  browser = await chromium.launchPersistentContext(join(folder, "profile"), {
    executablePath: CHROMIUM,
    args: CHROMIUM_FLAGS,
    viewport: { width: 1440, height: 900 },
    reducedMotion: "reduce",
  });
  browser.setDefaultTimeout(PATIENCE_MS);
  browser.on("page", (page) => {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
  });
}, 120_000);

afterAll(async () => {
  await browser?.close();
  for (const program of programs.toReversed()) await program.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** The value of a field that is there to be copied. */
const copied = (page: Page, label: string): Promise<string> =>
  page.getByText(label, { exact: true }).locator("xpath=following-sibling::div//code").innerText();

test("a newcomer sets the server up, adds this machine, backs it up, watches the log, and finds the snapshot", async () => {
  const restic = found("RM_TEST_RESTIC", "restic");
  const page = await browser.newPage();

  // A first visit, before anybody can sign in: nothing on the page may complain.
  await page.goto(origin);
  await page.waitForURL(/\/sign-in/);
  await page.goto(setupUrl);
  await page.getByLabel("User name").fill("ada");
  await page.getByLabel("Password", { exact: true }).fill("a long enough password");
  await page.getByLabel("Public address").fill(origin);
  await page.getByLabel("I have a copy of that file off this machine").check();
  await page.getByRole("button", { name: "Create the administrator and sign in" }).click();

  await page.getByRole("link", { name: "Add host" }).first().click();
  await page.getByLabel("Host name").fill("newcomer");
  await page.getByLabel("Folders to back up").fill(source);
  await page.getByLabel("Repository address").fill(`${rest.everydayUrl}newcomer/`);
  await page.getByLabel("User name at the rest-server").fill("newcomer");
  await page.locator("form button[type=submit]").click();

  await page.getByText("Waiting for newcomer").waitFor();
  rest.admit(await copied(page, "Line for the rest-server's .htpasswd"));
  const credentials = {
    password: await copied(page, "One-time password"),
    repositoryPassword: await copied(page, "Repository password"),
  };
  const root = join(folder, "root");
  const installed = Bun.spawnSync(["/bin/sh", "-c", await copied(page, "Install command")], {
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", RM_ROOT: root },
    stdout: "pipe",
    stderr: "pipe",
  });
  expect({ code: installed.exitCode, said: installed.stderr.toString() }).toEqual({
    code: 0,
    said: expect.not.stringContaining("install.sh:"),
  });
  const agent = new Program({
    name: "the agent",
    argv: [
      join(root, "usr/local/bin/restic-manager-agent"),
      "run",
      `--config-dir=${join(root, "etc/restic-manager-agent")}`,
      `--state-dir=${join(root, "var/lib/restic-manager-agent")}`,
    ],
    // The newcomer's machine has restic installed.
    env: { PATH: `${dirname(restic)}:${process.env["PATH"] ?? "/usr/bin:/bin"}` },
    logFile: join(folder, "agent.log"),
  });
  programs.push(agent);

  await page.getByText("newcomer is connected").waitFor();
  await page.getByRole("button", { name: "Back up now" }).click();
  await page.waitForURL(/\/jobs\//);
  await page.getByText(/snapshot [0-9a-f]{8} saved/).waitFor();
  await page.getByText("Succeeded").first().waitFor();

  await page.getByRole("link", { name: "newcomer" }).first().click();
  await page
    .getByRole("link", { name: /^Snapshots/ })
    .or(page.getByRole("tab", { name: /^Snapshots/ }))
    .first()
    .click();
  await page.getByText("default").first().waitFor();

  await page.goto(origin);
  await page.getByRole("link", { name: "newcomer" }).first().waitFor();
  await page.getByText("Protected").first().waitFor();
  expect(complaints).toEqual([]);

  const proof = await proveBackup(
    {
      program: restic,
      url: `${rest.everydayUrl}newcomer/`,
      username: "newcomer",
      ...credentials,
    },
    source,
    folder,
  );
  expect(proof).toContain("byte for byte");
}, 240_000);
