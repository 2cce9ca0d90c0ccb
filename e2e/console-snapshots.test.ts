import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import type { SeededHost } from "./console-hosts.ts";
import { addChosen, finish, found, newestInput, report } from "./console-chosen.ts";
import { addHistory, CHANGES, COMPARED, COMPARING, snapshotId, UNUSUAL } from "./console-snapshot-rows.ts";
import { everyLook, startTabsWorld, type TabsWorld } from "./console-tabs.ts";
import { changeLook, expectUsable } from "./console-world.ts";

/** A host's snapshots, what is done with chosen ones, and what a comparison found, in a real browser against a real server. */

const PATIENCE_MS = 240_000;
let world: TabsWorld;
let host: SeededHost & { name: string; count: number };

beforeAll(async () => {
  world = await startTabsWorld();
  host = await addHistory(world, "db-fra-01");
}, PATIENCE_MS);
afterAll(() => world?.stop(), PATIENCE_MS);
afterEach(() => expect(world.complaints()).toEqual([]));

const tab = (more = "") => `/hosts/${host.id}?tab=snapshots${more}`;
const short = (n: number) => snapshotId(n).slice(0, 8);
const rows = (page: Page) => page.getByRole("table", { name: `Snapshots of ${host.name}` }).getByRole("row");
const choose = (page: Page, n: number) =>
  page.getByRole("checkbox", { name: `Select snapshot ${short(n)}` }).check();
const bar = (page: Page) => page.getByRole("region", { name: "Selected snapshots" });
const foot = (page: Page, words: string) => page.getByText(words, { exact: true }).waitFor();

test(
  "snapshots are found by tag, path, day and what is unusual, sorted, and all of it stands in the address",
  async () => {
    await world.inBrowser("operator", tab(), async (page) => {
      await foot(page, `${host.count} rows`);
      await everyLook(page, "snapshots");
      await page.getByRole("button", { name: "databases" }).click();
      await foot(page, "28 rows");
      await page.getByRole("button", { name: /^All/ }).click();
      await page.keyboard.press("/");
      await page.keyboard.type("postgresql ");
      await foot(page, "28 rows");
      expect(new URL(page.url()).searchParams.get("q")).toBe("postgresql");
      await page.getByRole("searchbox").fill("no such thing");
      await page.getByText(`No snapshot matches this filter. ${host.count} are hidden by it.`).waitFor();
      await page.getByRole("link", { name: "Clear the filter" }).click();
      await foot(page, `${host.count} rows`);
      expect(await page.getByRole("searchbox").inputValue()).toBe("");
      await page.getByRole("button", { name: /^20 Nov 2026: 3 snapshots/ }).click();
      await foot(page, "3 rows");
      await page.reload();
      await foot(page, "3 rows");
      await page.getByRole("link", { name: "Show all days" }).click();
      await page.getByRole("button", { name: /^Unusual/ }).click();
      await foot(page, "1 row");
      await rows(page)
        .nth(1)
        .getByRole("link", { name: short(UNUSUAL + 1), exact: true })
        .waitFor();
      await page.getByRole("button", { name: /^All/ }).click();
      for (const [title, fact] of [
        ["Added", "added"],
        ["Files", "files"],
        ["Took", "duration"],
      ] as const) {
        await page.getByRole("columnheader", { name: title, exact: true }).getByRole("button").click();
        expect(new URL(page.url()).searchParams.get("sort")).toBe(fact);
      }
      await page.getByRole("columnheader", { name: "Added" }).getByRole("button").click();
      await page.getByRole("columnheader", { name: "Added" }).getByRole("button").click();
      await page.locator("[aria-sort=descending]").getByText("Added").waitFor();
      const largest = rows(page)
        .nth(1)
        .getByRole("link", { name: short(UNUSUAL + 1), exact: true });
      await largest.waitFor();
      // A phone has no column titles.
      await changeLook(page, { scheme: "light", width: 390 });
      await page.getByRole("button", { name: "Descending" }).click();
      await largest.waitFor({ state: "detached" });
      await page.getByLabel("Sort by").selectOption("Size");
      const { searchParams } = new URL(page.url());
      expect([searchParams.get("sort"), searchParams.get("order")]).toEqual(["size", "asc"]);
      await expectUsable(page, "snapshots sorted on a phone");
    });
  },
  PATIENCE_MS,
);

test(
  "a filter that is chosen further down leaves the page where it was scrolled to",
  async () => {
    await world.inBrowser("operator", tab(), async (page) => {
      await foot(page, `${host.count} rows`);
      await page.evaluate("scrollTo(0, 420)");
      await page.getByRole("columnheader", { name: "Size" }).getByRole("button").click();
      await page.locator("[aria-sort]").getByText("Size").waitFor();
      expect(await page.evaluate<number>("scrollY")).toBe(420);
    });
  },
  PATIENCE_MS,
);

test(
  "one snapshot has an address of its own: its facts, why it is marked, and what it is compared with",
  async () => {
    await world.inBrowser("operator", tab(`&snapshot=${short(UNUSUAL + 1)}&q=orders`), async (page) => {
      await page.getByRole("heading", { name: `Snapshot ${short(UNUSUAL + 1)}` }).waitFor();
      await page.getByText(/^96\.0 GiB added before compression, usually .* ordinary\.$/).waitFor();
      const other = page.getByLabel("Compare with");
      expect(await other.inputValue()).toBe(snapshotId(UNUSUAL + 2));
      await everyLook(page, "snapshot-open");
      await other.selectOption(snapshotId(4));
      await page.getByRole("button", { name: "Compare", exact: true }).click();
      await page.getByRole("heading", { name: /^Comparing snapshots of/ }).waitFor();
      // The older one is where it starts, whichever was opened.
      expect(await newestInput(world, host, "diff")).toMatchObject({
        from: snapshotId(UNUSUAL + 1),
        to: snapshotId(4),
      });
      await page.goBack();
      await page.getByRole("link", { name: "Close" }).click();
      await foot(page, "120 rows");
    });
  },
  PATIENCE_MS,
);

test(
  "two chosen ones are compared, one with the one before it of the same tags",
  async () => {
    await world.inBrowser("operator", tab(), async (page) => {
      await choose(page, 201);
      await page.getByText(`the one before it is ${short(202)}`).waitFor();
      await everyLook(page, "snapshots-chosen");
      await choose(page, 1);
      await bar(page).getByRole("button", { name: "Compare the two" }).click();
      await page.getByRole("heading", { name: /^Comparing snapshots of/ }).waitFor();
      expect(await newestInput(world, host, "diff")).toMatchObject({
        from: snapshotId(1),
        to: snapshotId(201),
      });
    });
  },
  PATIENCE_MS,
);

test(
  "tags of chosen snapshots are changed, and what a filter hides is left alone",
  async () => {
    await world.inBrowser("operator", tab(), async (page) => {
      for (const n of [201, 202, 1]) await choose(page, n);
      await page.getByRole("button", { name: "databases" }).click();
      await bar(page).getByText("1 more is hidden by the filter and left alone").waitFor();
      await bar(page).getByRole("button", { name: "Change tags…" }).click();
      await page.getByText("They have databases, hourly.").waitFor();
      expect(await bar(page).getByRole("button", { name: "Change tags of 2 snapshots" }).isDisabled()).toBe(
        true,
      );
      await page.getByLabel("Add tags").fill("before-upgrade, keep,keep");
      await page.getByLabel("Take tags away").fill("hourly");
      await everyLook(page, "snapshots-tags");
      await page.getByLabel("Take tags away").press("Enter");
      await page.getByRole("heading", { name: /^Tagging snapshots of/ }).waitFor();
      expect(await newestInput(world, host, "tag")).toMatchObject({
        snapshot_ids: [snapshotId(201), snapshotId(202)],
        add: ["before-upgrade", "keep"],
        remove: ["hourly"],
      });
    });
  },
  PATIENCE_MS,
);

test(
  "chosen snapshots are forgotten only once the host's name is typed",
  async () => {
    await world.inBrowser("operator", tab(), async (page) => {
      for (const n of [1, 3]) await choose(page, n);
      await bar(page).getByRole("button", { name: "Forget…" }).click();
      await page.getByText(`2 snapshots of ${host.name} will be gone for good`).waitFor();
      const go = bar(page).getByRole("button", { name: "Forget 2 snapshots" });
      expect(await go.isDisabled()).toBe(true);
      await page.getByLabel(`Type ${host.name} to confirm`).fill(`${host.name}x`);
      expect(await go.isDisabled()).toBe(true);
      await everyLook(page, "snapshots-forget");
      await page.getByLabel(`Type ${host.name} to confirm`).fill(host.name);
      await go.click();
      await page.getByRole("heading", { name: /^Forgetting snapshots of/ }).waitFor();
      expect(await newestInput(world, host, "forget_snapshots")).toMatchObject({
        snapshot_ids: [snapshotId(1), snapshotId(3)],
      });
    });
  },
  PATIENCE_MS,
);

test(
  "a viewer sees every snapshot and may do nothing with them; a host without any says what comes first",
  async () => {
    await world.inBrowser("viewer", tab(`&snapshot=${short(1)}`), async (page) => {
      await foot(page, `${host.count} rows`);
      expect(await page.getByRole("checkbox").count()).toBe(0);
      expect(await page.getByLabel("Compare with").count()).toBe(0);
      expect(await page.getByRole("link", { name: /^Restore/ }).count()).toBe(0);
    });
    const bare = await world.seeded({ snapshot_count: 0 });
    await world.server.parts.db.deleteFrom("snapshots").where("host_id", "=", bare.id).execute();
    await world.inBrowser("operator", `/hosts/${bare.id}?tab=snapshots&snapshot=0123abcd`, async (page) => {
      await page.getByText("No snapshot yet").waitFor();
      await page.getByText("This snapshot is not in the list").waitFor();
      await everyLook(page, "snapshots-none");
    });
  },
  PATIENCE_MS,
);

test(
  "a comparison is told while it runs, then narrowed by kind, name and folder",
  async () => {
    const job = await addChosen(world, host, "diff", "running", { from: snapshotId(2), to: snapshotId(1) });
    const half = CHANGES.length / 2;
    await found(world, host, job, 0, half);
    await world.inBrowser("operator", `/jobs/${job}`, async (page) => {
      await page.getByText("Live", { exact: true }).waitFor();
      await foot(page, `${half} rows`);
      await report(world, host, job, COMPARING);
      await world.see(page.getByText("Compared for 41 s"));
      await page.getByRole("link", { name: short(2), exact: true }).waitFor();
      await everyLook(page, "compare-running");
      await page.mouse.move(0, 0);
      await found(world, host, job, half, CHANGES.length);
      await foot(page, `200 rows of ${CHANGES.length}`);
      await finish(world, host, job, { state: "succeeded", result: JSON.stringify(COMPARED) });
      await world.see(page.getByRole("heading", { name: "By folder" }));
      await everyLook(page, "compare-succeeded");
      // The next page comes as one scrolls to it.
      await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
      await foot(page, `${CHANGES.length} rows`);
      await page.getByRole("button", { name: /^Added/ }).click();
      await foot(page, "200 rows of 240");
      await page.getByRole("searchbox", { name: "Find by a part" }).fill("INV-8801");
      await foot(page, "10 rows");
      await page.getByRole("searchbox", { name: "Find by a part" }).fill("übersicht");
      await page.getByText("No change matches this filter.").waitFor();
      await page.getByRole("link", { name: "Clear the filter" }).click();
      await page.getByRole("link", { name: "/etc", exact: true }).click();
      await foot(page, "3 rows");
      await everyLook(page, "compare-folder");
      await page.reload();
      await foot(page, "3 rows");
      const gone = page.getByRole("link", { name: "/etc/cron.d/backup" });
      expect(await gone.getAttribute("href")).toBe(
        `/hosts/${host.id}/snapshots/${snapshotId(2)}/restore?at=%2Fetc%2Fcron.d`,
      );
      await page.getByRole("link", { name: "Show every folder" }).click();
      await page.getByRole("button", { name: "Show 8 more folders" }).click();
      await page.getByRole("link", { name: "/home/user-11/.cache" }).waitFor();
      await page.getByRole("button", { name: "Compare again" }).click();
      await page.waitForURL((url) => !url.pathname.endsWith(job));
      expect(await newestInput(world, host, "diff")).toMatchObject({
        from: snapshotId(2),
        to: snapshotId(1),
      });
    });
  },
  PATIENCE_MS,
);

test(
  "more changes than are kept are said to be more; a viewer sees how many and no names",
  async () => {
    const job = await addChosen(
      world,
      host,
      "diff",
      "succeeded",
      { from: snapshotId(2), to: snapshotId(1) },
      {
        ...COMPARED,
        counts: { ...COMPARED.counts, added: 1_204_331 },
        truncated: true,
        sizes_known: false,
        folders: COMPARED.folders.slice(0, 3),
      },
    );
    await found(world, host, job, 0, CHANGES.length);
    await world.inBrowser("operator", `/jobs/${job}`, async (page) => {
      await page.getByText(/^246 of 1,204,337 changes are listed/).waitFor();
      await foot(page, `200 rows of ${CHANGES.length}`);
      await everyLook(page, "compare-truncated");
    });
    await world.inBrowser("viewer", `/jobs/${job}`, async (page) => {
      await page.getByText("Operators see which files changed").waitFor();
      await page.getByText("1,204,331").first().waitFor();
    });
  },
  PATIENCE_MS,
);

test(
  "a comparison that failed or was cancelled lists what it had found",
  async () => {
    const job = await addChosen(world, host, "diff", "cancelled", { from: snapshotId(2), to: snapshotId(1) });
    await found(world, host, job, 0, 3);
    await world.inBrowser("operator", `/jobs/${job}`, async (page) => {
      await page.getByText("What it had found by then is listed below.").waitFor();
      await foot(page, "3 rows");
    });
  },
  PATIENCE_MS,
);

test(
  "tagging and removal say why they wait, and what became of each snapshot",
  async () => {
    const tagging = await addChosen(world, host, "tag", "running", {
      snapshot_ids: [snapshotId(5)],
      add: ["keep"],
      remove: [],
      use_admin: false,
    });
    await world.inBrowser("operator", `/jobs/${tagging}`, async (page) => {
      await page.getByText("Live", { exact: true }).waitFor();
      await report(world, host, tagging, {
        phase: "waiting_for_repository",
        seconds_elapsed: 9,
        waiting_cause: "a check of web-fra-07 holds the repository",
      });
      await world.see(page.getByText("It waits: a check of web-fra-07 holds the repository."));
      await everyLook(page, "tag-waits");
      const result = {
        changed: [{ old_id: "ab".repeat(32), new_id: snapshotId(201) }],
        not_found: [snapshotId(900)],
      };
      await finish(world, host, tagging, {
        state: "succeeded",
        issue_count: 1,
        result: JSON.stringify(result),
      });
      await world.see(page.getByText("databases, hourly"));
      await everyLook(page, "tag-succeeded");
      await page.getByRole("link", { name: short(201) }).click();
      await page.getByRole("heading", { name: `Snapshot ${short(201)}` }).waitFor();
    });
    const ids = [snapshotId(5), snapshotId(6), snapshotId(7)] as const;
    const removal = await addChosen(
      world,
      host,
      "forget_snapshots",
      "succeeded",
      { snapshot_ids: ids, use_admin: false },
      { removed: [ids[0]], not_found: [ids[1]], not_removed: [ids[2]] },
    );
    await world.inBrowser("operator", `/jobs/${removal}`, async (page) => {
      await page.getByText("1 snapshot is still there").waitFor();
      await everyLook(page, "forget-snapshots");
    });
  },
  PATIENCE_MS,
);

test(
  "the jobs are narrowed to comparisons and every other kind",
  async () => {
    await world.inBrowser("operator", "/jobs", async (page) => {
      await page.getByRole("button", { name: "Compare", exact: true }).click();
      await page.waitForURL(/kind=diff/);
      await page
        .getByRole("row", { name: /Compare/ })
        .first()
        .waitFor();
      expect(await page.getByRole("row", { name: /Tag snapshots/ }).count()).toBe(0);
      await everyLook(page, "jobs-by-kind");
    });
  },
  PATIENCE_MS,
);
