import type { Role } from "@restic-manager/protocol/api/session";
import { Schedule, Schedules } from "@restic-manager/protocol/api/schedules";
import { HostHooks, SourceGroup, SourceGroups } from "@restic-manager/protocol/api/sources";
import { addSchedule, NOON } from "@restic-manager/server/testing/rows";
import type { Locator, Page } from "playwright-core";
import { addReadyHost, type SeededHost } from "./console-hosts.ts";
import { changeLook, expectUsable, open, startConsoleWorld, type ConsoleWorld } from "./console-world.ts";

const HOUR = 3_600_000;
/** A browser calls every answer that is a refusal an error; these tests ask for some. */
const REFUSED = /the server responded with a status of (409|422|503)/;

/** A folder for pictures of every page, for who wants to look at them. */
export const PICTURES = process.env["RM_TEST_PICTURES"];
export const LOOKS = [
  { scheme: "light", width: 1440 },
  { scheme: "light", width: 390 },
  { scheme: "dark", width: 390 },
  { scheme: "dark", width: 1440 },
] as const;

/** Looks at the page in both themes, wide and narrow; with pictures if somebody wants them. */
export async function everyLook(page: Page, name: string): Promise<void> {
  for (const look of LOOKS) {
    await changeLook(page, look);
    // What the top bar half covers is not too small to be hit.
    await page.evaluate("scrollTo(0, 0)");
    if (PICTURES !== undefined)
      await page.screenshot({
        path: `${PICTURES}/${name}-${look.scheme}-${look.width}.png`,
        fullPage: look.width === 390,
      });
    await expectUsable(page, `${name} in ${look.scheme} at ${look.width}`);
  }
  await changeLook(page, LOOKS[0]);
}

interface Shape<Answer> {
  parse: (body: unknown) => Answer;
}

/** A world whose hosts have groups and schedules, made as a person would: through the API. */
export interface TabsWorld extends Omit<ConsoleWorld, "complaints"> {
  /** Asks under `/api/hosts/` as an admin, without the page. */
  call: <Answer>(method: string, path: string, shape: Shape<Answer>, json?: unknown) => Promise<Answer>;
  groupsOf: (host: SeededHost) => Promise<SourceGroup[]>;
  schedulesOf: (host: SeededHost) => Promise<Schedules>;
  /** A host with three groups and four schedules: one is off, one overdue, and one group has a conflict. */
  seeded: (given?: Parameters<typeof addReadyHost>[2]) => Promise<SeededHost & { name: string }>;
  inBrowser: (role: Role, path: string, work: (page: Page) => Promise<void>) => Promise<void>;
  /** The server gathers changes for a moment of its own clock before it tells pages of them. */
  see: (what: Locator) => Promise<void>;
  complaints: () => string[];
}

export async function startTabsWorld(): Promise<TabsWorld> {
  const world = await startConsoleWorld();
  const { server } = world;
  const { db } = server.parts;
  const admin = await server.signedInAs("admin");
  let number = 0;

  const call: TabsWorld["call"] = async (method, path, shape, json) => {
    const answer = await server.ask(`/api/hosts/${path}`, {
      method,
      cookie: admin,
      ...(json === undefined ? {} : { json }),
    });
    const body: unknown = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(body)}`);
    return shape.parse(body);
  };

  return {
    ...world,
    call,
    groupsOf: async ({ id }) => (await call("GET", `${id}/source-groups`, SourceGroups)).items,
    schedulesOf: ({ id }) => call("GET", `${id}/schedules`, Schedules),
    complaints: () => world.complaints().filter((line) => !REFUSED.test(line)),
    async seeded(given = {}) {
      number += 1;
      const name = `db-ams-0${number}`;
      const host = await addReadyHost(server.parts, name, {
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
      await addSchedule(db, host.id, [databases.id], {
        cron: "0 3 * * *",
        counts_from: NOON - 20 * HOUR,
        created_at: NOON - 20 * HOUR,
      });
      return { ...host, name };
    },
    async inBrowser(role, path, work) {
      const context = await world.browse({ role });
      try {
        await work(await open(context, world, path));
      } finally {
        await context.close();
      }
    },
    async see(what) {
      for (let tries = 0; tries < 100; tries += 1) {
        server.clock.advance(100);
        if (await what.first().isVisible()) return;
        await what.page().waitForTimeout(50);
      }
      await what.first().waitFor({ timeout: 1_000 });
    },
  };
}
