import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { Schedule } from "@restic-manager/protocol/api/schedules";
import { NOON } from "@restic-manager/server/testing/rows";
import { addBackup, addReadyHost } from "./console-hosts.ts";
import { LOOKS, PICTURES, startTabsWorld, type TabsWorld } from "./console-tabs.ts";
import { changeLook, expectUsable } from "./console-world.ts";

/** What is done on the Schedules tab of a host, with its maintenance mode, and with many hosts at once, in a real browser, against a real server. */

const PATIENCE_MS = 240_000;
let world: TabsWorld;
beforeAll(async () => {
  world = await startTabsWorld();
}, PATIENCE_MS);
afterAll(() => world.stop(), PATIENCE_MS);
afterEach(() => expect(world.complaints()).toEqual([]));

test(
  "a schedule is made from a quick pick, corrected, switched off, run and deleted",
  async () => {
    const host = await addReadyHost(world.server.parts, "work-schedules", { timezone: "Europe/Amsterdam" });
    await world.inBrowser("operator", `/hosts/${host.id}?tab=schedules`, async (page) => {
      await page.getByText("No schedule yet", { exact: true }).waitFor();
      await page.getByRole("link", { name: "Add schedule" }).click();
      await page.getByRole("button", { name: "Every 6 hours" }).click();
      await page.getByText("Every 6 hours, at half past: 03:30, 09:30, 15:30 and 21:30").waitFor();
      await page.getByRole("cell", { name: "Sat 21 Nov 15:30" }).waitFor();
      await page.getByRole("cell", { name: "Sat 21 Nov 14:30" }).waitFor();
      await page.getByLabel("Cron expression").fill("@daily");
      await page.getByText("Write 0 0 * * * instead of @daily").waitFor();
      await page.getByLabel("Time zone").fill("Mars/Olympus");
      await page.getByRole("button", { name: "Add schedule" }).click();
      await page.getByText("2 fields need another look").waitFor();
      await page.getByText(/is not the name of a time zone/i).waitFor();
      expect(await page.getByLabel("Cron expression").inputValue()).toBe("@daily");
      await page.evaluate("scrollTo(0, 0)");
      await expectUsable(page, "a schedule's form with errors");
      await page.getByLabel("Time zone").fill("");
      await page.getByRole("button", { name: "Nightly" }).click();
      await page.getByRole("button", { name: "Add schedule" }).click();
      await page.getByRole("row", { name: /At 01:30, every day/ }).waitFor();

      const toggle = page.getByRole("switch");
      await toggle.click();
      await page.getByRole("switch", { name: "At 01:30, every day: off" }).waitFor();
      await page
        .getByRole("row", { name: /At 01:30/ })
        .getByText("Off", { exact: true })
        .waitFor();
      const [schedule] = (await world.schedulesOf(host)).items;
      expect(schedule).toMatchObject({ enabled: false, cron: "30 1 * * *" });

      await page
        .getByRole("row", { name: /At 01:30/ })
        .getByText("Has not run yet")
        .click({ force: true });
      await page.waitForURL(`**schedule=${schedule?.id}`);
      await page.getByRole("button", { name: /^Back up: what/ }).click();
      await page.getByRole("link", { name: "open the job" }).waitFor();
      await page.getByRole("button", { name: "Delete this schedule" }).click();
      await page.getByRole("button", { name: "Delete this schedule" }).click();
      await page.getByText("No schedule yet", { exact: true }).waitFor();
    });
  },
  PATIENCE_MS,
);

test(
  "what another person and the agent do is seen at once: a new schedule, and that the agent has it",
  async () => {
    const host = await addReadyHost(world.server.parts, "work-live", { schedule_applied_version: 0 });
    await world.inBrowser("viewer", `/hosts/${host.id}?tab=schedules`, async (page) => {
      await page.getByText("Live", { exact: true }).waitFor();
      await page.getByText("No schedule yet", { exact: true }).waitFor();
      const { id } = await world.call("POST", `${host.id}/schedules`, Schedule, {
        cron: "*/15 * * * *",
        source_group_ids: [host.groupId],
      });
      await world.see(page.getByRole("row", { name: /Every 15 minutes/ }));
      await page.getByText(/Agent at version 0 of \d+, telling it/).waitFor();
      const { version } = (await world.schedulesOf(host)).sync;
      const { db, bus } = world.server.parts;
      await db
        .updateTable("hosts")
        .set({ schedule_applied_version: version })
        .where("id", "=", host.id)
        .execute();
      bus.publish("host.changed", { hostId: host.id });
      await world.see(page.getByText(`Agent in sync at version ${version}`));
      // Who may only look sees what it means, and nothing to change it with.
      await page.getByRole("table").getByText("Every 15 minutes").click();
      await page.waitForURL(`**schedule=${id}`);
      await page.getByText("Operators change it.").waitFor();
      await page.getByText("Next five").waitFor();
      expect(await page.getByRole("switch").count()).toBe(0);
      expect(await page.getByRole("button", { name: /^(Save|Pause|Delete|Back up:)/ }).count()).toBe(0);
    });
  },
  PATIENCE_MS,
);

test(
  "a host that is away offers to wait, and says so",
  async () => {
    const host = await world.seeded({ online: 0, connected_since: null });
    await world.inBrowser("operator", `/hosts/${host.id}?tab=sources`, async (page) => {
      await page.getByRole("button", { name: "Back up when it is back: default" }).click();
      await page.getByRole("link", { name: "open the job" }).click();
      await page.getByText("The job is queued and starts when the machine returns.").waitFor();
    });
  },
  PATIENCE_MS,
);

test(
  "maintenance mode is told with its reason on the host and in the fleet, and ends with a click",
  async () => {
    const host = await world.seeded();
    await world.inBrowser("operator", `/hosts/${host.id}?tab=schedules`, async (page) => {
      const { name } = host;
      await page.getByRole("button", { name: `Pause ${name}` }).click();
      await page.getByText(/say why/i).waitFor();
      await page.getByLabel("Reason").fill("disks are being changed");
      await page.getByRole("button", { name: `Pause ${name}` }).click();
      await page.getByText(`${name} is paused: disks are being changed`).waitFor();
      expect(await page.getByText("Paused", { exact: true }).count()).toBeGreaterThan(2);
      await page.goto(`${world.network.url}/?search=${name}`);
      await page.getByRole("row", { name: new RegExp(`${name} paused`) }).waitFor();
      await page.goto(`${world.network.url}/hosts/${host.id}`);
      await page.getByRole("button", { name: `Resume ${name}` }).click();
      await page.getByText(`${name} is paused`).waitFor({ state: "detached" });
    });
  },
  PATIENCE_MS,
);

test(
  "a job says that a schedule started it, and for how many missed runs",
  async () => {
    const host = await world.seeded();
    const [schedule] = (await world.schedulesOf(host)).items;
    if (schedule === undefined) throw new Error("the host has no schedule");
    const job = await addBackup(world.server.parts.db, host, "succeeded", {
      actor_kind: "schedule",
      actor_name: "schedule",
      schedule_id: schedule.id,
      scheduled_at: NOON - 3_600_000,
      missed_count: 4,
    });
    await world.inBrowser("viewer", `/jobs/${job}`, async (page) => {
      await page.getByText("This run stands for 4 missed runs, the last of 11:00").waitFor();
      await page.getByText("by a schedule, catching up").waitFor();
      await expectUsable(page, "a job that catches up");
    });
  },
  PATIENCE_MS,
);

test(
  "hosts that are chosen in the fleet are backed up and paused together",
  async () => {
    for (const n of [1, 2, 3])
      await addReadyHost(world.server.parts, `bulk-${n}`, n === 3 ? { online: 0 } : {}, 1);
    await world.inBrowser("operator", "/?search=bulk-", async (page) => {
      await page.getByLabel("Select all rows that are loaded").check();
      await page.getByText("1 offline: backed up when back").waitFor();
      for (const look of LOOKS) {
        await changeLook(page, look);
        if (PICTURES !== undefined)
          await page.screenshot({ path: `${PICTURES}/bulk-${look.scheme}-${look.width}.png` });
        await expectUsable(page, `the fleet with hosts chosen in ${look.scheme} at ${look.width}`);
      }
      await page.getByRole("button", { name: "Back up 3 hosts" }).click();
      await page.getByText("3 queued").waitFor();
      await page.getByRole("button", { name: "Pause…" }).click();
      await page.getByLabel("Why they are paused").fill("moving house");
      await page.getByRole("button", { name: "Pause 3 hosts" }).click();
      await page.getByText("3 paused").waitFor();
      await world.see(page.getByRole("button", { name: "Resume 3" }));
      await page.getByRole("button", { name: "Resume 3" }).click();
      await page.getByText("3 resumed").waitFor();
    });
    await world.inBrowser("viewer", "/?search=bulk-", async (page) => {
      await page.getByRole("row", { name: /bulk-1/ }).waitFor();
      expect(await page.getByRole("checkbox").count()).toBe(0);
    });
  },
  PATIENCE_MS,
);
