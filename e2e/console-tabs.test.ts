import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { HostHooks, SourceGroup, SourceGroups } from "@restic-manager/protocol/api/sources";
import { Schedule, Schedules } from "@restic-manager/protocol/api/schedules";
import type { Role } from "@restic-manager/protocol/api/session";
import { addSchedule, NOON } from "@restic-manager/server/testing/rows";
import type { Locator, Page } from "playwright-core";
import { addBackup, addReadyHost, type SeededHost } from "./console-hosts.ts";
import { changeLook, expectUsable, open, startConsoleWorld, type ConsoleWorld } from "./console-world.ts";

/** The Sources and Schedules tabs of a host as they are shipped, in a real browser, against a real server. */

const PATIENCE_MS = 240_000;
const HOUR = 3_600_000;
/** A folder for pictures of every page, for who wants to look at them. */
const PICTURES = process.env["RM_TEST_PICTURES"];
const LOOKS = [
  { scheme: "light", width: 1440 },
  { scheme: "light", width: 390 },
  { scheme: "dark", width: 390 },
  { scheme: "dark", width: 1440 },
] as const;

let world: ConsoleWorld;
let admin: string;
let number = 0;

beforeAll(async () => {
  world = await startConsoleWorld();
  admin = await world.server.signedInAs("admin");
}, PATIENCE_MS);
afterAll(() => world.stop(), PATIENCE_MS);
/** A browser calls every answer that is a refusal an error; these tests ask for some. */
const REFUSED = /the server responded with a status of (409|422)/;
afterEach(() => expect(world.complaints().filter((line) => !REFUSED.test(line))).toEqual([]));

/** Asks as an admin, without the page. */
async function call<Answer>(
  method: string,
  path: string,
  shape: { parse: (body: unknown) => Answer },
  json?: unknown,
): Promise<Answer> {
  const answer = await world.server.ask(`/api/hosts/${path}`, {
    method,
    cookie: admin,
    ...(json === undefined ? {} : { json }),
  });
  const body: unknown = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(body)}`);
  return shape.parse(body);
}

const groupsOf = async ({ id }: SeededHost) => (await call("GET", `${id}/source-groups`, SourceGroups)).items;
const schedulesOf = ({ id }: SeededHost) => call("GET", `${id}/schedules`, Schedules);

/** A host with three groups and three schedules, one of them off, one overdue, and a conflict. */
async function seeded(given: Parameters<typeof addReadyHost>[2] = {}): Promise<SeededHost> {
  number += 1;
  const host = await addReadyHost(world.server.parts, `db-ams-0${number}`, {
    timezone: "Europe/Amsterdam",
    schedule_version: 27,
    schedule_applied_version: 27,
    ...given,
  });
  const make = (name: string, more: object) =>
    call("POST", `${host.id}/source-groups`, SourceGroup, { name, includes: ["/srv/dump"], ...more });
  const databases = await make("databases", {
    includes: ["/srv/dump", "/var/lib/postgresql"],
    excludes: ["*.tmp", "/var/lib/postgresql/*/main/pg_stat_tmp"],
    retention_policy: { keep_last: 3, hourly: 28, daily: 14, weekly: 8, monthly: 24, yearly: 3 },
  });
  const system = await make("system", {
    includes: ["/etc", "/root", "/usr/local", "/var/lib/dpkg"],
    retention_policy: { hourly: 24, daily: 14, weekly: 8, monthly: 6 },
  });
  await call("PUT", `${host.id}/source-groups/${databases.id}/hooks`, HostHooks, {
    pre: "pg_dumpall > /srv/dump/all.sql",
    post: "rm /srv/dump/all.sql",
  });
  const schedule = (cron: string, groups: string[], more: object = {}) =>
    call("POST", `${host.id}/schedules`, Schedule, { cron, source_group_ids: groups, ...more });
  await schedule("30 3-21/6 * * *", [databases.id, host.groupId]);
  await schedule("30 1 * * *", [system.id], { timezone: "America/New_York", spread_seconds: 1_800 });
  await schedule("0 5 1 * *", [databases.id, system.id], { enabled: false });
  await addSchedule(world.server.parts.db, host.id, [databases.id], {
    cron: "0 3 * * *",
    counts_from: NOON - 20 * HOUR,
    created_at: NOON - 20 * HOUR,
  });
  return host;
}

async function inBrowser(role: Role, path: string, work: (page: Page) => Promise<void>): Promise<void> {
  const context = await world.browse({ role });
  try {
    await work(await open(context, world, path));
  } finally {
    await context.close();
  }
}

/** The server gathers changes for a moment of its own clock before it tells pages of them. */
async function see(what: Locator): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    world.server.clock.advance(100);
    if (await what.first().isVisible()) return;
    await what.page().waitForTimeout(50);
  }
  await what.first().waitFor({ timeout: 1_000 });
}

test(
  "nothing is hard to use in either scheme, wide or narrow",
  async () => {
    const host = await seeded();
    const { items } = await schedulesOf(host);
    const [group] = await groupsOf(host);
    const away = await seeded({ online: 0, connected_since: null, schedule_applied_version: 26 });
    await call("PUT", `${away.id}/pause`, Schedules, { reason: "disks are being changed" });
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

describe("at work", () => {
  test(
    "a group is added from a pasted list, refused at its line with nothing lost, changed, run and deleted",
    async () => {
      const host = await addReadyHost(world.server.parts, "work-groups");
      await inBrowser("operator", `/hosts/${host.id}?tab=sources`, async (page) => {
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
        const made = (await groupsOf(host)).find((group) => group.name === "databases");
        expect(made).toMatchObject({ includes: ["/srv/dump", "/home"], retention_policy: { hourly: 24 } });

        // A click anywhere on the panel opens it.
        await page.getByText("/srv/dump").click();
        await page.waitForURL(`**group=${made?.id}`);
        await page.getByLabel("Excludes").fill("*.tmp");
        await page.getByRole("button", { name: "Save", exact: true }).click();
        await page.getByText("*.tmp").waitFor();

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
      const host = await seeded();
      await inBrowser("operator", `/hosts/${host.id}?tab=sources`, async (page) => {
        await page.getByRole("button", { name: "Delete system" }).click();
        await page.getByRole("button", { name: "Delete system" }).click();
        await page.getByText(/is fired by 2 schedules/).waitFor();
        await page
          .getByRole("alert")
          .locator("..")
          .getByRole("link", { name: "At 01:30, every day" })
          .click();
        await page.getByLabel("Cron expression").waitFor();
        expect(await page.getByLabel("Cron expression").inputValue()).toBe("30 1 * * *");
      });
    },
    PATIENCE_MS,
  );

  test(
    "the conflict banner names group, dimension and cause, and one click ends it",
    async () => {
      const host = await seeded();
      await inBrowser("operator", `/hosts/${host.id}?tab=sources`, async (page) => {
        await page
          .getByText("“system” keeps 24 hourly snapshots, but nothing fires it more than once a day")
          .waitFor();
        await page.getByRole("link", { name: /^Sources.*needs attention/ }).waitFor();
        await page.getByRole("button", { name: "Set hourly to 0" }).click();
        await page.getByText(/nothing fires it more than/).waitFor({ state: "detached" });
        const system = (await groupsOf(host)).find((group) => group.name === "system");
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
      await inBrowser("admin", path, async (page) => {
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
      await inBrowser("operator", path, async (page) => {
        await page.getByText("None set").waitFor();
        expect(await page.getByRole("button", { name: "Set hooks" }).count()).toBe(0);
      });
    },
    PATIENCE_MS,
  );

  test(
    "a schedule is made from a quick pick, corrected, switched off, run and deleted",
    async () => {
      const host = await addReadyHost(world.server.parts, "work-schedules", { timezone: "Europe/Amsterdam" });
      await inBrowser("operator", `/hosts/${host.id}?tab=schedules`, async (page) => {
        await page.getByText("No schedule yet").waitFor();
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
        const [schedule] = (await schedulesOf(host)).items;
        expect(schedule).toMatchObject({ enabled: false, cron: "30 1 * * *" });

        await page
          .getByRole("row", { name: /At 01:30/ })
          .getByText("Has not run yet")
          .click();
        await page.waitForURL(`**schedule=${schedule?.id}`);
        await page.getByRole("button", { name: /^Back up: what/ }).click();
        await page.getByRole("link", { name: "open the job" }).waitFor();
        await page.getByRole("button", { name: "Delete this schedule" }).click();
        await page.getByRole("button", { name: "Delete this schedule" }).click();
        await page.getByText("No schedule yet").waitFor();
      });
    },
    PATIENCE_MS,
  );

  test(
    "what another person and the agent do is seen at once: a new schedule, and that the agent has it",
    async () => {
      const host = await addReadyHost(world.server.parts, "work-live", { schedule_applied_version: 0 });
      await inBrowser("viewer", `/hosts/${host.id}?tab=schedules`, async (page) => {
        await page.getByText("Live", { exact: true }).waitFor();
        await page.getByText("No schedule yet").waitFor();
        const { id } = await call("POST", `${host.id}/schedules`, Schedule, {
          cron: "*/15 * * * *",
          source_group_ids: [host.groupId],
        });
        await see(page.getByRole("row", { name: /Every 15 minutes/ }));
        await page.getByText(/Agent at version 0 of \d+, telling it/).waitFor();
        const { version } = (await schedulesOf(host)).sync;
        const { db, bus } = world.server.parts;
        await db
          .updateTable("hosts")
          .set({ schedule_applied_version: version })
          .where("id", "=", host.id)
          .execute();
        bus.publish("host.changed", { hostId: host.id });
        await see(page.getByText(`Agent in sync at version ${version}`));
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
      const host = await seeded({ online: 0, connected_since: null });
      await inBrowser("operator", `/hosts/${host.id}?tab=sources`, async (page) => {
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
      const host = await seeded();
      await inBrowser("operator", `/hosts/${host.id}?tab=schedules`, async (page) => {
        const { name } = await nameOf(host);
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
    "bandwidth is capped under Settings, and stays what was typed when it is no number",
    async () => {
      const host = await addReadyHost(world.server.parts, "work-bandwidth");
      await inBrowser("operator", `/hosts/${host.id}?tab=settings`, async (page) => {
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

  test(
    "a job says that a schedule started it, and for how many missed runs",
    async () => {
      const host = await seeded();
      const [schedule] = (await schedulesOf(host)).items;
      if (schedule === undefined) throw new Error("the host has no schedule");
      const job = await addBackup(world.server.parts.db, host, "succeeded", {
        actor_kind: "schedule",
        actor_name: "schedule",
        schedule_id: schedule.id,
        scheduled_at: NOON - HOUR,
        missed_count: 4,
      });
      await inBrowser("viewer", `/jobs/${job}`, async (page) => {
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
      await inBrowser("operator", "/?search=bulk-", async (page) => {
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
        await see(page.getByRole("button", { name: "Resume 3" }));
        await page.getByRole("button", { name: "Resume 3" }).click();
        await page.getByText("3 resumed").waitFor();
      });
      await inBrowser("viewer", "/?search=bulk-", async (page) => {
        await page.getByRole("row", { name: /bulk-1/ }).waitFor();
        expect(await page.getByRole("checkbox").count()).toBe(0);
      });
    },
    PATIENCE_MS,
  );
});

async function nameOf({ id }: SeededHost): Promise<{ name: string }> {
  return world.server.parts.db
    .selectFrom("hosts")
    .select("name")
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
}
