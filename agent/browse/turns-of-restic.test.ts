import { afterEach, beforeEach, expect, test } from "bun:test";
import { getPriority } from "node:os";
import { join } from "node:path";
import { ResticId } from "@restic-manager/protocol/ids";
import type { TreeQuestion } from "@restic-manager/protocol/tree";
import { installFakeRestic, type FakeRestic } from "@restic-manager/restic/fake/install";
import { testContext, testFolder, type TestFolder } from "@restic-manager/restic/testing/context";
import { manualTimers, type ManualTimers } from "../testing/timers.ts";
import { Browser } from "./browser.ts";

const SNAPSHOT = ResticId.parse("a".repeat(64));
const HEADER = JSON.stringify({ message_type: "snapshot", tree: "b".repeat(64), struct_type: "snapshot" });
const EMPTY = [{ do: "print" as const, text: HEADER }];

let folder: TestFolder;
let fake: FakeRestic;
let timers: ManualTimers;
let browser: Browser;
beforeEach(() => {
  folder = testFolder();
  fake = installFakeRestic(join(folder.path, "fake"), { initialised: true });
  timers = manualTimers();
  const context = testContext(folder.path, fake.path);
  browser = new Browser({
    folder: join(folder.path, "browse"),
    restic: () => ({ ok: true, context }),
    hostName: () => "h",
    timers,
  });
});
afterEach(async () => {
  await browser.stop();
  folder.remove();
});

let asked = 0;
const list = (): Extract<TreeQuestion, { type: "tree.list" }> => ({
  type: "tree.list",
  request_id: `list${asked++}`,
  deadline_ms: 600_000,
  snapshot_id: SNAPSHOT,
  path: "/",
  from: 0,
  limit: 10,
});
const versions = (): TreeQuestion => ({
  type: "tree.versions",
  request_id: `versions${asked++}`,
  deadline_ms: 600_000,
  path: "/srv",
});
/** restics that list one folder, and those that list the whole snapshot. */
const ofFolder = () => fake.starts("ls").filter(({ argv }) => argv.at(-1) === "/");
const ofWhole = () => fake.starts("ls").filter(({ argv }) => argv.at(-1) === SNAPSHOT);
async function until(there: () => boolean): Promise<void> {
  while (!there()) await new Promise((resolve) => void setImmediate(resolve));
}
const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("a search through all snapshots, which may take minutes, does not keep folders waiting", async () => {
  fake.play({ initialised: true, commands: { find: [{ do: "hang" }], ls: EMPTY } });
  const slow = [versions(), versions(), versions()].map((question) => browser.ask(question));
  await until(() => fake.starts("find").length > 0);
  expect(await browser.ask(list())).toMatchObject({ type: "tree.list.result", page: { total: 0 } });
  expect(fake.starts("find")).toHaveLength(1);
  browser.leaveAll();
  for (const answer of await Promise.all(slow))
    expect(answer).toMatchObject({ error: { code: "cancelled" } });
});

test("a restic that works for nobody any more is ended", async () => {
  fake.play({ initialised: true, commands: { ls: [{ do: "hang" }] } });
  const question = list();
  const answer = browser.ask(question);
  await until(() => ofFolder().length > 0);
  browser.leave(question.request_id);
  expect(await answer).toMatchObject({ error: { code: "cancelled" } });
  const starts = ofFolder();
  expect(starts).toHaveLength(1);
  await until(() => !lives(starts[0]?.pid ?? 0));
});

test("whoever looks into one snapshot after the other waits for the last one's index, not for all of them", async () => {
  fake.play({ initialised: true, commands: { ls: [...EMPTY, { do: "hang" }] } });
  const others = ["b", "c", "d"].map((letter) => ResticId.parse(letter.repeat(64)));
  const answers: Promise<unknown>[] = [];
  const begun = (id: string) => fake.starts("ls").some(({ argv }) => argv.at(-1) === id);
  const look = async (snapshot_id: ResticId) => {
    const question = { ...list(), snapshot_id };
    answers.push(browser.ask(question));
    await until(() => fake.starts("ls").length >= answers.length);
    browser.leave(question.request_id);
    await answers.at(-1);
  };
  await look(SNAPSHOT);
  await until(() => begun(SNAPSHOT));
  for (const id of others.slice(0, 2)) await look(id);
  timers.advance(10_001);
  answers.push(browser.ask({ ...list(), snapshot_id: others[2] ?? SNAPSHOT }));
  await until(() => begun(others[2] ?? ""));
  expect(others.slice(0, 2).map(begun)).toEqual([false, false]);
  browser.leaveAll();
  await Promise.all(answers);
});

test("the index is begun with the first question, behind the folder that somebody waits for", async () => {
  fake.play({ initialised: true, commands: { ls: [...EMPTY, { do: "hang" }] } });
  const answer = browser.ask(list());
  await until(() => fake.starts("ls").length === 2);
  expect(getPriority(ofFolder()[0]?.pid)).toBe(getPriority());
  expect(getPriority(ofWhole()[0]?.pid)).toBe(Math.min(19, getPriority() + 10));
  browser.leaveAll();
  expect(await answer).toMatchObject({ error: { code: "cancelled" } });
});
