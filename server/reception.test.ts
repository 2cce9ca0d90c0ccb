import { expect, test } from "bun:test";
import { Epoch, type HostId, type JobId } from "@restic-manager/protocol/ids";
import { refreshHosts } from "./hosts/refresh.ts";
import { jobOver } from "./job-over.ts";
import { nothingTouched } from "./link/touched.ts";
import { isAppendOnly } from "./maintenance/append-only.ts";
import { repositoryPage } from "./maintenance/page.ts";
import type { Database } from "./platform/db/schema.ts";
import { receiveDurable } from "./reception.ts";
import { EPOCH } from "./testing/link.ts";
import { testParts } from "./testing/parts.ts";
import { addCredentials, addHost, addJob, NOON } from "./testing/rows.ts";
import { onEveryStore } from "./testing/stores.ts";
import { damageIn } from "./testing/upkeep.ts";

const MINUTE = 60_000;
const OLD = "a".repeat(64);
const NEW = "b".repeat(64);
const DAMAGED = JSON.stringify(damageIn("c".repeat(64)));
const HEALTHY = JSON.stringify({ ...JSON.parse(DAMAGED), result: "ok", error_count: 0, broken_packs: [] });
const failed = (code: string) => JSON.stringify({ code, message: "no" });

function world(db: Database) {
  const parts = testParts(db);
  /** A minute-by-minute history; each job is ordered and over at its minute. */
  const job = (
    host: HostId,
    minute: number,
    state: "succeeded" | "failed",
    given: Parameters<typeof addJob>[3],
  ) => {
    const at = NOON + minute * MINUTE;
    return addJob(db, host, state, { created_at: at, started_at: at, finished_at: at, ...given });
  };
  const over = (host: HostId) =>
    db.transaction().execute(async (trx) => {
      await jobOver(trx, { host_id: host, kind: "check" });
      await refreshHosts(trx, [host]);
    });
  /** The agent says that a job opened this repository; what was touched is refreshed, as where frames are taken in. */
  const opened = (host: HostId, job_id: JobId, repository_id: string, at: number) =>
    db.transaction().execute(async (trx) => {
      const instant = new Date(at).toISOString();
      const touched = nothingTouched();
      const message = {
        type: "job.finished" as const,
        job_id,
        kind: "init" as const,
        started_at: instant,
        finished_at: instant,
        outcome: { state: "succeeded" as const, result: { repository_id, created: true } },
        log_lines: 0,
      };
      const from = { hostId: host, epoch: Epoch.parse(EPOCH), now: at };
      await receiveDurable(trx, from, { type: "message", seq: 1, message }, touched);
      await refreshHosts(trx, [...touched.hosts]);
    });
  const health = async (host: HostId) => {
    const page = await repositoryPage(parts, host, NOON + 60 * MINUTE);
    const row = await db
      .selectFrom("hosts")
      .select(["status", "cause_code", "upkeep_trouble"])
      .where("id", "=", host)
      .executeTakeFirstOrThrow();
    return {
      ...row,
      runs: [page?.maintenance.prune, page?.maintenance.check].map((task) => [
        task?.last_run?.job_id,
        task?.last_success?.job_id,
      ]),
      unlock: page?.last_unlock?.job_id,
      locks: page?.locks.state,
      appendOnly: [page?.append_only?.seen, await isAppendOnly(db, host)],
    };
  };
  return { job, over, opened, health };
}

onEveryStore("a host's repository", (open) => {
  test("regression: of the one before it still showed broken packs, failures, locks and what could not be deleted", async () => {
    const db = await open();
    const { job, over, opened, health } = world(db);
    const host = await addHost(db, { repository_id: OLD, protocol_version: 3, timezone: "UTC" });
    await addCredentials(db, host);
    await job(host, 0, "succeeded", { result: '{"issue_count":0}' });
    const check = await job(host, 1, "succeeded", { kind: "check", result: DAMAGED });
    await job(host, 2, "failed", {
      kind: "forget",
      input: '{"use_admin":false}',
      error: failed("append_only"),
    });
    const prune = await job(host, 3, "failed", { kind: "prune", error: failed("repository_locked") });
    const unlock = await job(host, 4, "failed", { kind: "unlock", error: failed("repository_locked") });
    await over(host);
    expect(await health(host)).toMatchObject({
      status: "failed",
      cause_code: "repository_damaged",
      runs: [
        [prune, undefined],
        [check, check],
      ],
      unlock,
      locks: "locked",
      appendOnly: [true, true],
    });
    // The same repository opened again changes nothing of that.
    const again = await addJob(db, host, "queued", { kind: "init", created_at: NOON + 5 * MINUTE });
    await opened(host, again, OLD, NOON + 6 * MINUTE);
    expect(await health(host)).toMatchObject({ cause_code: "repository_damaged", unlock });
    // Made anew at the same address: nobody saves other credentials.
    const init = await addJob(db, host, "queued", { kind: "init", created_at: NOON + 7 * MINUTE });
    // Ordered after it, and here before its outcome is.
    const first = await job(host, 8, "succeeded", { kind: "check", result: HEALTHY });
    await opened(host, init, NEW, NOON + 9 * MINUTE);
    const fresh: Awaited<ReturnType<typeof health>> = {
      status: "protected",
      cause_code: null,
      upkeep_trouble: null,
      runs: [
        [undefined, undefined],
        [first, first],
      ],
      unlock: undefined,
      locks: "free",
      appendOnly: [undefined, false],
    };
    expect(await health(host)).toEqual(fresh);
    // The end of the next job reads the same.
    await over(host);
    expect(await health(host)).toEqual(fresh);
  });

  test("that is its first one hides nothing", async () => {
    const db = await open();
    const { job, opened, health } = world(db);
    const host = await addHost(db, { protocol_version: 3, timezone: "UTC" });
    await addCredentials(db, host);
    const check = await job(host, 0, "succeeded", { kind: "check", result: HEALTHY });
    const init = await addJob(db, host, "queued", { kind: "init", created_at: NOON + MINUTE });
    await opened(host, init, NEW, NOON + 2 * MINUTE);
    expect((await health(host)).runs[1]).toEqual([check, check]);
  });
});
