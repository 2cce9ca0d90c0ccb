import type { Host } from "@restic-manager/protocol/api/hosts";
import type { SourceGroup } from "@restic-manager/protocol/api/sources";
import { JobId, ResticId, SourceGroupId } from "@restic-manager/protocol/ids";
import { expect, test } from "bun:test";
import { whyNot } from "./why-not.ts";

type Facts = Pick<Host, "repository" | "restic" | "active_job">;
const READY: Facts = {
  repository: {
    state: "ready",
    repository_id: ResticId.parse("a".repeat(64)),
    since: "2026-11-21T08:00:00.000Z",
    created: true,
  },
  restic: { state: "ok", version: "0.18.0" },
  active_job: null,
};
const JOB = { id: JobId.parse("01JD0000000000000000000ABC"), fraction: null };
const GROUPS: SourceGroup[] = [
  {
    id: SourceGroupId.parse("01JD0000000000000000000DEF"),
    name: "default",
    includes: ["/etc"],
    excludes: [],
    retention_policy: {},
    retry_max: 10,
    retry_backoff_seconds: 60,
    hooks: null,
    version: 1,
    changed: null,
  },
];

test.each<[string, Partial<Facts>, boolean, SourceGroup[], string | null]>([
  ["a viewer starts nothing", {}, false, GROUPS, "Only operators start backups"],
  ["nothing is in the way", {}, true, GROUPS, null],
  [
    "there is no place to back up to",
    { repository: { state: "no_credentials" } },
    true,
    GROUPS,
    "No credentials yet: enter them under Settings",
  ],
  [
    "there is no restic",
    { restic: { state: "missing" } },
    true,
    GROUPS,
    "restic is not installed on this machine",
  ],
  [
    "restic is too old",
    { restic: { state: "too_old", version: "0.14.0" } },
    true,
    GROUPS,
    "The restic on this machine is too old",
  ],
  ["nothing says what to back up", {}, true, [], "No source group says what to back up"],
  [
    "one runs already",
    { active_job: { ...JOB, kind: "backup", state: "running" } },
    true,
    GROUPS,
    "A backup is running",
  ],
  [
    "one waits already",
    { active_job: { ...JOB, kind: "backup", state: "queued" } },
    true,
    GROUPS,
    "A backup is queued",
  ],
  [
    "the repository is being opened",
    { active_job: { ...JOB, kind: "init", state: "running" } },
    true,
    GROUPS,
    null,
  ],
])("%s", (_name, facts, operate, groups, reason) => {
  expect(whyNot({ ...READY, ...facts }, operate, groups)).toBe(reason);
});
