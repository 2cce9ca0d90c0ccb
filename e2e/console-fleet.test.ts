import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { HostId } from "@restic-manager/protocol/ids";
import { refreshHost } from "@restic-manager/server/hosts/refresh";
import { insertStep } from "@restic-manager/server/enrolment/store";
import { EnrollmentId } from "@restic-manager/protocol/ids";
import type { BrowserContext, Locator, Page } from "playwright-core";
import { addFleet } from "./console-fleet-hosts.ts";
import { expectUsable, open, startConsoleWorld, type ConsoleWorld, type Look } from "./console-world.ts";

/** The console's first hour in a real browser against a real server: set-up, an empty fleet, a first machine, then hundreds. */

/** Gzipped JavaScript that the first page may need. */
const FIRST_ROUTE_BYTES = 230_000;
/** Browsers report every answer that is not a success, also one that a form then explains. */
const ANSWERED = /the server responded with a status of 4\d\d/;

async function inBrowser(world: ConsoleWorld, look: Look, act: (context: BrowserContext) => Promise<void>) {
  const context = await world.browse(look);
  try {
    await act(context);
  } finally {
    await context.close();
  }
}

/** Lets the server's clock go on until something is seen: it gathers changes by that clock. */
async function see(world: ConsoleWorld, wanted: Locator): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    world.server.clock.advance(100);
    if (await wanted.isVisible()) return;
    await wanted.page().waitForTimeout(50);
  }
  await wanted.waitFor({ timeout: 1_000 });
}

describe("a new server", () => {
  let world: ConsoleWorld;
  beforeAll(async () => {
    world = await startConsoleWorld();
  }, 120_000);
  afterAll(() => world.stop());

  test("leads from the one-time link over sign-out and sign-in to a first machine that turns green", async () => {
    await inBrowser(world, { role: null }, async (context) => {
      const setUp = new URL(world.server.setupUrl ?? "");
      const page = await open(context, world, setUp.pathname + setUp.search);
      await expectUsable(page, "/setup");
      await page.getByLabel("User name").fill("m.thiel");
      await page.getByLabel("Password", { exact: true }).fill("correct horse");
      await page.getByLabel("I have a copy").check();
      await page.getByRole("button", { name: "Create the administrator" }).click();
      await page.getByText("Add the first machine").waitFor();
      await expectUsable(page, "/");

      await page.getByRole("button", { name: "m.thiel" }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).click();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      await page.getByLabel("User name").fill("m.thiel");
      await page.getByLabel("Password", { exact: true }).fill("wrong");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("alert").waitFor();
      expect(await page.getByLabel("User name").inputValue()).toBe("m.thiel");
      await page.getByLabel("Password", { exact: true }).fill("correct horse");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("link", { name: "Add host" }).click();

      await addWrongly(page);
      await page.getByLabel("Host name").fill("db-ams-04");
      await page.getByLabel("Folders to back up").fill("");
      await page.getByLabel("Repository address").fill("rest:http://127.0.0.1:8000/db-ams-04/");
      await page.getByLabel("User name").fill("db-ams-04");
      await page.getByRole("button", { name: "Make the install command" }).click();
      await page.getByText("Waiting for db-ams-04").waitFor();
      const command = (await page.locator("code", { hasText: "install.sh" }).textContent()) ?? "";
      expect(await page.locator("code", { hasText: "db-ams-04:$2y$" }).count()).toBe(1);
      await expectUsable(page, "/hosts/add?enrollment");

      await arrive(world, page, command);
      await see(world, page.getByText("db-ams-04 is connected"));
      expect(await page.getByText("Agent connected").count()).toBe(1);
      await page.reload();
      await page.getByText("db-ams-04 is connected").waitFor();
      expect(await page.locator("code", { hasText: "$2y$" }).count()).toBe(0);
      await page.getByRole("button", { name: "Back up now" }).click();
      await page.waitForURL(/\/jobs\/0/);
    });
    expect(world.complaints().filter((line) => !ANSWERED.test(line))).toEqual([]);
  }, 120_000);
});

/** What the server refuses is said at each field, and nothing that was written is lost. */
async function addWrongly(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Make the install command" }).click();
  await page.getByText("Enter the machine's name").waitFor();
  await page.getByLabel("Host name").fill("db ams!");
  await page.getByLabel("Repository address").fill("ftp://vault/");
  await page.getByLabel("Folders to back up").fill("/etc\nsrv");
  await page.getByRole("button", { name: "Make the install command" }).click();
  await page.getByText("3 fields need another look").waitFor();
  await page.getByText("Folder 2 must be an absolute path").waitFor();
  expect(await page.getByLabel("Host name").inputValue()).toBe("db ams!");
  await expectUsable(page, "/hosts/add with errors");
}

/** What an agent does first, without the agent. */
async function arrive({ server }: ConsoleWorld, page: Page, command: string): Promise<void> {
  const token = /RM_TOKEN=([^\s']+)/.exec(command)?.[1] ?? "";
  const answer = await server.ask("/api/agents/enroll", {
    json: {
      token,
      hostname: "db-ams-04",
      machine_id: "m1",
      os: "linux",
      os_name: "Debian GNU/Linux 12 (bookworm)",
      arch: "x64",
      agent_version: "0.1.0",
    },
  });
  expect(answer.status).toBe(201);
  const id = EnrollmentId.parse(new URL(page.url()).searchParams.get("enrollment"));
  await insertStep(server.parts.db, id, "connected", server.clock.now(), null);
  server.parts.bus.publish("enrollment.changed", { enrollmentId: id });
}

/** What is there once a page has its data. */
const SHOWS: Readonly<Record<string, string | RegExp>> = {
  "/": "Repository server is full",
  "/?status=failed": "14 of 260 hosts",
  "/?search=nothing": "No host matches this filter.",
  "/jobs": "611 MiB new",
  "/hosts/add": "The passwords are made for you",
};

describe("a fleet of hundreds", () => {
  const HOSTS = 260;
  let world: ConsoleWorld;
  let hosts: HostId[] = [];
  beforeAll(async () => {
    world = await startConsoleWorld();
    hosts = await addFleet(world.server.parts.db, HOSTS);
  }, 180_000);
  afterAll(() => world.stop());
  afterEach(() => expect(world.complaints().filter((line) => !ANSWERED.test(line))).toEqual([]));

  test.each([
    ["light", 1440],
    ["light", 390],
    ["dark", 1440],
    ["dark", 390],
  ] as const)(
    "in %s at %d px nothing is hard to use and nothing scrolls sideways",
    async (scheme, width) => {
      await inBrowser(world, { scheme, width }, async (context) => {
        for (const path of Object.keys(SHOWS)) {
          const page = await open(context, world, path);
          await page
            .getByText(SHOWS[path] ?? "")
            .first()
            .waitFor();
          await expectUsable(page, path);
          await page.close();
        }
        const page = await open(context, world, "/");
        await page.keyboard.press("?");
        await page.getByRole("dialog", { name: "Keys" }).waitFor();
        await expectUsable(page, "the keys");
        await page.keyboard.press("Escape");
        await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "detached" });
      });
    },
    120_000,
  );

  test("needs little for its first page", async () => {
    await inBrowser(world, {}, async (context) => {
      const page = await context.newPage();
      // One file may be both preloaded and run.
      const scripts = new Map<string, Promise<number>>();
      page.on("response", (response) => {
        const { pathname } = new URL(response.url());
        if (!pathname.endsWith(".js") || scripts.has(pathname)) return;
        scripts.set(
          pathname,
          response.body().then((body) => gzipSync(body).length),
        );
      });
      await page.goto(world.network.url);
      await page.getByRole("table", { name: "Hosts" }).waitFor();
      const sizes = await Promise.all(scripts.values());
      expect(sizes.length).toBeGreaterThan(1);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(FIRST_ROUTE_BYTES);
    });
  }, 60_000);

  test("is filtered, searched and ordered by the server, in an address that can be sent to a colleague", async () => {
    await inBrowser(world, {}, async (context) => {
      const page = await open(context, world, "/");
      await page.getByRole("button", { name: /^Failed/ }).click();
      await page.waitForURL("**/?status=failed");
      await page.getByText(`14 of ${HOSTS} hosts`).waitFor();
      await page.goBack();
      await page.getByText("Problems", { exact: false }).first().waitFor();
      await page.getByRole("link", { name: /Backed up in the last 24 h/ }).click();
      await page.waitForURL("**/?backed_up=24h");
      await page.getByRole("button", { name: "Host", exact: true }).click();
      await page.waitForURL("**/?backed_up=24h&sort=name");
      await page.getByRole("link", { name: "Clear the filter" }).click();
      await page.keyboard.press("/");
      await page.keyboard.type("kiosk-cph");
      await page.waitForURL("**search=kiosk-cph**");
      const name = page.getByRole("row", { name: /kiosk-cph-/ }).first();
      await name.waitFor();
      await page.reload();
      await name.waitFor();
      expect(await page.getByLabel("Filter by name").inputValue()).toBe("kiosk-cph");
      await page.getByLabel("Filter by name").fill("no-such-host");
      await page.getByText("No host matches this filter.").waitFor();
      await page.getByText(`${HOSTS} are hidden by it.`).waitFor();
    });
  }, 60_000);

  test("loads the next page while it is scrolled, and only rows in view exist", async () => {
    await inBrowser(world, {}, async (context) => {
      const page = await open(context, world, "/?sort=name");
      await page.getByText(`200 rows of ${HOSTS}`).waitFor({ state: "attached" });
      for (let tries = 0; tries < 20; tries += 1) {
        // The page grows while it is scrolled.
        await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
        if (
          await page
            .getByText(/^web-osl-/)
            .last()
            .isVisible()
        )
          break;
        await page.waitForTimeout(100);
      }
      await page
        .getByText(/^web-osl-/)
        .last()
        .waitFor();
      expect(await page.locator("[data-row-link]").count()).toBeLessThan(100);
    });
  }, 60_000);

  test("starts a backup from a row, shows what the server says of it, and says at the row what it refuses", async () => {
    const { db } = world.server.parts;
    const [, , , , , , , , fine, bare] = hosts;
    if (fine === undefined || bare === undefined) throw new Error("the fleet is too small");
    const nameOf = async (id: HostId) =>
      (await db.selectFrom("hosts").select("name").where("id", "=", id).executeTakeFirstOrThrow()).name;
    const [fineName, bareName] = [await nameOf(fine), await nameOf(bare)];
    await db.deleteFrom("repository_credentials").where("host_id", "=", bare).execute();
    await inBrowser(world, { role: "operator" }, async (context) => {
      const page = await open(context, world, `/?search=${fineName}`);
      await page.getByText("Live", { exact: true }).waitFor();
      await page.getByRole("button", { name: `Back up ${fineName} now` }).click();
      await see(world, page.getByRole("row", { name: fineName }).getByText("Queued", { exact: true }));
      expect(
        await page.getByRole("button", { name: `${fineName}: a backup is queued already` }).isDisabled(),
      ).toBe(true);
      await page.goto(`${world.network.url}/?search=${bareName}`);
      await page.getByRole("button", { name: `Back up ${bareName} now` }).click();
      await page.getByRole("row").getByRole("alert").waitFor();
    });
    await inBrowser(world, { role: "viewer" }, async (context) => {
      const page = await open(context, world, `/?search=${fineName}`);
      await page.getByRole("row", { name: fineName }).waitFor();
      expect(await page.getByRole("button", { name: /^Back up/ }).count()).toBe(0);
      expect(await page.getByRole("link", { name: "Add host" }).count()).toBe(0);
    });
  }, 90_000);

  test("changes in place, and keeps its order while somebody points into it", async () => {
    const { db, bus } = world.server.parts;
    const id = HostId.parse(hosts[10]);
    const { name } = await db
      .selectFrom("hosts")
      .select("name")
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    await inBrowser(world, {}, async (context) => {
      const page = await open(context, world, "/");
      await page.getByText("Live", { exact: true }).waitFor();
      const first = page.getByRole("row").nth(1);
      await first.waitFor();
      const before = await first.getByRole("link").textContent();
      await first.hover();
      await db
        .updateTable("hosts")
        .set({ restic_state: "missing", restic_version: null })
        .where("id", "=", id)
        .execute();
      await db.transaction().execute((trx) => refreshHost(trx, id));
      bus.publish("host.changed", { hostId: id });
      await see(world, page.getByText("1 row changed"));
      expect(await first.getByRole("link").textContent()).toBe(before);
      await page.getByRole("button", { name: "Update" }).click();
      await page.getByText("1 row changed").waitFor({ state: "detached" });
      await page.getByRole("button", { name: /^No restic/ }).click();
      await page.getByRole("row", { name: new RegExp(name) }).waitFor();
    });
  }, 60_000);

  test("says since when it is cut off, and goes on by itself", async () => {
    await inBrowser(world, {}, async (context) => {
      const page = await open(context, world, "/");
      await page.getByText("Live", { exact: true }).waitFor();
      world.network.open = false;
      world.network.cut();
      await page.getByText("Reconnecting, data from 12:00").waitFor();
      expect(await page.getByRole("row").count()).toBeGreaterThan(10);
      world.network.open = true;
      await page.getByText("Live", { exact: true }).waitFor();
    });
    // What a browser says of a network that is gone.
    world.complaints();
  }, 60_000);

  test("leads to sign in when the session is over, and back to the same page", async () => {
    const { db } = world.server.parts;
    await inBrowser(world, {}, async (context) => {
      const page = await open(context, world, "/?status=failed");
      await page.getByText("Live", { exact: true }).waitFor();
      await db.deleteFrom("sessions").execute();
      // So often the server looks whether the sessions of open streams still live.
      world.server.clock.advance(10_000);
      await see(world, page.getByRole("heading", { name: "Sign in" }));
      expect(new URL(page.url()).searchParams.get("next")).toBe("/?status=failed");
    });
  }, 60_000);

  test("is found from the keyboard", async () => {
    await inBrowser(world, {}, async (context) => {
      const page = await open(context, world, "/");
      await page.keyboard.press("g");
      await page.keyboard.press("j");
      await page.getByRole("heading", { name: "Jobs" }).waitFor();
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.type("erp-ham");
      await page
        .getByRole("dialog")
        .getByText(/^erp-ham-/)
        .first()
        .waitFor();
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/hosts\/0/);
    });
  }, 60_000);
});
