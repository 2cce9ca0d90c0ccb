import type { Database } from "../platform/db/schema.ts";
import type { RetentionLimits } from "../platform/retention-limits.ts";
import { JOBS_A_STEP, REST_MS, type Broom } from "./broom.ts";
import { removeLogs } from "./logs.ts";
import { deleteJobs, dispensableJobs, endedJobs, START } from "./store.ts";

/** Jobs that ended long ago and on which nothing rests that a page shows. */
export function oldJobs(db: Database, { jobsMs }: RetentionLimits): Broom {
  let after: { finishedAt: number; id: string } = START;
  let restsUntil = Number.NEGATIVE_INFINITY;
  return {
    what: "old jobs",
    async sweep(now) {
      if (jobsMs === null || now < restsUntil) return false;
      const next = await db.transaction().execute(async (trx) => {
        const found = await endedJobs(trx, now - jobsMs, after, JOBS_A_STEP);
        const last = found.at(-1);
        if (last === undefined) return null;
        const mayGo = await dispensableJobs(
          trx,
          found.map((job) => job.id),
        );
        const due = found.filter((job) => mayGo.has(job.id));
        // Their logs in bounded bites first, or one large log would go in one breath with its job.
        if (due.length > 0 && !(await removeLogs(trx, due, now, "age"))) return after;
        if (due.length > 0)
          await deleteJobs(
            trx,
            due.map((job) => job.id),
          );
        return { finishedAt: last.finished_at, id: last.id };
      });
      after = next ?? START;
      if (next === null) restsUntil = now + REST_MS;
      return next !== null;
    },
  };
}
