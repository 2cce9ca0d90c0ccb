import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAX_FRAME_BYTES } from "@restic-manager/protocol/limits";
import { parseServerMessage } from "@restic-manager/protocol/server-message";
import { mutated, runs } from "@restic-manager/protocol/testing/hostile";
import { TreeAnswer, type TreeQuestion } from "@restic-manager/protocol/tree";
import { manualTimers } from "../testing/timers.ts";
import { Browser } from "./browser.ts";
import { lateBrowser } from "./late-browser.ts";
import { TreeStore } from "./tree-store.ts";

const golden = join(import.meta.dirname, "../../protocol/golden/v3");
const recorded = readdirSync(golden)
  .filter((name) => name.startsWith("server.tree."))
  .map((name) => JSON.parse(readFileSync(join(golden, name), "utf8")) as Record<string, unknown>);
const TREE = String(recorded.find((message) => "tree" in message)?.["tree"]);
const SNAPSHOT = String(recorded.find((message) => "snapshot_id" in message)?.["snapshot_id"]);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rm-browser-"));
  const store = new TreeStore(join(folder, "browse"), 10_000_000);
  for (const tree of [TREE, SNAPSHOT]) {
    const build = store.begin(tree);
    const { writer } = build;
    const entry = { name: "", size: 1, mode: 0o644, mtime_ms: 1, uid: 0, gid: 0 };
    writer.add({ ...entry, path: "/srv", type: "dir" });
    writer.add({ ...entry, path: "/srv/data", type: "dir" });
    // Names that take as much room in JSON as names can.
    for (let n = 0; n < 2_000; n += 1)
      writer.add({ ...entry, path: `/srv/data/${"\u0001".repeat(250)}${n}.pdf`, type: "file" });
    build.finish();
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A browser of two trees whose repository cannot be reached. */
function browser() {
  const timers = manualTimers();
  const made = new Browser({
    folder: join(folder, "browse"),
    restic: () => ({ ok: false, error: { code: "restic_missing", message: "restic is missing" } }),
    hostName: () => "h",
    timers,
  });
  return { timers, browser: made };
}

test("whatever is asked has one answer that the server can read and a frame can hold", async () => {
  const { timers, browser: asked } = browser();
  const whole = fc.constantFrom(...recorded);
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          mutated(whole),
          whole.map((message) => JSON.stringify({ ...message, cursor: undefined })),
        ),
        { minLength: 1, maxLength: 12 },
      ),
      async (texts) => {
        const answers: Promise<TreeAnswer>[] = [];
        for (const text of texts) {
          const message = parseServerMessage(text);
          if (message?.type === "tree.cancel") asked.leave(message.request_id);
          else if (message?.type.startsWith("tree.") === true)
            answers.push(asked.ask(message as TreeQuestion));
        }
        timers.advance(600_000);
        for (const answer of await Promise.all(answers)) {
          const text = JSON.stringify(answer);
          expect(Buffer.byteLength(text)).toBeLessThan(MAX_FRAME_BYTES);
          expect(TreeAnswer.parse(JSON.parse(text))).toEqual(JSON.parse(text));
        }
      },
    ),
    runs(150),
  );
  await asked.stop();
});

test("all questions end when the link is lost", async () => {
  const { browser: asked } = browser();
  const answers = ["a", "b"].map((request_id) =>
    asked.ask({ type: "tree.versions", request_id, deadline_ms: 60_000, path: "/srv" }),
  );
  asked.leaveAll();
  for (const answer of await Promise.all(answers))
    expect(answer).toMatchObject({ type: "tree.failed", error: { code: "cancelled" } });
});

test("an agent that cannot begin to browse says why, and tries again the next time", async () => {
  let tries = 0;
  const late = lateBrowser(async () => {
    tries += 1;
    if (tries === 1) throw new Error("no room");
    return browser().browser;
  });
  late.leave("nobody");
  late.leaveAll();
  const question: TreeQuestion = { type: "tree.versions", request_id: "a", deadline_ms: 1_000, path: "/srv" };
  const message = "This machine cannot look into snapshots: no room";
  expect(await late.ask(question)).toMatchObject({
    type: "tree.failed",
    request_id: "a",
    error: { message },
  });
  expect(await late.ask(question)).toMatchObject({
    type: "tree.failed",
    error: { message: "restic is missing" },
  });
  expect(tries).toBe(2);
  await late.stop();
});
