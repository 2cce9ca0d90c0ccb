import { z } from "zod";
import { CreatedJob, type Job } from "@restic-manager/protocol/api/jobs";
import { Restore, RestoreRequest, Restores, RestoresQuery } from "@restic-manager/protocol/api/restore";
import { HostId, JobId } from "@restic-manager/protocol/ids";
import { restore as restoreKind } from "@restic-manager/protocol/jobs/restore";
import { userActor } from "../audit/actor.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, json, newRoom, route } from "../platform/http/room.ts";
import { startRestore, type RestoreParts } from "./restore.ts";
import { hostById, restoreById, restoresOf } from "./store.ts";

/** Dry runs are looked past; there are seldom more of them than of restores. */
const LOOKED_THROUGH = 400;

const hostPath = z.object({ id: HostId });
const start = route({
  method: "post",
  path: "/api/hosts/{id}/restore",
  access: "operator",
  summary: "Restore files of a snapshot, or try it out",
  problems: ["not_found", "no_credentials", "host_offline"],
  request: { params: hostPath, body: body(RestoreRequest) },
  responses: { 201: json(CreatedJob, "The job, queued") },
});
const list = route({
  method: "get",
  path: "/api/hosts/{id}/restore",
  access: "operator",
  summary: "A host's restores, newest first",
  problems: ["not_found"],
  request: { params: hostPath, query: RestoresQuery },
  responses: { 200: json(Restores, "With what was asked of each") },
});
const one = route({
  method: "get",
  path: "/api/hosts/{id}/restore/{jid}",
  access: "operator",
  summary: "One restore",
  problems: ["not_found"],
  request: { params: hostPath.extend({ jid: JobId }) },
  responses: { 200: json(Restore, "With what was asked of it") },
});

/** Restores. What was picked is names in snapshots, which are for operators. */
export function restoreRoom(
  parts: RestoreParts & {
    viewJob: (id: JobId) => Promise<Job | undefined>;
    /** In any order. */
    viewJobs: (ids: readonly JobId[]) => Promise<Job[]>;
  },
) {
  const { db } = parts;
  return newRoom()
    .openapi(start, async (c) => {
      const jobId = await startRestore(parts, c.req.valid("param").id, c.req.valid("json"), userActor(c));
      const job = await parts.viewJob(jobId);
      if (job === undefined) throw new ApiProblem("gone", "the job was removed");
      return c.json({ job }, 201);
    })
    .openapi(list, async (c) => {
      const { id } = c.req.valid("param");
      const { dry_runs, limit } = c.req.valid("query");
      if ((await hostById(db, id)) === undefined) throw new ApiProblem("not_found", "there is no such host");
      const rows = (await restoresOf(db, id, dry_runs === "include" ? limit : LOOKED_THROUGH))
        .map((row) => ({ id: row.id, request: restoreKind.input.parse(JSON.parse(row.input)) }))
        .filter(({ request }) => dry_runs === "include" || !request.dry_run)
        .slice(0, limit);
      const jobs = new Map((await parts.viewJobs(rows.map((row) => row.id))).map((job) => [job.id, job]));
      const items = rows.flatMap((row) => {
        const job = jobs.get(row.id);
        return job === undefined ? [] : [{ job, request: row.request }];
      });
      return c.json({ items }, 200);
    })
    .openapi(one, async (c) => {
      const { id, jid } = c.req.valid("param");
      const row = await restoreById(db, id, jid);
      const job = row === undefined ? undefined : await parts.viewJob(row.id);
      if (row === undefined || job === undefined)
        throw new ApiProblem("not_found", "this host has no such restore");
      return c.json({ job, request: restoreKind.input.parse(JSON.parse(row.input)) }, 200);
    });
}
