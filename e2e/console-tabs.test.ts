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
afterEach(() => expect(world.complaints()).toEqual([]));

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
  await addSchedule(world.server.parts.db, host.id, [system.id], {
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
      ["schedule", `${host.id}?tab=schedules&schedule=${items[1]?.id}`, "Here, UTC"],
      ["paused", `${away.id}?tab=schedules`, /is paused: disks are being changed/],
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

void [describe, addBackup, see, inBrowser];
