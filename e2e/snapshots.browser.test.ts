import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { ADMIN } from "./stage/server-process.ts";
import { until } from "./stage/until.ts";
import { rowOf, startWizardWorld, type WizardWorld } from "./wizard-world.ts";

/** A host's snapshots compared, tagged, forgotten and downloaded from by the console, with nothing made up at either end. */

setDefaultTimeout(240_000);

let world: WizardWorld;
let page: Page;

beforeAll(async () => {
  world = await startWizardWorld();
  page = await world.browser.newPage();
  await page.goto(world.stage.server.origin);
  await page.getByLabel("User name").fill(ADMIN.username);
  await page.getByLabel("Password", { exact: true }).fill(ADMIN.password);
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: world.host.name }).first().waitFor();
}, 240_000);
afterAll(() => world?.stop(), 60_000);
afterEach(() => expect(world.complaints()).toEqual([]));

const tell = (body: () => Promise<void>) => world.stage.tell(body);
const path = (...parts: string[]) => join(world.data, ...parts);
const tab = () => `${world.stage.server.origin}/hosts/${world.host.id}?tab=snapshots`;
const bar = () => page.getByRole("region", { name: "Selected snapshots" });
const select = (id: string) =>
  page.getByRole("checkbox", { name: `Select snapshot ${id.slice(0, 8)}` }).check();
const rows = (words: string) => page.getByText(words, { exact: true }).waitFor();

/** What plain restic says is in the repository. */
async function listed(): Promise<{ id: string; tags?: string[] }[]> {
  return JSON.parse(await world.repository.restic(world.host.name, ["snapshots", "--json"])) as {
    id: string;
    tags?: string[];
  }[];
}

test("a snapshot is compared with the one before it, and what changed is found by kind, name and folder", () =>
  tell(async () => {
    mkdirSync(path("many/new folder"));
    for (let n = 0; n < 30; n += 1) writeFileSync(path("many/new folder", `Über ${n}`), "x".repeat(n));
    writeFileSync(path("many/f1"), "shorter");
    rmSync(path("many/f2"));
    chmodSync(path("many/f3"), 0o600);
    await world.host.finished((await world.host.backUp()).id, 90);
    await world.host.atRest();
    await page.goto(tab());
    await rows("2 rows");
    await page.getByRole("row").nth(1).getByRole("checkbox").check();
    await bar().getByRole("button", { name: "Compare with the one before" }).click();
    await page.getByRole("heading", { name: /^Comparing snapshots of/ }).waitFor();
    await page.getByText("Succeeded").first().waitFor();
    await page.getByRole("heading", { name: "By folder" }).waitFor();
    await page.getByRole("searchbox", { name: "Find by a part" }).fill(path("many/new folder"));
    await rows("31 rows");
    await page.getByRole("searchbox", { name: "Find by a part" }).fill("Über 2");
    await rows("11 rows");
    await page.getByRole("searchbox", { name: "Find by a part" }).fill("");
    await page.getByRole("button", { name: /^Removed/ }).click();
    await rows("1 row");
    await page.getByRole("row", { name: new RegExp(`Removed.*${path("many/f2")}.*977 KiB`) }).waitFor();
    await page.getByRole("button", { name: /^All \d\d/ }).click();
    await page
      .getByRole("link", { name: path("many"), exact: true })
      .first()
      .click();
    await page.getByText(`Only below ${path("many")}`).waitFor();
    await page.getByRole("searchbox", { name: "Find by a part" }).fill("/f");
    await page.getByRole("row", { name: new RegExp(`Changed.*${path("many/f1")}.*977 KiB.*7 B`) }).waitFor();
    await page.getByRole("row", { name: new RegExp(`Metadata.*${path("many/f3")}`) }).waitFor();
    // A row leads to where it lies: what was removed is in the older one.
    await page.getByRole("link", { name: path("many/f2") }).click();
    await rowOf(page, "f2").waitFor();
    expect(page.url()).toContain(world.snapshotId);
  }));

/** Presses a link to a download and answers what the browser saved. */
async function download(name: string): Promise<{ as: string; file: string }> {
  const coming = page.waitForEvent("download");
  await page.getByRole("link", { name, exact: true }).click();
  const saved = await coming;
  expect(await saved.failure()).toBeNull();
  return { as: saved.suggestedFilename(), file: await saved.path() };
}

test("a file comes out of the wizard byte for byte, a folder as tar and as zip", () =>
  tell(async () => {
    await page.goto(world.wizard(path("many")));
    await rowOf(page, "f0").focus();
    const file = await download("Download");
    expect(file.as).toBe("f0");
    expect(readFileSync(file.file).equals(readFileSync(path("many/f0")))).toBe(true);
    await page.goto(world.wizard(path()));
    await rowOf(page, "many").focus();
    for (const [kind, command] of [
      ["tar", ["tar", "-xf"]],
      ["zip", ["unzip", "-q"]],
    ] as const) {
      const archive = await download(`Download as ${kind}`);
      expect(archive.as).toBe(`many.${kind}`);
      const into = join(world.stage.folder, `unpacked-${kind}`);
      mkdirSync(into);
      if (kind === "zip" && Bun.which("unzip") === null) continue;
      const unpacked = Bun.spawnSync([...command, archive.file], { cwd: into, stderr: "pipe" });
      expect(unpacked.stderr.toString().replaceAll(/^tar: Removing.*\n/gm, "")).toBe("");
      const at = join(into, path("many"));
      expect(readdirSync(at)).toHaveLength(40);
      expect(readFileSync(join(at, "f7")).equals(readFileSync(path("many/f7")))).toBe(true);
    }
  }));

test("tags are changed, and the snapshot is found again under its other ID", () =>
  tell(async () => {
    const before = await listed();
    await page.goto(tab());
    await select(world.snapshotId);
    await bar().getByRole("button", { name: "Change tags…" }).click();
    await page.getByLabel("Add tags").fill("before-upgrade");
    await page.getByRole("button", { name: "Change tags of 1 snapshot" }).click();
    await page.getByRole("heading", { name: /^Tagging snapshots of/ }).waitFor();
    await page.getByText("Succeeded").first().waitFor();
    const after = await listed();
    const tagged = after.find(({ tags }) => tags?.includes("before-upgrade"));
    expect(after).toHaveLength(before.length);
    expect(tagged?.id).not.toBe(world.snapshotId);
    // Once the agent has listed them anew, without anybody reloading the page.
    await page.getByRole("cell", { name: /before-upgrade/ }).waitFor();
    await page.getByRole("link", { name: tagged?.id.slice(0, 8) ?? "", exact: true }).click();
    await page.getByRole("heading", { name: `Snapshot ${tagged?.id.slice(0, 8)}` }).waitFor();
    await page.getByRole("button", { name: "before-upgrade" }).click();
    await rows("1 row");
  }));

test("a chosen snapshot is forgotten once the host's name is typed, and no other", () =>
  tell(async () => {
    const before = await listed();
    const gone = before.find(({ tags }) => tags?.includes("before-upgrade"))?.id ?? "";
    await page.goto(tab());
    await select(gone);
    await bar().getByRole("button", { name: "Forget…" }).click();
    await page.getByLabel(`Type ${world.host.name} to confirm`).fill(world.host.name);
    await page.getByRole("button", { name: "Forget 1 snapshot" }).click();
    await page.getByRole("heading", { name: /^Forgetting snapshots of/ }).waitFor();
    await page.getByText("Succeeded").first().waitFor();
    expect((await listed()).map(({ id }) => id)).toEqual(
      before.map(({ id }) => id).filter((id) => id !== gone),
    );
    await until("the server's list has it no more", async () =>
      (await world.host.snapshots()).every(({ id }) => id !== gone),
    );
    await page.goto(tab());
    await rows("1 row");
    const kept = await world.stage.store((db) =>
      db.selectFrom("audit").select("action").where("action", "like", "snapshots.%").execute(),
    );
    expect(kept.map(({ action }) => action).toSorted()).toEqual(["snapshots.forgotten", "snapshots.tagged"]);
  }));
