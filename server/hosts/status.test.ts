import { expect, test } from "bun:test";
import fc from "fast-check";
import { HOST_STATUSES } from "@restic-manager/protocol/api/hosts";
import { hostStatus, type HostFacts } from "./status.ts";

const protectedHost: HostFacts = {
  online: true,
  lastSeenAt: 1_000,
  restic: "ok",
  lastBackup: { state: "succeeded", at: 500, issues: 0 },
  failedInit: null,
  upkeep: null,
  active: null,
};
const damaged = { sort: "damaged", code: "repository_damaged", message: "an error", at: 400 } as const;
const failing = { sort: "failing", code: "append_only", message: "the last prune failed", at: 400 } as const;
const wrongPassword = { code: "wrong_password", message: "this password does not open it" } as const;
const noRestic = { code: "restic_missing", message: "restic is not there" } as const;
const statusOf = (facts: Partial<HostFacts>) => hostStatus({ ...protectedHost, ...facts }).status;

test.each<[string, Partial<HostFacts>, string]>([
  ["a good last backup is protected", {}, "protected"],
  ["no backup yet is new", { lastBackup: null }, "new"],
  [
    "an agent that never connected is new, not offline",
    { lastBackup: null, online: false, lastSeenAt: null, restic: null },
    "new",
  ],
  ["a failed backup is failed", { lastBackup: { state: "failed", at: 500, error: wrongPassword } }, "failed"],
  [
    "a failed backup stays failed while its retry waits",
    {
      lastBackup: { state: "failed", at: 500, error: wrongPassword },
      active: { kind: "backup", state: "queued" },
    },
    "failed",
  ],
  [
    "a failed backup with a new one running is running",
    {
      lastBackup: { state: "failed", at: 500, error: wrongPassword },
      active: { kind: "backup", state: "running" },
    },
    "running",
  ],
  [
    "a repository that does not open is failed",
    { lastBackup: null, failedInit: { at: 400, error: wrongPassword } },
    "failed",
  ],
  [
    "a backup after a failed opening proves it open",
    { failedInit: { at: 400, error: wrongPassword } },
    "protected",
  ],
  [
    "an opening that failed after the last backup is failed",
    { failedInit: { at: 600, error: wrongPassword } },
    "failed",
  ],
  ["a missing restic is restic", { restic: "missing" }, "restic"],
  [
    "a backup that failed for lack of restic is restic while it lacks",
    { restic: "missing", lastBackup: { state: "failed", at: 500, error: noRestic } },
    "restic",
  ],
  [
    "a backup that failed for lack of restic stays failed when it is there",
    { lastBackup: { state: "failed", at: 500, error: noRestic } },
    "failed",
  ],
  [
    "a waiting job does not hide a missing restic",
    { restic: "too_old", active: { kind: "backup", state: "queued" } },
    "restic",
  ],
  ["a lost connection is offline", { online: false }, "offline"],
  [
    "a failed backup of an offline host is failed",
    { online: false, lastBackup: { state: "failed", at: 500, error: wrongPassword } },
    "failed",
  ],
  [
    "a job that ran when the connection was lost is not shown as running",
    { online: false, active: { kind: "backup", state: "running" } },
    "offline",
  ],
  ["left-out files are issues", { lastBackup: { state: "succeeded", at: 500, issues: 2 } }, "issues"],
  ["a repository that a check found damaged is failed", { upkeep: damaged }, "failed"],
  ["damage is worse than being away", { upkeep: damaged, online: false }, "failed"],
  ["maintenance that fails is issues", { upkeep: failing }, "issues"],
  ["maintenance that fails does not hide being away", { upkeep: failing, online: false }, "offline"],
  ["a job waits on a good host", { active: { kind: "backup", state: "queued" } }, "queued"],
  [
    "a job waits for a new host that is not there yet",
    { lastBackup: null, online: false, lastSeenAt: null, active: { kind: "init", state: "queued" } },
    "queued",
  ],
])("%s", (_name, facts, status) => {
  expect(statusOf(facts)).toBe(status as ReturnType<typeof statusOf>);
});

test("the cause names the later of two failures", () => {
  const { cause } = hostStatus({
    ...protectedHost,
    lastBackup: { state: "failed", at: 500, error: noRestic },
    failedInit: { at: 600, error: wrongPassword },
  });
  expect(cause).toEqual({ code: "wrong_password", message: "this password does not open it", at: 600 });
});

const error = fc.constantFrom(wrongPassword, noRestic);
const at = fc.nat(1_000);
const facts: fc.Arbitrary<HostFacts> = fc.record({
  online: fc.boolean(),
  lastSeenAt: fc.option(at),
  restic: fc.constantFrom("ok", "missing", "too_old", null),
  lastBackup: fc.oneof(
    fc.constant(null),
    fc.record({ state: fc.constant("succeeded" as const), at, issues: fc.nat(3) }),
    fc.record({ state: fc.constant("failed" as const), at, error }),
  ),
  failedInit: fc.option(fc.record({ at, error })),
  upkeep: fc.option(fc.constantFrom(damaged, failing)),
  active: fc.option(
    fc.record({ kind: fc.constantFrom("init", "backup"), state: fc.constantFrom("queued", "running") }),
  ),
});

test("bad news has a cause, good news has none, and nothing is protected unless it is", () => {
  fc.assert(
    fc.property(facts, (some) => {
      const { status, rank, cause } = hostStatus(some);
      expect(rank).toBe(HOST_STATUSES.indexOf(status));
      expect(cause !== null).toBe(["failed", "restic", "offline", "issues"].includes(status));
      if (status === "protected") {
        expect(some.lastBackup).toMatchObject({ state: "succeeded", issues: 0 });
        expect(some.active).toBeNull();
      }
    }),
  );
});
