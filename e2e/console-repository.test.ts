import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { RepositoryPage } from "@restic-manager/protocol/api/repository-page";
import { PROTOCOL_VERSION } from "@restic-manager/protocol/version";
import { addJob, NOON } from "@restic-manager/server/testing/rows";
import type { Page } from "playwright-core";
import { addReadyHost, type SeededHost } from "./console-hosts.ts";
import { LOOKS, PICTURES, startTabsWorld, type TabsWorld } from "./console-tabs.ts";
import { changeLook, expectUsable } from "./console-world.ts";

/** The Repository tab of a host and what its jobs came to, in a real browser, against a real server. */

const PATIENCE_MS = 240_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const GIB = 1024 ** 3;
const REPOSITORY = "7f3c91ab".padEnd(64, "0");
let world: TabsWorld;
beforeAll(async () => {
  world = await startTabsWorld();
}, PATIENCE_MS);
afterAll(() => world.stop(), PATIENCE_MS);
afterEach(() => expect(world.complaints()).toEqual([]));

async function look(page: Page, name: string) {
  for (const one of LOOKS) {
    await changeLook(page, one);
    if (PICTURES !== undefined)
      await page.screenshot({
        path: `${PICTURES}/repository-${name}-${one.scheme}-${one.width}.png`,
        fullPage: true,
      });
    await expectUsable(page, `${name} in ${one.scheme} at ${one.width}`);
  }
}

const ids = (count: number, first = 0x51a0) =>
  Array.from({ length: count }, (_, n) => (first + n * 7919).toString(16).padStart(8, "0").padEnd(64, "c"));

/** A repository that was looked after for weeks: its sizes, and what forget, prune and check came to. */
async function kept(name: string, given: Parameters<typeof addReadyHost>[2] = {}): Promise<SeededHost> {
  const { db } = world.server.parts;
  const host = await addReadyHost(world.server.parts, name, {
    timezone: "Europe/Berlin",
    protocol_version: PROTOCOL_VERSION,
    repository_id:
      // The end of the name tells hosts apart: two with one repository see each other's locks.
      REPOSITORY.slice(0, 64 - name.length) + Buffer.from(name).toString("hex").slice(-name.length),
    ...given,
  });
  await db
    .insertInto("repository_stats")
    .values(
      Array.from({ length: 60 }, (_, n) => ({
        host_id: host.id,
        taken_at: NOON - (60 - n) * DAY,
        total_size: Math.round((300 + n * 2 - (n > 40 ? 42 : 0)) * GIB),
        total_uncompressed_size: Math.round((700 + n * 4) * GIB),
        blob_count: 1_200_000,
        snapshots_count: 40 + n,
      })),
    )
    .execute();
  // Nothing is forgotten before a group says what to keep; the preview's test begins without.
  if (name !== "vault-06")
    await db
      .updateTable("source_groups")
      .set({ retention_policy: '{"daily":14,"weekly":8}' })
      .where("id", "=", host.groupId)
      .execute();
  const done = (kind: "forget" | "prune" | "check", at: number, result: object) =>
    addJob(db, host.id, "succeeded", {
      kind,
      actor_kind: "system",
      actor_name: "restic-manager",
      input: JSON.stringify(kind === "check" ? { read_data_percent: 5 } : { use_admin: false }),
      created_at: at,
      started_at: at,
      finished_at: at + 18 * 60_000,
      result: JSON.stringify(result),
    });
  await done("prune", NOON - 6 * DAY, {
    freed_bytes: Math.round(41.7 * GIB),
    remaining_bytes: 360 * GIB,
    duration_seconds: 1_080,
  });
  await done("check", NOON - 2 * DAY, {
    result: "ok",
    read_data_percent: 5,
    hints: [],
    duration_seconds: 900,
  });
  await done("forget", NOON - 8 * HOUR, {
    dry_run: false,
    groups: [
      {
        source_group_id: host.groupId,
        source_group_name: "default",
        outcome: "done",
        kept_count: 3,
        removed_count: 9,
        kept: [],
        removed: [],
        not_removed_count: 0,
      },
    ],
  });
  return host;
}

const pageOf = (host: SeededHost) => world.call("GET", `${host.id}/repository`, RepositoryPage);

test(
  "the page shows what agents reported: health, size over time, snapshots by tag, what runs when",
  async () => {
    const host = await kept("vault-01");
    await world.inBrowser("admin", `/hosts/${host.id}?tab=repository`, async (page) => {
      const health = page.getByRole("region", { name: "Health" });
      await health.getByText("No errors").waitFor();
      await health.getByText("41.7 GiB").waitFor();
      await page.getByRole("img", { name: /^From 300 GiB on/ }).waitFor();
      await page.getByRole("region", { name: "Snapshots by tag" }).getByRole("table").waitFor();
      await page.getByText("9 snapshots removed").waitFor();
      await page.getByText("Would be skipped").first().waitFor();
      await look(page, "whole");
    });
    await world.inBrowser("viewer", `/hosts/${host.id}?tab=repository`, async (page) => {
      await page.getByText("Snapshots by tag").waitFor();
      expect(
        await page.getByRole("button", { name: /Run|Change the times|Set…|Initialise|Preview/ }).count(),
      ).toBe(0);
      expect(await page.getByRole("switch").count()).toBe(0);
      await expectUsable(page, "the repository, for who may only look");
    });
  },
  PATIENCE_MS,
);

test(
  "maintenance is switched and timed; what is no cron expression is said at the field and stays",
  async () => {
    const host = await kept("vault-02");
    await world.inBrowser("operator", `/hosts/${host.id}?tab=repository`, async (page) => {
      await page.getByRole("switch", { name: "Prune by itself: on" }).click();
      await page.getByRole("switch", { name: "Prune by itself: off" }).waitFor();
      await page.getByText("Off: only by hand").waitFor();
      await page.getByRole("button", { name: "Change the times…" }).click();
      await page.getByLabel("Forget, cron expression").fill("@daily");
      await page.getByText("Write 0 0 * * * instead of @daily").waitFor();
      await page.getByLabel("Check reads of the data, percent").fill("101");
      await page.getByRole("button", { name: "Save the times" }).click();
      await page.getByText("2 fields need another look").waitFor();
      await page.getByText("0 to 100 percent").waitFor();
      expect(await page.getByLabel("Forget, cron expression").inputValue()).toBe("@daily");
      await look(page, "times");
      await page.getByLabel("Forget, cron expression").fill("15 4 * * *");
      await page.getByLabel("Check reads of the data, percent").fill("10");
      await page.getByRole("button", { name: "Save the times" }).click();
      await page.getByText("At 04:15, every day").waitFor();
      const { maintenance } = await pageOf(host);
      expect(maintenance).toMatchObject({
        forget: { cron: "15 4 * * *", enabled: true },
        prune: { enabled: false },
        check: { read_data_percent: 10 },
      });
    });
  },
  PATIENCE_MS,
);

test(
  "the admin credential is set, never shown, replaced and removed; prune runs with it only",
  async () => {
    const host = await kept("vault-03");
    await world.inBrowser("admin", `/hosts/${host.id}?tab=repository`, async (page) => {
      const prune = page.getByRole("button", { name: "Run: prune on vault-03" });
      expect(await prune.isDisabled()).toBe(true);
      await page.getByRole("button", { name: "Set…" }).click();
      await page.getByLabel("URL").fill("rest:https://vault-ber.nordkai.example:8001/vault-03/");
      await page.getByLabel("User").fill("vault-03-admin");
      await page.getByLabel("Password", { exact: true }).fill("the admin's secret");
      await look(page, "admin-form");
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.getByText("vault-03-admin").waitFor();
      await page.getByText("stored, not shown").last().waitFor();
      expect(await page.content()).not.toContain("the admin's secret");
      await page.getByRole("button", { name: "Run: prune on vault-03" }).click();
      await page.getByRole("link", { name: "open the job", exact: true }).click();
      await page.getByRole("heading", { name: "Pruning the repository of vault-03" }).waitFor();
      await page.goBack();
      await page.getByRole("button", { name: "Remove the admin credential" }).click();
      await page.getByRole("button", { name: "Remove the admin credential" }).click();
      await page.getByText("Not set.", { exact: false }).waitFor();
      expect((await pageOf(host)).admin).toBeNull();
    });
  },
  PATIENCE_MS,
);

test(
  "a stale lock says whose it is and goes with one click; a living one takes typing the host's name",
  async () => {
    const host = await kept("vault-04");
    const { db } = world.server.parts;
    const lock = (state: "process_gone" | "live") => ({
      id: "a".repeat(64),
      hostname: "vault-04",
      username: "root",
      pid: 20_413,
      exclusive: true,
      refreshed_at: new Date(NOON - 3 * HOUR).toISOString(),
      age_seconds: 12_240,
      state,
    });
    const failed = (state: "process_gone" | "live", at: number) =>
      addJob(db, host.id, "failed", {
        kind: "forget",
        input: JSON.stringify({ groups: [], skipped: [], dry_run: false, use_admin: false }),
        created_at: at,
        started_at: at,
        finished_at: at,
        error: JSON.stringify({
          code: "repository_locked",
          message: "the repository is locked by another restic",
          locks: [lock(state)],
        }),
      });
    await failed("process_gone", NOON - HOUR);
    await world.inBrowser("operator", `/hosts/${host.id}?tab=repository`, async (page) => {
      await page.getByText("A stale lock blocks forget, prune and check").waitFor();
      await page.getByText(/process 20413 on vault-04, 3 h 24 min old. That process is gone./).waitFor();
      await look(page, "stale-lock");
      await page.getByRole("button", { name: "Unlock: the repository of vault-04" }).click();
      await page.getByRole("link", { name: "open the job", exact: true }).waitFor();
      await db
        .updateTable("jobs")
        .set({ state: "cancelled", finished_at: NOON })
        .where("state", "=", "queued")
        .execute();

      await failed("live", NOON - 60_000);
      await page.reload();
      await page.getByText("The repository is locked", { exact: true }).waitFor();
      await page.getByText("It is certainly nobody’s: remove it all the same").click();
      const button = page.getByRole("button", { name: "Remove all locks" });
      expect(await button.isDisabled()).toBe(true);
      await page.getByLabel("Type vault-04 to confirm").fill("vault-04");
      await button.click();
      await page.getByLabel("Type vault-04 to confirm").waitFor();
      const orders = await db
        .selectFrom("jobs")
        .select("input")
        .where("host_id", "=", host.id)
        .where("kind", "=", "unlock")
        .orderBy("id")
        .execute();
      expect(orders.map((row) => JSON.parse(row.input) as unknown)).toEqual([
        { remove_all: false },
        { remove_all: true },
      ]);
    });
  },
  PATIENCE_MS,
);

test(
  "a check that found damage says which packs, on the repository's page and the job's",
  async () => {
    const host = await kept("vault-05");
    const packs = ids(2);
    const job = await addJob(world.server.parts.db, host.id, "succeeded", {
      kind: "check",
      input: JSON.stringify({ read_data_percent: 100 }),
      created_at: NOON - HOUR,
      started_at: NOON - HOUR,
      finished_at: NOON - HOUR / 2,
      result: JSON.stringify({
        result: "errors_found",
        read_data_percent: 100,
        error_count: 4,
        broken_packs: packs,
        broken_pack_count: 2,
        missing_packs: [],
        missing_pack_count: 0,
        broken_indexes: [],
        broken_trees: [],
        broken_snapshots: [],
        messages: [`pack ${packs[0]}: hash does not match`, "repository contains errors"],
        message_count: 2,
        hints: ["repair_packs", "repair_snapshots"],
        doubtful: false,
        duration_seconds: 1_800,
      }),
    });
    await world.inBrowser("viewer", `/hosts/${host.id}?tab=repository`, async (page) => {
      await page.getByText("2 broken packs").first().waitFor();
      await page.getByText(packs[0] ?? "").waitFor();
      await look(page, "damage");
      await page.getByRole("link", { name: "See what is affected" }).click();
      await page.waitForURL(`**/jobs/${job}`);
      await page.getByText("2 packs of the repository are damaged").waitFor();
      await page.getByText(packs[1] ?? "").waitFor();
      await look(page, "check-job");
    });
  },
  PATIENCE_MS,
);

test(
  "a preview of a policy that is not saved yet lists what would go and why the rest stays",
  async () => {
    const host = await kept("vault-06");
    const { db, bus } = world.server.parts;
    await world.inBrowser("operator", `/hosts/${host.id}?tab=sources&group=${host.groupId}`, async (page) => {
      await page.getByText("Live", { exact: true }).waitFor();
      const button = page.getByRole("button", { name: "Preview what would be forgotten" });
      expect(await button.isDisabled()).toBe(true);
      await page.getByLabel("Daily").fill("2");
      await button.click();
      await page.getByText("The agent is working it out…").waitFor();
      const job = await db
        .selectFrom("jobs")
        .select(["id", "input"])
        .where("host_id", "=", host.id)
        .where("kind", "=", "forget")
        .where("state", "=", "queued")
        .executeTakeFirstOrThrow();
      expect(JSON.parse(job.input)).toMatchObject({
        dry_run: true,
        groups: [{ source_group_id: host.groupId, retention_policy: { daily: 2 } }],
      });
      const entry = (id: string, n: number, reasons?: string[]) => ({
        id,
        time: new Date(NOON - n * DAY).toISOString(),
        ...(reasons === undefined ? {} : { reasons }),
      });
      const [a = "", b = "", c = "", d = ""] = ids(4);
      await db
        .updateTable("jobs")
        .set({
          state: "succeeded",
          sent_at: NOON,
          accepted_at: NOON,
          started_at: NOON,
          finished_at: NOON + 2_000,
          result: JSON.stringify({
            dry_run: true,
            groups: [
              {
                source_group_id: host.groupId,
                source_group_name: "default",
                outcome: "done",
                kept_count: 2,
                removed_count: 2,
                kept: [
                  entry(a, 0, ["daily snapshot"]),
                  entry(b, 1, ["daily snapshot", "oldest daily snapshot"]),
                ],
                removed: [entry(c, 2), entry(d, 3)],
                not_removed_count: 0,
              },
            ],
          }),
        })
        .where("id", "=", job.id)
        .execute();
      bus.publish("job.changed", { jobId: job.id, hostId: host.id });
      await world.see(page.getByText("2 snapshots would go, 2 would stay."));
      await page.getByText("daily snapshot, oldest daily snapshot").waitFor();
      await look(page, "preview");
      await page.goto(`${world.network.url}/jobs/${job.id}`);
      await page.getByText("A preview: nothing was removed").waitFor();
      await look(page, "preview-job");
    });
  },
  PATIENCE_MS,
);

test(
  "initialising again takes an administrator and the host's name",
  async () => {
    const host = await kept("vault-07");
    await world.inBrowser("admin", `/hosts/${host.id}?tab=repository`, async (page) => {
      const button = page.getByRole("button", { name: "Initialise again" });
      expect(await button.isDisabled()).toBe(true);
      await page.getByLabel("Type vault-07 to confirm").fill("vault-07");
      await button.click();
      await page.getByRole("heading", { name: "Opening the repository of vault-07" }).waitFor();
    });
  },
  PATIENCE_MS,
);
