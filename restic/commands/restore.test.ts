import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { classifyExit } from "../error.ts";
import { redactor } from "../redact.ts";
import {
  evidenceOf,
  exitFacts,
  recorded,
  recordedVersions,
  type RecordedVersion,
} from "../testing/recorded.ts";
import { maxRestoreIssues, restoreOutput, type RestoreItem, type RestoreProgress } from "./restore-output.ts";
import { checkPickedPath, includePatterns } from "./restore-patterns.ts";
import {
  checkRestoreInput,
  restoreArgs,
  restoreEnd,
  type RestoreInput,
  type RestoreOutcome,
} from "./restore.ts";

const input: RestoreInput = {
  snapshotId: "abcdef01",
  paths: ["/srv/a"],
  target: "/var/restic-restore/1",
  overwrite: "never",
};

type Seen = { progress: RestoreProgress[]; items: RestoreItem[] };

function replay(
  version: RecordedVersion,
  name: string,
  seen: Seen = { progress: [], items: [] },
): RestoreOutcome {
  const { stdout, stderr, code } = recorded(version, name);
  const redact = redactor([]);
  const output = restoreOutput({
    redact,
    onProgress: (p) => void seen.progress.push(p),
    onItem: (i) => void seen.items.push(i),
  });
  for (const line of stdout) output.add("stdout", line);
  for (const line of stderr) output.add("stderr", line);
  const error = classifyExit(exitFacts(code), evidenceOf(stderr), { address: "backup.example", redact });
  return restoreEnd(error, output, false);
}

test("the command line holds no picked path", () => {
  expect(
    restoreArgs(
      { ...input, delete: true, dryRun: true, verify: true, sparse: true, subfolder: "/s" },
      "/tmp/inc",
    ),
  ).toEqual([
    "restore",
    "--json",
    "--verbose=2",
    "--no-lock",
    "--target=/var/restic-restore/1",
    "--overwrite=never",
    "--delete",
    "--dry-run",
    "--verify",
    "--sparse",
    "--include-file=/tmp/inc",
    "--",
    "abcdef01:/s",
  ]);
  expect(restoreArgs({ ...input, lock: "shared" })).not.toContain("--no-lock");
});

test.each<[Partial<RestoreInput>, string]>([
  [{ snapshotId: "latest" }, "id"],
  [{ target: "relative" }, "absolute"],
  [{ target: "/a/../b" }, ".."],
  [{ paths: [] }, "nothing is picked"],
  [{ paths: ["a"] }, "begin with /"],
  [{ paths: ["/a/../b"] }, ".."],
  [{ paths: ["/"] }, "whole snapshot"],
  [{ paths: [Buffer.from("/a\0")] }, "NUL"],
  [{ paths: "everything", target: "/", delete: true }, "deletion"],
  [{ subfolder: "/other" }, "not below"],
  [{ subfolder: "/srv/a" }, "not below"],
])("%j is refused", (bad, words) => {
  expect(checkRestoreInput({ ...input, ...bad })).toMatchObject({
    code: "invalid_input",
    message: expect.stringContaining(words),
  });
});

describe.each(recordedVersions)("output of %s", (version) => {
  test("a whole restore", () => {
    expect(replay(version, "restore_json")).toMatchObject({
      ok: true,
      value: { files_restored: 28, bytes_restored: 2890295, issue_count: 0, nothing_matched: false },
    });
    expect(replay(version, "restore_again_json")).toMatchObject({ value: { files_skipped: 19 } });
  });

  test("items, with what was deleted", () => {
    const seen: Seen = { progress: [], items: [] };
    expect(replay(version, "restore_delete_json", seen)).toMatchObject({ value: { files_deleted: 1 } });
    expect(seen.items).toContainEqual({ action: "updated", path: "/srv/src/docs/doc1.txt", size: 4400 });
    expect(seen.items.filter((item) => item.action === "deleted").length).toBe(1);
  });

  test("nothing that matches is told", () => {
    expect(replay(version, "restore_include_nomatch_json")).toMatchObject({
      value: { nothing_matched: true },
    });
  });

  test("a full disk and damaged data are issues, one per file", () => {
    const full = replay(version, "restore_enospc_json");
    expect(full).toMatchObject({
      ok: true,
      value: { disk_full: true, issue_count: version === "0.18" ? 11 : 5 },
    });
    expect(replay(version, "corrupt_flip_restore_json")).toMatchObject({
      value: { disk_full: false, issue_count: 1, issues: [{ path: "/srv/src/photos/img0.raw" }] },
    });
  });

  test("what is not there is an error", () => {
    expect(replay(version, "restore_nosnap_json")).toMatchObject({ error: { code: "snapshot_missing" } });
    expect(replay(version, "restore_subfolder_missing_json")).toMatchObject({
      error: { code: "path_missing" },
    });
  });

  test("an interrupted restore tells how far it came", () => {
    const seen: Seen = { progress: [], items: [] };
    expect(replay(version, "sigTERM_restore_json", seen)).toMatchObject({
      ok: false,
      error: { code: "interrupted" },
      so_far: { files_total: expect.any(Number), issues: [] },
    });
    expect(seen.progress.at(-1)?.files_total).toBeGreaterThan(60_000);
  });
});

test("issues are capped, their number is not, and secrets are removed", () => {
  const output = restoreOutput({ redact: redactor(["hunter22"]) });
  for (let i = 0; i < maxRestoreIssues + 5; i++) {
    const error = { message_type: "error", error: { message: "hunter22" }, item: `/f${i}` };
    output.add("stderr", JSON.stringify(error));
  }
  expect(output.issueCount).toBe(maxRestoreIssues + 5);
  expect(output.issues.length).toBe(maxRestoreIssues);
  expect(output.issues[0]).toEqual({ path: "/f0", message: "[secret]" });
});

test("no line makes the reader throw", () => {
  const message = fc.record({
    message_type: fc.constantFrom("status", "summary", "error", "verbose_status"),
    percent_done: fc.jsonValue(),
    total_files: fc.jsonValue(),
    item: fc.jsonValue(),
    error: fc.jsonValue(),
    size: fc.jsonValue(),
  });
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.string(),
          message.map((m) => JSON.stringify(m)),
        ),
      ),
      (lines) => {
        const output = restoreOutput({
          redact: redactor([]),
          onProgress: ({ percent }) => expect(percent >= 0 && percent <= 100).toBe(true),
          onItem: () => {},
        });
        for (const line of lines) {
          output.add("stdout", line);
          output.add("stderr", line);
        }
      },
    ),
  );
});

describe("patterns", () => {
  const text = (...paths: (string | Uint8Array)[]): string =>
    Buffer.from(includePatterns(paths)).toString("latin1");

  test("what restic would read as something else is taken apart", () => {
    expect(text("/a*[?]\\")).toBe("/a\\*\\[\\?\\]\\\\\n");
    expect(text("/$HOME/${x}")).toBe("/$$HOME/$${x}\n");
    expect(text("/end ")).toBe("/end[ ]\n");
    expect(text(Buffer.from("/caf\xe9 ", "latin1"))).toBe("/caf\xe9[ ]\n");
  });

  test("each path is one line that no trimming changes", () => {
    const name = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\n", "a\r", "\u0085", "x\u00a0", "\u2028"),
    );
    fc.assert(
      fc.property(fc.array(name.map((part) => `/${part}`)), fc.boolean(), (paths, asBytes) => {
        const picked = paths.filter((path) => checkPickedPath(path) === undefined);
        const file = Buffer.from(includePatterns(asBytes ? picked.map((path) => Buffer.from(path)) : picked));
        const lines = file.toString("utf8").split("\n");
        expect(lines.pop()).toBe("");
        expect(lines.length).toBe(picked.length);
        for (const line of lines) expect(line.replace(/^[\s\u0085]+|[\s\u0085]+$/g, "")).toBe(line);
      }),
    );
  });
});
