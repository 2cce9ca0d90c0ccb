import { expect, test } from "bun:test";
import { JOB_STATES } from "@restic-manager/protocol/jobs";
import type { JobRecord } from "../platform/db/schema.ts";
import { addHost, addJob, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { listJobs, type JobFilter } from "./store.ts";

type State = NonNullable<JobFilter["state"]>;
const FILTERS: Record<State | "all", (job: JobRecord) => boolean> = {
  all: () => true,
  active: (job) => job.finished_at === null,
  finished: (job) => job.finished_at !== null,
  issues: (job) => job.state === "succeeded" && job.issue_count > 0,
  queued: (job) => job.state === "queued",
  running: (job) => job.state === "running",
  succeeded: (job) => job.state === "succeeded",
  failed: (job) => job.state === "failed",
  cancelled: (job) => job.state === "cancelled",
};

onEveryStore("a list of jobs", (open) => {
  test("has, under every filter and page by page, each job that fits once and the newest first", async () => {
    const db = await open();
    const hosts = [await addHost(db), await addHost(db)];
    let n = 0;
    for (const hostId of hosts)
      for (const kind of ["backup", "init"] as const)
        for (const state of JOB_STATES)
          for (const issue_count of [0, 2])
            // Two at each instant: the id decides between them.
            await addJob(db, hostId, state, { kind, issue_count, created_at: NOON + Math.floor(n++ / 2) });
    const all = await db.selectFrom("jobs").selectAll().execute();
    const sorted = all.toSorted((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1));
    for (const hostId of [undefined, hosts[0]])
      for (const kind of [undefined, "backup", "init"] as const)
        for (const state of Object.keys(FILTERS) as (State | "all")[]) {
          const wanted = sorted.filter(
            (job) =>
              FILTERS[state](job) &&
              (kind === undefined || job.kind === kind) &&
              (hostId === undefined || job.host_id === hostId),
          );
          const filter = { hostId, kind, state: state === "all" ? undefined : state, limit: 3 };
          const found: JobRecord[] = [];
          for (;;) {
            const last = found.at(-1);
            const after = last === undefined ? undefined : { createdAt: last.created_at, id: last.id };
            const page = await listJobs(db, { ...filter, after });
            found.push(...page);
            if (page.length < 3) break;
          }
          expect(found.map((job) => job.id)).toEqual(wanted.map((job) => job.id));
        }
  }, 60_000);
});
