import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { Template, Templates } from "@restic-manager/protocol/api/templates";
import type { Page } from "playwright-core";
import { addReadyHost } from "./console-hosts.ts";
import { LOOKS, PICTURES, startTabsWorld, type TabsWorld } from "./console-tabs.ts";
import { changeLook, expectUsable } from "./console-world.ts";

/** Policy templates from the first one to drift, what many hosts are given at once, and two people in one form: in a real browser. */

const PATIENCE_MS = 240_000;
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
        path: `${PICTURES}/policies-${name}-${one.scheme}-${one.width}.png`,
        fullPage: true,
      });
    await expectUsable(page, `${name} in ${one.scheme} at ${one.width}`);
  }
}

async function made(name: string, content: object): Promise<Template> {
  const cookie = await world.server.signedInAs("admin");
  const answer = await world.server.ask("/api/policy-templates", {
    method: "POST",
    cookie,
    json: { name, content },
  });
  return Template.parse(await answer.json());
}
const ETC = { name: "etc", includes: ["/etc"], retention_policy: { daily: 7 } };

test(
  "what a host has becomes a template, is given to a tag after a look at the difference, and drift is shown",
  async () => {
    const model = await world.seeded();
    for (const n of [1, 2]) await addReadyHost(world.server.parts, `web-0${n}`, {}, 1);
    const third = await addReadyHost(world.server.parts, "web-03", {}, 1);
    await world.inBrowser("operator", "/policies", async (page) => {
      await page.getByText("No policy template yet").waitFor();
      await look(page, "empty");
      await page.goto(`${world.network.url}/hosts/${model.id}?tab=sources`);
      await page.getByRole("link", { name: "Keep as a template…" }).click();
      await page.getByText(`Begins with what ${model.name} has.`).waitFor();
      await page.getByRole("button", { name: "Add template" }).click();
      await page.getByText("1 field needs another look").waitFor();
      await page.getByText("Enter a name").waitFor();
      await look(page, "form");
      await page.getByLabel("Name of the template").fill("Database servers");
      await page.getByRole("button", { name: "Add template" }).click();
      await page.getByRole("heading", { name: "Database servers" }).waitFor();
      await page.getByText("No host follows this template").waitFor();

      // Tags, as a person gives them.
      await page.goto(`${world.network.url}/hosts/${third.id}?tab=settings`);
      await page.getByLabel("Tags, with a space between them").fill("web Berlin");
      await page.getByRole("button", { name: "Save tags" }).click();
      await page.getByRole("button", { name: "Save tags", disabled: true }).waitFor();
      expect(await page.getByLabel("Tags, with a space between them").inputValue()).toBe("berlin web");
      await page.goto(`${world.network.url}/?tag=web`);
      await page.getByText(/1 of \d+ hosts with the tag web/).waitFor();
      await page.getByRole("row", { name: /web-03/ }).waitFor();
      expect(await page.getByRole("row", { name: /web-01/ }).count()).toBe(0);

      await page.goto(`${world.network.url}/policies`);
      await page.getByRole("link", { name: "Database servers" }).click();
      await page.getByRole("link", { name: "Apply to hosts…" }).click();
      await page.getByRole("radio", { name: "web 1 host" }).check();
      await page.getByText("Add source group databases").waitFor();
      await look(page, "apply");
      await page.getByRole("button", { name: "Apply to 1 host" }).click();
      await page.getByText("Database servers is applied to 1 host").waitFor();
      await page.getByRole("link", { name: "See who follows it" }).click();
      await page.getByText("In sync").waitFor();

      const groups = await world.groupsOf(third);
      expect(groups.map(({ name }) => name)).toEqual(["databases", "default", "system"]);
      const [databases] = groups;
      if (databases === undefined) throw new Error("the host has no group");
      const { db, bus } = world.server.parts;
      await db
        .updateTable("source_groups")
        .set({ includes: '["/srv/dump","/opt"]' })
        .where("id", "=", databases.id)
        .execute();
      bus.publish("schedules.changed", { hostId: third.id });
      await page.reload();
      await page.getByText("1 host differs from the template").waitFor();
      await page.getByText("Applying it again would").waitFor();
      await look(page, "drift");
      await page.goto(`${world.network.url}/hosts/${third.id}?tab=sources`);
      await page.getByText(/Follows the template Database servers, and differs from it in 1 thing/).waitFor();
      await look(page, "host-drift");
      await page.getByRole("button", { name: "Look and apply again…" }).click();
      await page.getByText("1 chosen host.").waitFor();
      await page.getByText("Change source group databases").waitFor();
      await page.getByRole("button", { name: "Apply to 1 host" }).click();
      await page.getByText("Database servers is applied to 1 host").waitFor();
      expect((await world.groupsOf(third)).find(({ id }) => id === databases.id)?.includes).toEqual([
        "/srv/dump",
        "/var/lib/postgresql",
      ]);
      await page.goto(`${world.network.url}/policies`);
      await page.getByRole("row", { name: /Database servers/ }).waitFor();
      await page.getByText("Load over a day").waitFor();
      await look(page, "list");
    });
  },
  PATIENCE_MS,
);

test(
  "hosts that are chosen in the fleet are given a template, and one click runs the schedule that covers a host",
  async () => {
    const template = await made("Small ones", {
      groups: [{ ...ETC, name: "default" }],
      schedules: [{ name: "Nightly", cron: "0 3 * * *", groups: ["default"], spread_seconds: 3_600 }],
    });
    for (const n of [1, 2]) await addReadyHost(world.server.parts, `small-${n}`, { timezone: "UTC" }, 1);
    await world.inBrowser("operator", "/?search=small-", async (page) => {
      await page.getByLabel("Select all rows that are loaded").check();
      await page.getByRole("button", { name: "Apply template…" }).click();
      await page.getByLabel("Template to apply").last().selectOption(template.id);
      await page.getByText("2 chosen hosts.").waitFor();
      await page.getByText("Change source group default").waitFor();
      await page.getByRole("button", { name: "Apply to 2 hosts" }).click();
      await page.getByText("2 hosts changed.", { exact: false }).waitFor();
      await page.goto(`${world.network.url}/?search=small-`);
      const row = page.getByRole("row", { name: /small-1/ });
      await row.getByText(/in 15 h/).waitFor();
      await row.getByRole("button", { name: "Back up small-1 now" }).click();
      await world.see(row.getByText(/Backup is queued|Backing up/));
      const { db } = world.server.parts;
      const job = await db
        .selectFrom("jobs")
        .innerJoin("hosts", "hosts.id", "jobs.host_id")
        .select(["jobs.schedule_id", "jobs.actor_kind"])
        .where("hosts.name", "=", "small-1")
        .where("jobs.state", "=", "queued")
        .executeTakeFirst();
      expect(job).toEqual({ schedule_id: expect.any(String), actor_kind: "user" });
    });
  },
  PATIENCE_MS,
);

test(
  "two people in one form: the second is told who was first, keeps what was written, and chooses",
  async () => {
    const host = await world.seeded();
    const [group] = await world.groupsOf(host);
    const [schedule] = (await world.schedulesOf(host)).items;
    if (group === undefined || schedule === undefined) throw new Error("the host has nothing to edit");
    await world.inBrowser("operator", `/hosts/${host.id}?tab=sources&group=${group.id}`, async (page) => {
      const includes = page.getByLabel("Includes");
      await includes.fill("/mine");
      await world.call("PUT", `${host.id}/source-groups/${group.id}`, Anything, {
        name: group.name,
        includes: ["/theirs"],
      });
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.getByText(/Could not save the source group: .* changed it at 12:00/).waitFor();
      expect(await includes.inputValue()).toBe("/mine");
      await look(page, "two-editors");
      await page.getByRole("button", { name: "Load theirs" }).click();
      await page.getByText(/Could not save/).waitFor({ state: "detached" });
      expect(await includes.inputValue()).toBe("/theirs");
      await includes.fill("/both");
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.waitForURL("**?tab=sources");
      expect((await world.groupsOf(host)).find(({ id }) => id === group.id)?.includes).toEqual(["/both"]);

      await page.goto(`${world.network.url}/hosts/${host.id}?tab=schedules&schedule=${schedule.id}`);
      await page.getByLabel("Cron expression").fill("0 6 * * *");
      await world.call("PUT", `${host.id}/schedules/${schedule.id}`, Anything, {
        cron: "0 5 * * *",
        source_group_ids: [group.id],
      });
      await page.getByRole("button", { name: "Save", exact: true }).click();
      await page.getByText(/Could not save the schedule: .* changed it at 12:00/).waitFor();
      expect(await page.getByLabel("Cron expression").inputValue()).toBe("0 6 * * *");
      await page.getByRole("button", { name: "Save mine over it" }).click();
      await page.waitForURL("**?tab=schedules");
      const { items } = await world.schedulesOf(host);
      expect(items.find(({ id }) => id === schedule.id)?.cron).toBe("0 6 * * *");
    });
  },
  PATIENCE_MS,
);

test(
  "who may only look sees templates, what they say and who differs, and nothing to change them with",
  async () => {
    const template = await made("Read only", {
      groups: [ETC],
      schedules: [{ name: "Nightly", cron: "30 1 * * *", groups: ["etc"] }],
    });
    await world.inBrowser("viewer", `/policies/${template.id}?tab=content`, async (page) => {
      await page.getByText("At 01:30, every day").waitFor();
      await look(page, "viewer");
      expect(await page.getByRole("button", { name: /Save|Delete|Apply/ }).count()).toBe(0);
      await page.goto(`${world.network.url}/policies/${template.id}/apply`);
      await page.getByText("Operators apply templates").waitFor();
      const seen = await page.evaluate<unknown>(
        "fetch('/api/policy-templates').then((answer) => answer.json())",
      );
      expect(Templates.parse(seen).items.map(({ name }) => name)).toContain("Read only");
    });
  },
  PATIENCE_MS,
);

const Anything = { parse: (body: unknown) => body };
