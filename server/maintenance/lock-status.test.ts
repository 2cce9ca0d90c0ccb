import { expect, test } from "bun:test";
import { newJobId, NOON } from "../testing/rows.ts";
import { lockStatus, type Witness } from "./lock-status.ts";

/** A job that ended at noon, `minutes` later. */
function ended(kind: Witness["kind"], minutes: number, result: object): Witness {
  const job = { id: newJobId(), kind, state: "succeeded", error: null } as const;
  return { ...job, finished_at: NOON + minutes * 60_000, result: JSON.stringify(result) };
}

const LOCK = {
  id: "a".repeat(64),
  hostname: "db-01",
  username: "root",
  pid: 20_413,
  exclusive: false,
  refreshed_at: new Date(NOON).toISOString(),
  age_seconds: 60,
  state: "live",
};
const forgotten = (dry_run: boolean) => ({ dry_run, groups: [] });
const seen = ended("unlock", 0, { removed_count: 0, found: [LOCK], remaining: [LOCK], unreadable_count: 0 });

test("what an unlock leaves stands until a job gets the repository for itself", () => {
  expect(lockStatus([seen])).toMatchObject({ state: "locked", stale: false, locks: [{ pid: 20_413 }] });
  expect(lockStatus([seen, ended("forget", 1, forgotten(false))])).toMatchObject({ state: "free" });
});

test("a preview of a forget takes no lock: it says nothing of them, and takes back nothing", () => {
  const preview = ended("forget", 1, forgotten(true));
  expect(lockStatus([preview])).toEqual({ state: "unknown" });
  expect(lockStatus([seen, preview])).toMatchObject({ state: "locked", job_id: seen.id });
});
