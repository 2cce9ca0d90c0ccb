import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import type { HostId } from "@restic-manager/protocol/ids";
import { browsedAgent } from "@restic-manager/server/testing/browsed-agent";
import { NOON } from "@restic-manager/server/testing/rows";
import type { Page } from "playwright-core";
import { browsedHost, RESTORED } from "./console-restore-hosts.ts";
import { everyLook, startTabsWorld, type TabsWorld } from "./console-tabs.ts";

/** What the restore wizard says before somebody relies on it: of a machine that is away, and of names that may bring others. */

const PATIENCE_MS = 240_000;
let world: TabsWorld;

beforeAll(async () => {
  world = await startTabsWorld();
}, PATIENCE_MS);
afterAll(() => world?.stop(), PATIENCE_MS);
afterEach(() => expect(world.complaints()).toEqual([]));

const row = (page: Page, name: RegExp) => page.getByRole("treeitem", { name });

async function wizardOf(hostId: HostId): Promise<string> {
  const { id } = await world.server.parts.db
    .selectFrom("snapshots")
    .select("id")
    .where("host_id", "=", hostId)
    .orderBy("time", "desc")
    .executeTakeFirstOrThrow();
  return `/hosts/${hostId}/snapshots/${id}/restore`;
}

test(
  "a host that goes away leaves the folders that were looked at: named, with links, and said to be kept",
  async () => {
    const { db } = world.server.parts;
    const away = await world.seeded();
    const agent = await browsedHost(world, away.id);
    const restore = await wizardOf(away.id);
    await world.inBrowser("operator", `${restore}?at=%2Fsrv`, async (page) => {
      await row(page, /^dump/).waitFor();
      expect(await page.getByText("Kept since").count()).toBe(0);
      await agent.leave();
      await world.server.parts.core.link.settled();
      await db.updateTable("hosts").set({ online: 0 }).where("id", "=", away.id).execute();
      await page.goto(new URL(`${restore}?at=%2Fetc`, page.url()).href);
      await page.getByText("Still to be seen of this snapshot").waitFor();
      await everyLook(page, "restore-kept");
      await page.getByRole("link", { name: "/srv", exact: true }).click();
      await row(page, /^dump/).waitFor();
      await page.getByText(`Kept since 12:00: ${away.name} cannot be asked now.`).waitFor();
      await everyLook(page, "restore-kept-folder");
    });
  },
  PATIENCE_MS,
);

test(
  "the last look warns of names that are no UTF-8, tells a preview's issues, and another target takes the preview away",
  async () => {
    const { db, bus, core } = world.server.parts;
    const odd = await world.seeded();
    const facts = { type: "file", size: 5, mode: 0o644, mtime_ms: NOON, uid: 0, gid: 0 } as const;
    const entries = [{ ...facts, name: "caf\ufffd.txt" }];
    await browsedAgent(core.link, odd.id, () => ({
      type: "tree.list.result",
      page: { entries, total: 1, next: null, indexed: true, snapshot: { entries: 1, bytes: 5 } },
    }));
    await world.inBrowser("operator", await wizardOf(odd.id), async (page) => {
      await row(page, /^caf/).click();
      await page.getByRole("link", { name: "Choose the target" }).click();
      await page.getByRole("radio", { name: "In place" }).check();
      await page.getByRole("link", { name: "Continue to the last look" }).click();
      await page.getByText(/^1 chosen name is not UTF-8/).waitFor();
      await page.getByText(/what is there of it is written over/).waitFor();
      await page.getByRole("button", { name: /^Preview/ }).click();
      await page.getByText("The preview waits for its turn").waitFor();
      const { id: preview } = await db
        .updateTable("jobs")
        .set({
          state: "succeeded",
          started_at: NOON - 60_000,
          finished_at: NOON,
          result: JSON.stringify({ ...RESTORED, dry_run: true, issue_count: 3 }),
        })
        .where("host_id", "=", odd.id)
        .where("kind", "=", "restore")
        .returning("id")
        .executeTakeFirstOrThrow();
      bus.publish("job.changed", { jobId: preview, hostId: odd.id });
      await world.see(page.getByText(/^The preview had 3 issues/));
      await everyLook(page, "restore-odd-names");
      await page.getByRole("button", { name: "Restore to a new folder instead" }).click();
      await page.getByRole("button", { name: /^Preview/ }).waitFor();
      expect(await page.getByText(/^The preview had/).count()).toBe(0);
      await page.getByText(/^1 chosen name is not UTF-8/).waitFor();
      expect(await page.getByText(/what is there of it is written over/).count()).toBe(0);
    });
  },
  PATIENCE_MS,
);
