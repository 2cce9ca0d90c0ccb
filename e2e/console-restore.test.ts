import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import type { HostId, JobId, ResticId } from "@restic-manager/protocol/ids";
import { addJob, NOON } from "@restic-manager/server/testing/rows";
import type { Page } from "playwright-core";
import { addBackup, refresh, type SeededHost } from "./console-hosts.ts";
import { browsedHost, RESTORED, RESTORING } from "./console-restore-hosts.ts";
import { everyLook, startTabsWorld, type TabsWorld } from "./console-tabs.ts";

/** The restore wizard and what it leads to, in a real browser against a real server; the machine's tree is made up. */

const PATIENCE_MS = 240_000;
let world: TabsWorld;
let host: SeededHost & { name: string };
let snapshotId: ResticId;

beforeAll(async () => {
  world = await startTabsWorld();
  host = await world.seeded();
  await browsedHost(world, host.id);
  const row = await world.server.parts.db
    .selectFrom("snapshots")
    .select("id")
    .where("host_id", "=", host.id)
    .orderBy("time", "desc")
    .executeTakeFirstOrThrow();
  snapshotId = row.id as ResticId;
}, PATIENCE_MS);
afterAll(() => world?.stop(), PATIENCE_MS);
afterEach(() => expect(world.complaints()).toEqual([]));

const row = (page: Page, name: string | RegExp) => page.getByRole("treeitem", { name });
const wizard = () => `/hosts/${host.id}/snapshots/${snapshotId}/restore`;

test(
  "from the host's page to a queued restore, by mouse",
  async () => {
    await world.inBrowser("operator", `/hosts/${host.id}`, async (page) => {
      await page.getByRole("link", { name: "Restore files" }).click();
      await page.getByRole("heading", { name: "From which snapshot?" }).waitFor();
      await everyLook(page, "restore-snapshot");
      await page.getByRole("row").nth(1).getByRole("link").click();
      await row(page, /^etc/).waitFor();
      await row(page, /^srv/).locator("[data-opens]").click();
      await row(page, /^dump/).locator("[data-opens]").click();
      await row(page, /^orders\.dump/).click();
      expect(await row(page, /^srv/).getAttribute("aria-checked")).toBe("mixed");
      await row(page, /^orders 1/)
        .locator("[data-opens]")
        .click();
      await row(page, /^export/).click();
      await page.getByText("22 items: 1 folder and 1 file").waitFor();
      await everyLook(page, "restore-files");
      await page.getByRole("link", { name: "Choose the target" }).click();
      await page.getByRole("heading", { name: "Where should the files go?" }).waitFor();
      await everyLook(page, "restore-target");
      await page.getByRole("link", { name: "Continue to the last look" }).click();
      await page.getByRole("heading", { name: /Restore to a new folder on/ }).waitFor();
      await everyLook(page, "restore-confirm");
      await page.getByRole("button", { name: "Restore 22 items" }).click();
      await page.getByRole("heading", { name: /^Restore on/ }).waitFor();
      await page.getByText("2 paths from snapshot").waitFor();
      const job = await newestRestore(host.id);
      expect(JSON.parse(job.input)).toMatchObject({
        paths: ["/srv/dump/orders.dump", "/srv/orders/export"],
        target: { kind: "folder" },
        dry_run: false,
      });
      await finish(job.id, { state: "cancelled" });
    });
  },
  PATIENCE_MS,
);

test(
  "one thing is left out of a picked folder, in place with a deletion, and only what was typed twice goes",
  async () => {
    await world.inBrowser("operator", `${wizard()}?at=/srv/orders`, async (page) => {
      await row(page, /^export/).click();
      await row(page, /^export/)
        .locator("[data-opens]")
        .click();
      await row(page, /^orders-2026-11-03/).click();
      expect(await row(page, /^export/).getAttribute("aria-checked")).toBe("mixed");
      await page.getByText("19 items: 19 files").waitFor();
      await row(page, /^orders-2026-11-03/).click();
      expect(await row(page, /^export/).getAttribute("aria-checked")).toBe("true");
      await page.getByRole("link", { name: "Choose the target" }).click();
      await page.getByRole("radio", { name: "In place" }).check();
      await page.getByRole("checkbox", { name: /^Delete what is/ }).check();
      await everyLook(page, "restore-target-in-place");
      await page.getByRole("link", { name: "Continue to the last look" }).click();
      const start = page.getByRole("button", { name: "Restore 21 items and delete the rest" });
      await page.getByLabel(`Type ${host.name} to restore in place`).fill(host.name);
      await page.getByLabel(/once more to delete/).fill(host.name);
      expect(await start.isDisabled()).toBe(true);
      await page.getByRole("button", { name: /^Preview/ }).click();
      await page.getByText("The preview waits for its turn").waitFor();
      const preview = await newestRestore(host.id);
      expect(JSON.parse(preview.input)).toMatchObject({ dry_run: true, delete: true });
      await finish(preview.id, {
        state: "succeeded",
        result: JSON.stringify({
          ...RESTORED,
          dry_run: true,
          in_place: true,
          where: "/",
          files_deleted: 1,
          deleted: ["/srv/orders/export/new.csv"],
          issue_count: 0,
          issues: [],
        }),
      });
      await world.see(page.getByText("/srv/orders/export/new.csv"));
      await everyLook(page, "restore-confirm-in-place");
      await start.click();
      await page.getByRole("heading", { name: /^Restore on/ }).waitFor();
      const job = await newestRestore(host.id);
      expect(JSON.parse(job.input)).toMatchObject({
        paths: ["/srv/orders/export"],
        target: { kind: "in_place" },
        delete: true,
        dry_run: false,
      });
      await finish(job.id, { state: "cancelled" });
    });
  },
  PATIENCE_MS,
);

test(
  "a folder of half a million scrolls to its end by one key, and only rows in sight exist",
  async () => {
    await world.inBrowser("operator", `${wizard()}?at=/var/spool`, async (page) => {
      await row(page, /^message-000000/).focus();
      await page.keyboard.press("End");
      await row(page, /^message-499999/).waitFor();
      await page.keyboard.press("Space");
      await page.getByText("1 item: 1 file").waitFor();
      expect(await page.getByRole("treeitem").count()).toBeLessThan(100);
      expect(await page.evaluate("document.activeElement.textContent")).toContain("message-499999");
      await page.keyboard.press("Home");
      await row(page, /^message-000000/).waitFor();
    });
  },
  PATIENCE_MS,
);

test(
  "by keyboard alone: search, pick, go into a folder and out of it",
  async () => {
    await world.inBrowser("operator", wizard(), async (page) => {
      await row(page, /^etc/).waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("fstab");
      await row(page, /^\/etc\/fstab/).focus();
      await page.keyboard.press("Space");
      await page.getByText("1 item: 1 file").waitFor();
      await everyLook(page, "restore-search");
      await row(page, /^\/etc\/fstab/).focus();
      await page.keyboard.press("Enter");
      await row(page, /^fstab/).waitFor();
      expect(await row(page, /^fstab/).getAttribute("aria-checked")).toBe("true");
      await row(page, /^fstab/).focus();
      await page.keyboard.press("Backspace");
      await row(page, /^etc/).waitFor();
      expect(await row(page, /^etc/).getAttribute("aria-checked")).toBe("mixed");
      await row(page, /^etc/).focus();
      await page.keyboard.press("ArrowRight");
      await row(page, /^ssh/).waitFor();
      await page.keyboard.press("ArrowLeft");
      await row(page, /^ssh/).waitFor({ state: "detached" });
      const download = page.getByRole("link", { name: "Download as tar" });
      expect(await download.getAttribute("href")).toBe(
        `/api/hosts/${host.id}/snapshots/${snapshotId}/download?path=%2Fetc&as=tar`,
      );
    });
  },
  PATIENCE_MS,
);

test(
  "the live page says how far it is, and the report what became of it",
  async () => {
    const job = await addRestore({ state: "running", started_at: NOON - 119_000 });
    await world.inBrowser("operator", `/jobs/${job}`, async (page) => {
      await page.getByText("Live", { exact: true }).waitFor();
      await world.server.parts.core.progress.report(host.id, {
        type: "job.progress",
        job_id: job,
        kind: "restore",
        at: new Date(NOON).toISOString(),
        progress: RESTORING,
      });
      await world.see(page.getByText("about 4 min"));
      await page.getByText("1 item could not be restored so far").waitFor();
      await everyLook(page, "restore-running");
      await finish(job, { state: "succeeded", issue_count: 1, result: JSON.stringify(RESTORED) });
      await world.see(page.getByText(/^Restored, but 1 item is/));
      await everyLook(page, "restore-succeeded");
    });
  },
  PATIENCE_MS,
);

test(
  "a viewer sees how a restore went, and no name of what was restored",
  async () => {
    const result = JSON.stringify({ ...RESTORED, deleted: ["/srv/orders/export/new.csv"] });
    const job = await addRestore({ state: "running", started_at: NOON - 119_000 });
    await finish(job, { state: "succeeded", issue_count: 1, result });
    await world.inBrowser("viewer", `/jobs/${job}`, async (page) => {
      await page.getByText(/^Restored, but 1 item is/).waitFor();
      await page.getByText("Only operators read this log").waitFor();
      await everyLook(page, "restore-for-a-viewer");
      expect(await page.locator("main").innerText()).not.toMatch(/orders|export|restic -r/);
    });
  },
  PATIENCE_MS,
);

test(
  "a cancelled restore leaves a clear report, and the host's page lists it",
  async () => {
    const job = await addRestore({
      state: "cancelled",
      started_at: NOON - 60_000,
      finished_at: NOON,
      cancel_requested_at: NOON,
    });
    await finish(job, {
      state: "cancelled",
      left_behind: JSON.stringify({
        ...RESTORED,
        complete: false,
        files_restored: 400,
        issue_count: 0,
        issues: [],
      }),
    });
    await world.inBrowser("operator", `/jobs/${job}`, async (page) => {
      await page.getByText(/400 files and folders of 1207/).waitFor();
      await everyLook(page, "restore-cancelled");
      await page.goto(`${world.network.url}/hosts/${host.id}`);
      await page.getByRole("heading", { name: "Recent restores" }).waitFor();
      await everyLook(page, "host-restores");
    });
  },
  PATIENCE_MS,
);

test(
  "while a backup runs, the restore offers to stop it, and does",
  async () => {
    const other = await world.seeded();
    await browsedHost(world, other.id);
    const backup = await addBackup(world.server.parts.db, other, "running");
    await world.inBrowser("operator", `/hosts/${other.id}/snapshots/${snapshotId}/restore`, async (page) => {
      await row(page, /^etc/).click();
      await page.getByRole("link", { name: "Choose the target" }).click();
      await page.getByRole("link", { name: "Continue to the last look" }).click();
      await page.getByText(`A backup of ${other.name} is running`).waitFor();
      await page.getByRole("button", { name: "Stop the backup and restore now" }).click();
      await page.getByRole("heading", { name: /^Restore on/ }).waitFor();
      const stopped = await world.server.parts.db
        .selectFrom("jobs")
        .select("cancel_requested_at")
        .where("id", "=", backup)
        .executeTakeFirstOrThrow();
      expect(stopped.cancel_requested_at).not.toBeNull();
    });
  },
  PATIENCE_MS,
);

test(
  "an offline host says so, and its restore waits; a viewer sees no names",
  async () => {
    const away = await world.seeded({ online: 0, connected_since: null, last_seen_at: NOON - 3_600_000 });
    await world.inBrowser("operator", `/hosts/${away.id}/restore`, async (page) => {
      await page.getByText(`${away.name} is offline since 11:00`).waitFor();
      await everyLook(page, "restore-offline");
    });
    await world.inBrowser("viewer", wizard(), async (page) => {
      await page.getByText("Only operators restore files").waitFor();
      expect(await page.getByRole("treeitem").count()).toBe(0);
    });
  },
  PATIENCE_MS,
);

const newestRestore = (id: HostId) =>
  world.server.parts.db
    .selectFrom("jobs")
    .selectAll()
    .where("host_id", "=", id)
    .where("kind", "=", "restore")
    .orderBy("id", "desc")
    .executeTakeFirstOrThrow();

type Given = NonNullable<Parameters<typeof addJob>[3]>;

function addRestore({ state = "running", ...given }: Given): Promise<JobId> {
  const input = {
    snapshot_id: snapshotId,
    paths: ["/srv/dump/orders.dump", "/srv/orders/export"],
    target: { kind: "folder" },
    overwrite: "always",
    delete: false,
    dry_run: false,
    verify: true,
    sparse: false,
  };
  return addJob(world.server.parts.db, host.id, state, {
    kind: "restore",
    input: JSON.stringify(input),
    ...given,
  });
}

/** Ends a job as its agent's word would. */
async function finish(id: JobId, outcome: Given): Promise<void> {
  const { db, bus } = world.server.parts;
  await db
    .updateTable("jobs")
    .set({ started_at: NOON - 60_000, finished_at: NOON, ...outcome })
    .where("id", "=", id)
    .execute();
  await refresh(db, host.id);
  bus.publish("job.changed", { jobId: id, hostId: host.id });
}
