import { z } from "zod";
import { CreatedJob, type Job } from "@restic-manager/protocol/api/jobs";
import {
  DownloadQuery,
  Restore,
  RestoreRequest,
  Restores,
  RestoresQuery,
} from "@restic-manager/protocol/api/restore";
import { HostId, JobId, ResticId } from "@restic-manager/protocol/ids";
import { restore as restoreKind } from "@restic-manager/protocol/jobs/restore";
import { userActor } from "../audit/actor.ts";
import type { Peer } from "../platform/http/caller.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, json, newRoom, route } from "../platform/http/room.ts";
import { download, type DownloadParts } from "./download.ts";
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

const fetchOne = route({
  method: "get",
  path: "/api/hosts/{id}/snapshots/{sid}/download",
  access: "operator",
  summary: "Download a file of a snapshot, or a folder as an archive",
  problems: [
    "not_found",
    "host_offline",
    "foreign_origin",
    "agent_outdated",
    "agent_busy",
    "agent_failed",
    "agent_timeout",
    "snapshot_too_large",
  ],
  request: { params: hostPath.extend({ sid: ResticId }), query: DownloadQuery },
  responses: {
    200: {
      description: "Streamed; breaks off when it fails on its way",
      content: { "application/octet-stream": { schema: z.string() } },
    },
  },
});

/** Restores. What was picked is names in snapshots, which are for operators. */
export function restoreRoom(
  parts: RestoreParts &
    DownloadParts & {
      isSessionAlive: (sessionHash: string) => Promise<boolean>;
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
    })
    .openapi(fetchOne, async (c) => {
      // A link on another site must not make somebody's browser fetch files.
      if (c.req.header("sec-fetch-site") === "cross-site")
        throw new ApiProblem("foreign_origin", "this download was asked for by another site");
      const { id, sid } = c.req.valid("param");
      const { keepOpen }: Peer = c.env ?? {};
      keepOpen?.();
      const caller = c.get("caller");
      return await download(parts, id, sid, c.req.valid("query"), {
        actor: userActor(c),
        gone: c.req.raw.signal,
        allowed: async () => caller.kind === "user" && (await parts.isSessionAlive(caller.sessionHash)),
      });
    });
}
