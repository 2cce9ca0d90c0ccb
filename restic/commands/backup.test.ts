import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { redactor } from "../redact.ts";
import { recorded, recordedVersions, type RecordedVersion } from "../testing/recorded.ts";
import { backupOutput, maxIssues, type BackupOutput, type BackupProgress } from "./backup-output.ts";
import { backupArgs, backupStdin, checkBackupInput } from "./backup.ts";

const input = { includes: ["/srv"], tags: ["home"], host: "client1" };

function replay(version: RecordedVersion, name: string, progress: BackupProgress[] = []): BackupOutput {
  const { stdout, stderr } = recorded(version, name);
  const output = backupOutput({
    includes: ["/srv/src"],
    redact: redactor([]),
    onProgress: (p) => progress.push(p),
  });
  for (const line of stdout) output.add("stdout", line);
  for (const line of stderr) output.add("stderr", line);
  return output;
}

describe("the command line", () => {
  test("is stable, and holds neither a path nor the repository", () => {
    expect(
      backupArgs({
        ...input,
        includes: ["-o", "/srv"],
        excludes: ["*.tmp", "", "a,b", "--x", "$HOME"],
        verboseItems: true,
      }),
    ).toEqual([
      "backup",
      "--json",
      "--verbose=2",
      "--host=client1",
      "--tag=home",
      "--exclude=*.tmp",
      "--exclude=a,b",
      "--exclude=--x",
      "--exclude=$HOME",
      "--files-from-raw=-",
    ]);
  });

  test("no input can become an option of its own", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), fc.string(), (excludes, tags, host) => {
        for (const arg of backupArgs({ includes: ["/x"], excludes, tags, host }).slice(2)) {
          expect(arg).toMatch(/^--(host|tag|exclude|files-from-raw)=/s);
        }
      }),
    );
  });

  test("paths go to standard input, each ended by NUL", () => {
    expect(Buffer.from(backupStdin(["-o", "a\nb", "/srv/ü"])).toString()).toBe("-o\0a\nb\0/srv/ü\0");
  });

  test.each([
    [{ ...input, includes: [] }, "nothing to back up"],
    [{ ...input, includes: [""] }, "empty"],
    [{ ...input, includes: ["/a\0b"] }, "NUL"],
    [{ ...input, tags: ["a,b"] }, "comma"],
    [{ ...input, host: "" }, "host name"],
  ])("%j is refused", (bad, words) => {
    expect(checkBackupInput(bad)).toMatchObject({
      code: "invalid_input",
      message: expect.stringContaining(words),
    });
  });
});

describe.each(recordedVersions)("output of %s", (version) => {
  test("a first backup", () => {
    const { summary, issues } = replay(version, "backup_first_json");
    expect(summary).toMatchObject({
      files_new: 20,
      dirs_new: 6,
      data_added: 2900303,
      total_files_processed: 20,
    });
    expect(summary?.snapshot_id).toMatch(/^[0-9a-f]{64}$/);
    expect(summary?.total_duration_seconds).toBeGreaterThan(0.5);
    expect(issues).toEqual([]);
  });

  test("an unreadable folder is one issue although it is reported twice", () => {
    const output = replay(version, "backup_unreadable");
    expect(output.issueCount).toBe(1);
    expect(output.issues).toEqual([
      {
        path: "/srv/src/unreadable",
        message: "openfile for readdirnames failed: open /srv/src/unreadable: permission denied",
        during: "scan",
      },
    ]);
    expect(output.summary?.snapshot_id).toBeDefined();
  });

  test("an unreadable file and folder are two", () => {
    expect(replay(version, "backup_unreadable_file_force").issues.map((issue) => issue.path)).toEqual([
      "/srv/src/unreadable",
      "/srv/src/docs/secret.key",
    ]);
  });

  test("a missing source is an issue, whether the exit code says so or not", () => {
    const output = replay(version, "backup_one_missing");
    expect(output.issues).toEqual([{ path: "/srv/nope", message: "does not exist", during: "start" }]);
    expect(output.summary).toBeDefined();
  });

  test("a skipped backup has no snapshot, and no time before the big bang", () => {
    const { summary } = replay(version, "backup_skip_if_unchanged");
    expect(summary?.snapshot_id).toBeUndefined();
    expect(summary?.total_duration_seconds).toBeGreaterThanOrEqual(0);
  });

  test("a missing index is damage of the repository", () => {
    expect(replay(version, "corrupt_noindex_backup_json").damage).toContain(
      "the repository could be damaged",
    );
  });

  test("a cut-off backup has no summary", () => {
    const progress: BackupProgress[] = [];
    expect(replay(version, "sigKILL_backup_json", progress).summary).toBeUndefined();
    expect(progress[0]).toMatchObject({ files_total: 100000, bytes_total: 1051853458, errors: 0 });
    expect(progress[0]?.percent).toBeCloseTo(17.7, 0);
    expect(progress[0]?.current_files.length).toBeGreaterThan(0);
  });
});

test("progress is no log line, all else is", () => {
  const output = backupOutput({ includes: [], redact: redactor([]) });
  expect(output.add("stdout", '{"message_type":"status","percent_done":0.5}')).toBe(true);
  expect(output.add("stdout", '{"message_type":"summary"}')).toBe(false);
  expect(output.add("stdout", "text")).toBe(false);
});

test("a missing path with a line break is found among the includes", () => {
  const output = backupOutput({ includes: ["/srv/a\nb"], redact: redactor([]) });
  output.add("stderr", "/srv/a");
  output.add("stderr", "b does not exist, skipping");
  expect(output.issues[0]?.path).toBe("/srv/a\nb");
});

test("issues are capped, their number is not", () => {
  const output = backupOutput({ includes: [], redact: redactor([]) });
  for (let i = 0; i < maxIssues + 500; i++) {
    output.add(
      "stderr",
      `{"message_type":"error","error":{"message":"denied"},"during":"archival","item":"/f${i}"}`,
    );
  }
  expect(output.issues.length).toBe(maxIssues);
  expect(output.issueCount).toBe(maxIssues + 500);
});

test("secrets are removed from issues and current files", () => {
  const progress: BackupProgress[] = [];
  const output = backupOutput({
    includes: [],
    redact: redactor(["hunter22"]),
    onProgress: (p) => progress.push(p),
  });
  output.add("stdout", '{"message_type":"status","current_files":["/hunter22"]}');
  output.add("stderr", '{"message_type":"error","error":{"message":"open hunter22"},"item":"/hunter22"}');
  expect(JSON.stringify([progress, output.issues])).not.toContain("hunter22");
});

test("no line of any kind makes the parser throw, and progress stays within 0 and 100", () => {
  const message = fc.record({
    message_type: fc.constantFrom("status", "summary", "error", "exit_error"),
    percent_done: fc.jsonValue(),
    current_files: fc.jsonValue(),
    item: fc.jsonValue(),
    error: fc.jsonValue(),
    snapshot_id: fc.jsonValue(),
    total_duration: fc.jsonValue(),
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
        const output = backupOutput({
          includes: [],
          redact: redactor([]),
          onProgress({ percent }) {
            expect(percent).toBeGreaterThanOrEqual(0);
            expect(percent).toBeLessThanOrEqual(100);
          },
        });
        for (const line of lines) {
          output.add("stdout", line);
          output.add("stderr", line);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
