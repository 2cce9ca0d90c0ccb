import { expect, test } from "bun:test";
import fc from "fast-check";
import { describeLine, formatBytes, formatSeconds } from "./log-text.ts";
import { recorded } from "./testing/recorded.ts";

const read = (name: string, version: "0.18" | "0.19" = "0.18"): string[] => {
  const { stdout, stderr } = recorded(version, name);
  return [...stdout, ...stderr].flatMap(describeLine);
};

test("a backup reads well: no progress, the summary in words", () => {
  expect(read("backup_first_json")).toEqual([
    "Files: 20 new, 0 changed, 0 unmodified",
    "Dirs:  6 new, 0 changed, 0 unmodified",
    "Added to the repository: 2.766 MiB (2.681 MiB stored)",
    "processed 20 files, 2.763 MiB in 0:01",
    "snapshot 4d105e64 saved",
  ]);
});

test("errors name the item once", () => {
  expect(read("backup_unreadable").slice(-3)).toEqual([
    "error: openfile for readdirnames failed: open /srv/src/unreadable: permission denied",
    "error: openfile for readdirnames failed: open /srv/src/unreadable: permission denied",
    "Warning: at least one source file could not be read",
  ]);
});

test("verbose items are lines", () => {
  const lines = read("backup_verbose2_json");
  expect(lines[0]).toBe("scan finished: 12 files, 83.825 KiB");
  expect(lines).toContain("new       /srv/src/docs/doc0.txt (0 B added)");
  expect(lines).toContain("new       /srv/src/docs/bad\ufffd.bin (0 B added)");
});

test("the lines of a lock message stay, those of a stack trace go", () => {
  const lock = read("excl_backup_json");
  expect(lock[0]).toMatch(
    /^unable to create lock in backend: repository is already locked exclusively by PID/,
  );
  expect(lock).toContain("the `unlock` command can be used to remove stale locks");
  expect(read("ao_forget_id_json", "0.19").at(-1)).toBe("failed to remove one or more snapshots");
});

test("nothing changed says so", () => {
  expect(read("backup_skip_if_unchanged").slice(-2)).toEqual([
    "processed 12 files, 83.825 KiB in 0:00",
    "nothing changed, no snapshot saved",
  ]);
});

test("plain text and unknown messages pass as they are", () => {
  expect(describeLine("using parent snapshot f7d65d15")).toEqual(["using parent snapshot f7d65d15"]);
  expect(describeLine('{"message_type":"future","n":1}')).toEqual(['{"message_type":"future","n":1}']);
  expect(describeLine('{"half":')).toEqual(['{"half":']);
});

test("a file name cannot start a new log line", () => {
  const line = JSON.stringify({
    message_type: "verbose_status",
    action: "new",
    item: "/a\nsnapshot 123 saved",
  });
  expect(describeLine(line)).toEqual(["new       /a\\nsnapshot 123 saved (0 B added)"]);
});

test("any line gives lines without line breaks, and never throws", () => {
  const message = fc
    .record({
      message_type: fc.constantFrom(
        "status",
        "verbose_status",
        "error",
        "exit_error",
        "summary",
        "initialized",
        "x",
      ),
      item: fc.anything(),
      message: fc.anything(),
      error: fc.anything(),
      action: fc.anything(),
      total_files_processed: fc.anything(),
    })
    .map((value) => {
      try {
        return JSON.stringify(value) ?? "";
      } catch {
        return "";
      }
    });
  fc.assert(
    fc.property(
      fc.oneof(
        message,
        fc.string().map((s) => s.replaceAll("\n", "")),
      ),
      (line) => {
        for (const text of describeLine(line)) expect(text).not.toContain("\n");
      },
    ),
    { numRuns: 1000 },
  );
});

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.000 KiB"],
  [2.676 * 1024 ** 2, "2.676 MiB"],
  [5 * 1024 ** 4, "5.000 TiB"],
])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test.each([
  [0.4, "0:00"],
  [67, "1:07"],
  [3723, "1:02:03"],
  [-5, "0:00"],
])("%d seconds are %s", (seconds, text) => expect(formatSeconds(seconds)).toBe(text));
