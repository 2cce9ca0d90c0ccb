import { expect, test } from "bun:test";
import { TemplateContent } from "@restic-manager/protocol/api/templates";
import { errorsOf, inputOf, writtenOf } from "./template-input.ts";

const CONTENT = TemplateContent.parse({
  groups: [
    { name: "etc", includes: ["/etc"], retention_policy: { daily: 7 } },
    { name: "www", includes: ["/var/www"], excludes: ["*.log"], retry_max: 0, retry_backoff_seconds: 90 },
  ],
  schedules: [
    { name: "Nightly", cron: "0 3 * * *", groups: ["etc", "www"], spread_seconds: 1_800 },
    { name: "Hourly", cron: "15 * * * *", groups: ["www"], timezone: "Europe/Berlin", enabled: false },
  ],
  maintenance: {
    forget: { cron: "0 2 * * *", enabled: true },
    prune: { cron: "0 3 * * 0", enabled: false },
    check: { cron: "0 4 * * 3", enabled: true, read_data_percent: 5 },
  },
});

test("a template that is opened and saved untouched stays as it is", () => {
  expect(inputOf(writtenOf({ name: "Web", content: CONTENT }))).toEqual({ name: "Web", content: CONTENT });
  const without = { ...CONTENT, maintenance: null };
  expect(inputOf(writtenOf({ name: "Web", content: without })).content).toEqual(without);
});

test("a group that is renamed is still the one its schedules fire", () => {
  const written = writtenOf({ name: "Web", content: CONTENT });
  const [etc, www] = written.groups;
  if (etc === undefined || www === undefined) throw new Error("there are two");
  const renamed = { ...written, groups: [{ ...etc, written: { ...etc.written, name: "config" } }, www] };
  expect(inputOf(renamed).content.schedules[0]?.groups).toEqual(["config", "www"]);
});

test("what the server refuses is found by the part and the field it is of", () => {
  const written = writtenOf({ name: "Web", content: CONTENT });
  const errors = errorsOf(
    {
      name: "enter a name",
      "content.groups.1.includes.0": "must be absolute",
      "content.schedules.0.cron": "has 4 fields",
      "content.maintenance.check.read_data_percent": "0 to 100 percent",
      "content.groups": "too many",
    },
    written,
  );
  expect(errors).toMatchObject({
    name: "Enter a name",
    whole: "Too many",
    maintenance: { percent: "0 to 100 percent" },
  });
  expect(errors.parts.get(1)).toEqual({ includes: "Line 1 must be absolute" });
  expect(errors.parts.get(2)).toEqual({ cron: "Has 4 fields" });
});

test("a new template begins with a nightly backup of what is still to be said", () => {
  expect(inputOf(writtenOf(null))).toMatchObject({
    name: "",
    content: {
      groups: [{ name: "default", includes: [] }],
      schedules: [{ name: "Nightly", groups: ["default"] }],
      maintenance: null,
    },
  });
});
