import { describe, expect, test } from "bun:test";
import { SourceGroup, SourceGroupInput } from "@restic-manager/protocol/api/sources";
import { fieldErrors, inputOf, writtenOf } from "./group-input.ts";

const group = SourceGroup.parse({
  id: "01HZZZZZZZ0000000000000001",
  name: "databases",
  includes: ["/srv/dump", "/var/lib/postgresql"],
  excludes: ["*.tmp"],
  retention_policy: { keep_last: 3, hourly: 0, daily: 14 },
  retry_max: 3,
  retry_backoff_seconds: 90,
  hooks: null,
});

describe("a group's form", () => {
  test("says of a group that was not touched what the server has", () =>
    expect(inputOf(writtenOf(group))).toEqual({
      name: "databases",
      includes: ["/srv/dump", "/var/lib/postgresql"],
      excludes: ["*.tmp"],
      retention_policy: { keep_last: 3, daily: 14 },
      retry_max: 3,
      retry_backoff_seconds: 90,
    }));

  test("a new one has the server's own retries, and nothing else", () => {
    const input = inputOf({ ...writtenOf(null), name: " a ", includes: "/etc" });
    expect(input).toEqual(SourceGroupInput.parse({ name: "a", includes: ["/etc"] }));
  });

  test("takes a pasted list with any line ends, and keeps spaces that are part of a name", () => {
    const written = { ...writtenOf(null), includes: "/etc\r\n\n/srv/my files \r/home\n   \n" };
    expect(inputOf(written).includes).toEqual(["/etc", "/srv/my files ", "/home"]);
  });

  test("numbers that were cleared are left to the server", () => {
    const written = { ...writtenOf(group), retryMax: "", retryMinutes: "" };
    expect(inputOf(written)).toMatchObject({ retry_max: 10, retry_backoff_seconds: 60 });
  });
});

describe("what the server refused stands at its field", () => {
  const written = { includes: "/etc\n\nsrv\n", excludes: "" };
  test.each([
    ["name", "enter a name", "name", "Enter a name"],
    ["includes", "name at least one folder or file", "includes", "Name at least one folder or file"],
    ["includes.1", "must be an absolute path", "includes", "Line 3 must be an absolute path"],
    ["retention_policy.hourly", "too large", "keep.hourly", "Too large"],
    ["retry_backoff_seconds", "too small", "retryMinutes", "Too small"],
  ])("%s: %s", (path, message, field, words) =>
    expect(fieldErrors({ [path]: message }, written)).toEqual({ [field]: words }),
  );

  test("the first of several in one field, and nothing of fields there are not", () =>
    expect(fieldErrors({ "includes.0": "a", "includes.1": "b", other: "c" }, written)).toEqual({
      includes: "Line 1 a",
    }));
});
