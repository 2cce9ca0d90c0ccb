import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JobId } from "@restic-manager/protocol/ids";
import type { Page } from "playwright-core";
import { factsOf } from "../agent/testing/odd-tree.ts";
import { ADMIN } from "./stage/server-process.ts";
import { SmallDisk } from "./stage/small-disk.ts";
import { until } from "./stage/until.ts";
import {
  jobOnPage,
  rowOf,
  startWizardWorld,
  tabTo,
  underWay,
  wholeOf,
  withoutOwners,
  type WizardWorld,
} from "./wizard-world.ts";

/** Issue 5, section 5: files are lost, and come back by the console, with nothing made up at either end. */

setDefaultTimeout(300_000);
const TWO_MINUTES_MS = 120_000;

let world: WizardWorld;
let page: Page;
let lost: ReturnType<typeof wholeOf>;

beforeAll(async () => {
  world = await startWizardWorld();
  lost = wholeOf(world.data);
  page = await world.browser.newPage();
}, 300_000);
afterAll(() => world?.stop(), 60_000);
afterEach(() => expect(world.complaints()).toEqual([]));

const tell = (body: () => Promise<void>) => world.stage.tell(body);
const path = (...parts: string[]) => join(world.data, ...parts);

/** Ticks things of a folder in the snapshot, and goes on to where they should go. */
async function pick(folder: string, names: string[]): Promise<void> {
  await page.goto(world.wizard(folder));
  for (const name of names) {
    await rowOf(page, name).click();
    await page
      .locator("[role=treeitem][aria-checked=true]")
      .filter({ has: page.getByTitle(name, { exact: true }) })
      .waitFor();
  }
  await page.getByRole("link", { name: "Choose the target" }).click();
  await page.getByRole("heading", { name: "Where should the files go?" }).waitFor();
}

const lastLook = () => page.getByRole("link", { name: "Continue to the last look" }).click();
const typeName = () => page.getByLabel(`Type ${world.host.name} to restore in place`).fill(world.host.name);

async function toFolder(folder: string): Promise<void> {
  await page.getByLabel("Folder", { exact: true }).fill(folder);
  await lastLook();
}

/** Presses the button that begins it. */
async function start(name: RegExp = /^Restore (\d|[a-z])/): Promise<JobId> {
  await page.locator("button[type=submit]").filter({ hasText: name }).click();
  return await jobOnPage(page);
}

async function copied(label: string): Promise<string> {
  const field = page.getByText(label, { exact: true }).locator("xpath=..");
  await field.getByRole("button", { name: "Copy" }).click();
  await field.getByText(`${label} copied`).waitFor();
  return await page.evaluate<string>("navigator.clipboard.readText()");
}

test("a deleted file is back within two minutes of opening the console, by keyboard alone", () =>
  tell(async () => {
    const file = path("many/f7");
    rmSync(file);
    const since = statSync(path("many")).mtimeMs;
    const { keyboard } = page;
    const enter = async (what: Parameters<typeof tabTo>[1]) => {
      await tabTo(page, what);
      await keyboard.press("Enter");
    };
    await world.browser.clearCookies();
    const began = performance.now();
    await page.goto(world.stage.server.origin);
    await tabTo(page, page.getByLabel("User name"));
    await keyboard.type(ADMIN.username);
    await tabTo(page, page.getByLabel("Password", { exact: true }));
    await keyboard.type(ADMIN.password);
    await keyboard.press("Enter");
    await enter(page.getByRole("link", { name: world.host.name }).first());
    await enter(page.getByRole("link", { name: "Restore files" }));
    await page.getByRole("heading", { name: "From which snapshot?" }).waitFor();
    await enter(page.getByRole("row").nth(1).getByRole("link"));
    await page.getByRole("treeitem").first().waitFor();
    await keyboard.press("/");
    await keyboard.type("many/f7");
    await tabTo(page, rowOf(page, file));
    await keyboard.press("Space");
    await enter(page.getByRole("link", { name: "Choose the target" }));
    await tabTo(page, page.getByRole("radio", { name: "To a new folder" }));
    await keyboard.press("ArrowDown");
    await enter(page.getByRole("link", { name: "Continue to the last look" }));
    await tabTo(page, page.getByLabel(`Type ${world.host.name} to restore in place`));
    await keyboard.type(world.host.name);
    await keyboard.press("Enter");
    await page.getByText("The files are back in place").waitFor();
    expect(existsSync(file)).toBe(true);
    const took = performance.now() - began;
    // Nobody picked the folder around it: that keeps the time of the deletion.
    expect(statSync(path("many")).mtimeMs).toBeCloseTo(since, 2);
    const { facts, ...others } = wholeOf(world.data);
    const asBefore = { ...facts["many"], mtime: lost.facts["many"]?.mtime };
    expect<unknown>({ ...others, facts: { ...facts, many: asBefore } }).toEqual(lost);
    // The one figure that is promised to a person.
    expect(took).toBeLessThan(TWO_MINUTES_MS);
  }));

test("everything that was deleted comes to a new folder, byte for byte and with its metadata, by mouse", () =>
  tell(async () => {
    rmSync(world.data, { recursive: true });
    await page.goto(world.stage.server.origin);
    await page.getByRole("link", { name: world.host.name }).first().click();
    await page.getByRole("link", { name: "Restore files" }).click();
    await page.getByRole("row").nth(1).getByRole("link").click();
    const folders = world.data.split("/").slice(1, -1);
    for (const folder of folders) await rowOf(page, folder).locator("[data-opens]").click();
    await rowOf(page, "data").click();
    // It is all there is in those folders in the snapshot, and they are not picked with it: on the disk there is more in them.
    expect(await rowOf(page, folders[0] ?? "").getAttribute("aria-checked")).toBe("mixed");
    await page.getByRole("link", { name: "Choose the target" }).click();
    await page.getByRole("checkbox", { name: "Verify" }).check();
    await page.getByRole("checkbox", { name: "Sparse files" }).check();
    const target = join(world.stage.folder, "all of it");
    await toFolder(target);
    await page.getByRole("button", { name: /^Preview/ }).click();
    await page.getByText(/^Preview: \d+ files and folders would be written/).waitFor();
    expect(existsSync(target)).toBe(false);
    await start();
    await page.getByText(`The files are in ${target}`).waitFor();
    await page.getByText("Every restored file was read again").waitFor();
    expect(wholeOf(join(target, world.data))).toEqual({ ...lost, facts: withoutOwners(lost.facts) });
    await page.getByRole("link", { name: "Open host" }).click();
    await page.getByRole("heading", { name: "Recent restores" }).waitFor();
    await page.getByRole("link", { name: world.data, exact: true }).first().waitFor();
  }));

test("in place everything is as it was, owners as well, and what came since is gone after it was asked twice", () =>
  tell(async () => {
    mkdirSync(path("odd"), { recursive: true });
    writeFileSync(path("odd/private"), "somebody's change");
    writeFileSync(path("odd/new"), "came after the snapshot");
    await pick(join(world.data, ".."), ["data"]);
    await page.getByRole("radio", { name: "In place" }).check();
    await page.getByRole("checkbox", { name: /^Delete what is/ }).check();
    await page.getByRole("checkbox", { name: "Sparse files" }).check();
    await lastLook();
    await page.getByRole("button", { name: /^Preview/ }).click();
    await page
      .getByRole("listitem")
      .filter({ hasText: path("odd/new") })
      .waitFor();
    await typeName();
    await page.getByLabel(/once more to delete/).fill(world.host.name);
    await start(/and delete the rest$/);
    await page.getByText("The files are back in place").waitFor();
    expect(existsSync(path("odd/new"))).toBe(false);
    expect(wholeOf(world.data)).toEqual(lost);
  }));

test("of odd names exactly the picked ones come, and the copied command does the same with plain restic", () =>
  tell(async () => {
    // The third is a name whose last byte is no UTF-8, as the tree shows it.
    const names = ["new\nline", "star*[?]", "caf\ufffd", "-dash", "'quote'", "trail "];
    await pick(path("odd/names"), names);
    const target = join(world.stage.folder, "odd ones");
    await toFolder(target);
    await start();
    await page.getByText(`The files are in ${target}`).waitFor();
    const back = factsOf(join(target, path("odd/names")));
    const wanted = ["new\nline", "star*[?]", "caf\u00e9", "-dash", "'quote'", "trail "];
    expect(Object.keys(back).toSorted()).toEqual(wanted.toSorted());
    for (const name of wanted) expect(back[name]).toEqual(lost.facts[`odd/names/${name}`]);
    expect(await copied("Folder")).toBe(target);
    const command = await copied("With restic alone, in a shell");
    const byHand = join(world.stage.folder, "by hand");
    await world.repository.shell(command.replaceAll(target, byHand));
    expect(factsOf(byHand)).toEqual(factsOf(target));
  }));

test("cancelled half-way the page says what is there, and once more brings the rest", () =>
  tell(async () => {
    rmSync(path("many"), { recursive: true });
    rmSync(path("large"));
    await world.slowly(async () => {
      await pick(join(world.data, ".."), ["data"]);
      await page.getByRole("radio", { name: "In place" }).check();
      await lastLook();
      await typeName();
      const id = await start();
      await underWay(world, id);
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByText(/^The restore was cancelled at/).waitFor();
      await page.getByText(/files? (and|or) folders? of \d+ .* had been written and stay in place/).waitFor();
      expect(await world.host.job(id)).toMatchObject({ state: "cancelled", left: { complete: false } });
      const there = readdirSync(world.data);
      expect(there.includes("many") || there.includes("large")).toBe(true);
      expect(factsOf(world.data)).not.toEqual(lost.facts);
    });
    await page.getByRole("link", { name: "Restore again" }).click();
    await rowOf(page, "data").click();
    await page.getByRole("link", { name: "Choose the target" }).click();
    await page.getByRole("radio", { name: "In place" }).check();
    await page.getByRole("checkbox", { name: "Verify" }).check();
    await lastLook();
    await typeName();
    await start();
    await page.getByText("The files are back in place").waitFor();
    expect(factsOf(world.data)).toEqual(lost.facts);
  }));

test("the server is killed in the middle: the restore goes on, and the open page tells of its end", () =>
  tell(async () => {
    const { server } = world.stage;
    const target = join(world.stage.folder, "without a server");
    await world.slowly(async () => {
      await pick(world.data, ["many", "odd", "large"]);
      await toFolder(target);
      const id = await start();
      await underWay(world, id);
      await server.kill();
      await page
        .getByText(/^Reconnecting/)
        .first()
        .waitFor();
      await until("the agent has the outcome", () => world.host.agent.stateOf(id) === "finished", 90);
      await server.start();
      await page.getByText(`The files are in ${target}`).waitFor();
      await page.getByText("Live", { exact: true }).waitFor();
      expect(await world.host.job(id)).toMatchObject({ state: "succeeded", result: { issue_count: 0 } });
    });
    // A browser says of itself that it found nobody.
    expect(world.complaints().filter((line) => !/ERR_(CONNECTION|INCOMPLETE|EMPTY)/.test(line))).toEqual([]);
    expect(factsOf(join(target, world.data))).toEqual(withoutOwners(lost.facts));
  }));

test("a restore that does not fit says so in the preview, and writes nothing", () =>
  tell(async () => {
    const disk = new SmallDisk(join(world.stage.folder, "small"), 8);
    try {
      const target = join(disk.path, "restored");
      await pick(world.data, ["many"]);
      await toFolder(target);
      await page.getByRole("button", { name: /^Preview/ }).click();
      await page.getByText("Not enough room: 38.1 MiB needed, 8.00 MiB free").waitFor();
      await start();
      await page
        .getByText(/There is not enough room/)
        .first()
        .waitFor();
      expect(existsSync(target)).toBe(false);
      await pick(path("many"), ["f1", "f2"]);
      await toFolder(target);
      await start();
      await page.getByText(`The files are in ${target}`).waitFor();
      expect(readFileSync(join(target, path("many/f1")))).toEqual(readFileSync(path("many/f1")));
    } finally {
      disk.unmount();
    }
  }));

test("a backup that runs is stopped for a restore, which goes before the backup that waits", () =>
  tell(async () => {
    const { host } = world;
    writeFileSync(path("slow"), crypto.getRandomValues(new Uint8Array(60_000)));
    for (let n = 0; n < 5; n += 1)
      writeFileSync(path(`slow${n}`), crypto.getRandomValues(Buffer.alloc(1_000_000)));
    const running = await host.backUp({ upload_kib_per_s: 64 });
    await until("the backup runs", () => host.agent.pidOf(running.id) !== undefined);
    const waiting = await host.backUp();
    const target = join(world.stage.folder, "at once");
    await pick(world.data, ["odd"]);
    await toFolder(target);
    await page.getByText(`A backup of ${host.name} is running`).waitFor();
    await page.getByRole("button", { name: "Stop the backup and restore now" }).click();
    const id = await jobOnPage(page);
    await page.getByText(`The files are in ${target}`).waitFor();
    const [stopped, restored, after] = [
      await host.finished(running.id, 60),
      await host.finished(id),
      await host.finished(waiting.id, 60),
    ];
    expect([stopped.state, restored.state, after.state]).toEqual(["cancelled", "succeeded", "succeeded"]);
    expect(Date.parse(restored.finished_at)).toBeLessThan(Date.parse(after.finished_at));
    expect("started_at" in after && Date.parse(after.started_at ?? "")).toBeGreaterThanOrEqual(
      Date.parse(restored.finished_at),
    );
    expect(factsOf(join(target, path("odd")))).toEqual(withoutOwners(factsOf(path("odd"))));
  }));
