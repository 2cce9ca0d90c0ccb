import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { Schedules } from "@restic-manager/protocol/api/schedules";
import { addReadyHost } from "./console-hosts.ts";
import { LOOKS, PICTURES, startTabsWorld, type TabsWorld } from "./console-tabs.ts";
import { changeLook, expectUsable, open } from "./console-world.ts";

/** How the Sources and Schedules tabs of a host look, and what is done on the first, in a real browser, against a real server. */

const PATIENCE_MS = 240_000;
let world: TabsWorld;
beforeAll(async () => {
  world = await startTabsWorld();
}, PATIENCE_MS);
afterAll(() => world.stop(), PATIENCE_MS);
afterEach(() => expect(world.complaints()).toEqual([]));

test(
  "nothing is hard to use in either scheme, wide or narrow",
  async () => {
    const host = await world.seeded();
    const { items } = await world.schedulesOf(host);
    const [group] = await world.groupsOf(host);
    const away = await world.seeded({ online: 0, connected_since: null, schedule_applied_version: 26 });
    await world.call("PUT", `${away.id}/pause`, Schedules, { reason: "disks are being changed" });
    const bare = await addReadyHost(world.server.parts, "nas-oslo-03", {}, 0);
    const pages: [name: string, path: string, sentence: string | RegExp][] = [
      ["overview", `${host.id}`, "Next runs"],
      ["sources", `${host.id}?tab=sources`, "Default hooks"],
      ["group", `${host.id}?tab=sources&group=${group?.id}`, "Saved changes reach the machine at once."],
      ["new-group", `${host.id}?tab=sources&group=new`, "New source group"],
      ["schedules", `${host.id}?tab=schedules`, "Maintenance mode"],
      ["new-schedule", `${host.id}?tab=schedules&schedule=new`, "New schedule"],
      ["schedule", `${host.id}?tab=schedules&schedule=${items[1]?.id}`, "Here, UTC"],
      ["paused", `${away.id}?tab=schedules`, /it is told when it is back/],
      ["away-sources", `${away.id}?tab=sources`, "Back up when it is back"],
      ["no-schedule", `${bare.id}?tab=schedules`, "No schedule yet"],
      ["settings", `${host.id}?tab=settings`, "Bandwidth"],
    ];
    const context = await world.browse();
    try {
      for (const [name, path, sentence] of pages) {
        const page = await open(context, world, `/hosts/${path}`);
        await page.getByText(sentence).first().waitFor();
        for (const look of LOOKS) {
          await changeLook(page, look);
          if (PICTURES !== undefined) {
            const file = `${PICTURES}/${name}-${look.scheme}-${look.width}.png`;
            await page.screenshot({ path: file, fullPage: true });
          }
          await expectUsable(page, `${path} in ${look.scheme} at ${look.width}`);
        }
        await page.close();
      }
    } finally {
      await context.close();
    }
  },
  PATIENCE_MS,
);

test(
  "a group is added from a pasted list, refused at its line with nothing lost, changed, run and deleted",
  async () => {
    const host = await addReadyHost(world.server.parts, "work-groups");
    await world.inBrowser("operator", `/hosts/${host.id}?tab=sources`, async (page) => {
      await page.getByRole("link", { name: "Add source group" }).click();
      await page.getByLabel("Name").fill("data,base");
      await page.getByLabel("Includes").fill("/srv/dump\n\nsrv/relative\n");
      await page.getByLabel("Hourly").fill("24");
      await page.getByRole("button", { name: "Add source group" }).click();
      await page.getByText("2 fields need another look").waitFor();
      await page.getByText("Line 3 must be an absolute path").waitFor();
      await page.getByText(/must not contain commas/i).waitFor();
      expect(await page.getByLabel("Hourly").inputValue()).toBe("24");
      await page.evaluate("scrollTo(0, 0)");
      await expectUsable(page, "a group's form with errors");
      await page.getByLabel("Name").fill("default");
      await page.getByLabel("Includes").fill("/srv/dump\r\n/home");
      await page.getByRole("button", { name: "Add source group" }).click();
      await page
        .getByText(/another source group/i)
        .first()
        .waitFor();
      await page.getByLabel("Name").fill("databases");
      await page.getByRole("button", { name: "Add source group" }).click();
      await page.getByText("Nothing: it is backed up by hand only.").first().waitFor();
      const made = (await world.groupsOf(host)).find((group) => group.name === "databases");
      expect(made).toMatchObject({ includes: ["/srv/dump", "/home"], retention_policy: { hourly: 24 } });

      // A click anywhere on the panel opens it: the name's link lies over all that cannot be pressed.
      await page.getByText("/srv/dump").click({ force: true });
      await page.waitForURL(`**group=${made?.id}`);
      await page.getByLabel("Excludes").fill("*.tmp");
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.getByRole("listitem").getByText("*.tmp").waitFor();

      await page.getByRole("button", { name: "Back up: databases" }).click();
      await page.getByRole("link", { name: "open the job" }).waitFor();
      await page.getByRole("button", { name: "Delete databases" }).click();
      await page.getByText("Its snapshots stay.").waitFor();
      await page.getByRole("button", { name: "Delete databases" }).click();
      await page.getByText("/srv/dump").waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Delete default" }).click();
      await page.getByRole("button", { name: "Delete default" }).click();
      await page.getByText(/is the only source group/).waitFor();
    });
  },
  PATIENCE_MS,
);

test(
  "a group that a schedule fires is not deleted, and the schedule is one click away",
  async () => {
    const host = await world.seeded();
    await world.inBrowser("operator", `/hosts/${host.id}?tab=sources`, async (page) => {
      await page.getByRole("button", { name: "Delete system" }).click();
      await page.getByRole("button", { name: "Delete system" }).click();
      await page.getByText(/is fired by 2 schedules/).waitFor();
      await page.getByRole("alert").locator("..").getByRole("link", { name: "At 01:30, every day" }).click();
      await page.getByLabel("Cron expression").waitFor();
      expect(await page.getByLabel("Cron expression").inputValue()).toBe("30 1 * * *");
    });
  },
  PATIENCE_MS,
);

test(
  "the conflict banner names group, dimension and cause, and one click ends it",
  async () => {
    const host = await world.seeded();
    await world.inBrowser("operator", `/hosts/${host.id}?tab=sources`, async (page) => {
      await page
        .getByText("“system” keeps 24 hourly snapshots, but nothing fires it more than once a day")
        .waitFor();
      await page.getByRole("link", { name: /^Sources.*needs attention/ }).waitFor();
      await page.getByRole("button", { name: "Set hourly to 0" }).click();
      await page.getByText(/nothing fires it more than/).waitFor({ state: "detached" });
      const system = (await world.groupsOf(host)).find((group) => group.name === "system");
      expect(system?.retention_policy).toEqual({ hourly: 0, daily: 14, weekly: 8, monthly: 6 });
    });
  },
  PATIENCE_MS,
);

test(
  "hooks are an admin's to set and nobody's to read",
  async () => {
    const host = await addReadyHost(world.server.parts, "work-hooks");
    const path = `/hosts/${host.id}?tab=sources`;
    await world.inBrowser("admin", path, async (page) => {
      await page.getByText("None of its own; the host has no default").waitFor();
      await page.getByRole("button", { name: "Set hooks" }).click();
      await page.getByLabel("Before the backup").fill("echo s3cret-of-the-hook");
      await page.getByRole("button", { name: "Save hooks" }).click();
      await page.getByText("The host’s: before, set on 21 Nov 2026, 10 min limit").waitFor();
      await page.getByRole("button", { name: "Replace or remove" }).click();
      await expectUsable(page, "the form of hooks");
      expect(await page.content()).not.toContain("s3cret-of-the-hook");
      await page.getByLabel("Remove the hook before the backup").check();
      await page.getByRole("button", { name: "Save hooks" }).click();
      await page.getByText("None set").waitFor();
    });
    await world.inBrowser("operator", path, async (page) => {
      await page.getByText("None set").waitFor();
      expect(await page.getByRole("button", { name: "Set hooks" }).count()).toBe(0);
    });
  },
  PATIENCE_MS,
);

test(
  "bandwidth is capped under Settings, and stays what was typed when it is no number",
  async () => {
    const host = await addReadyHost(world.server.parts, "work-bandwidth");
    await world.inBrowser("operator", `/hosts/${host.id}?tab=settings`, async (page) => {
      await page.getByLabel("Upload, KiB/s").fill("fast");
      await page.getByText("Must be a number").waitFor();
      await page.getByLabel("Upload, KiB/s").fill("2048");
      await page.getByRole("button", { name: "Save bandwidth" }).click();
      await page.getByText("Saved. It holds from the next job on.").waitFor();
      await page.reload();
      await page.getByLabel("Upload, KiB/s").waitFor();
      expect(await page.getByLabel("Upload, KiB/s").inputValue()).toBe("2048");
    });
  },
  PATIENCE_MS,
);
