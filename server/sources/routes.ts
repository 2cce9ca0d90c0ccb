import { z } from "zod";
import { SourceGroups } from "@restic-manager/protocol/api/sources";
import { CreatedJob, RunGroup, type Job } from "@restic-manager/protocol/api/jobs";
import { HostId, SourceGroupId, type JobId } from "@restic-manager/protocol/ids";
import { userActor } from "../audit/actor.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, json, newRoom, route } from "../platform/http/room.ts";
import { sourceGroupView } from "./groups.ts";
import { runGroup, type RunParts } from "./run.ts";
import { readSourceGroups } from "./store.ts";

export interface SourcesParts extends RunParts {
  viewJob: (jobId: JobId) => Promise<Job | undefined>;
}

const list = route({
  method: "get",
  path: "/api/hosts/{id}/source-groups",
  access: "viewer",
  summary: "What a host backs up",
  problems: ["not_found"],
  request: { params: z.object({ id: HostId }) },
  responses: { 200: json(SourceGroups, "The host's source groups by name") },
});
const run = route({
  method: "post",
  path: "/api/hosts/{id}/source-groups/{gid}/run",
  access: "operator",
  summary: "Back up one source group now",
  problems: ["not_found", "no_credentials"],
  request: { params: z.object({ id: HostId, gid: SourceGroupId }), body: body(RunGroup) },
  responses: { 201: json(CreatedJob, "The job is queued") },
});

/** What hosts back up. */
export function sourcesRoom(parts: SourcesParts) {
  return newRoom()
    .openapi(list, async (c) => {
      const groups = await readSourceGroups(parts.db, c.req.valid("param").id);
      if (groups === undefined) throw new ApiProblem("not_found", "there is no such host");
      return c.json({ items: groups.map(sourceGroupView) }, 200);
    })
    .openapi(run, async (c) => {
      const { id, gid } = c.req.valid("param");
      const jobId = await runGroup(parts, id, gid, c.req.valid("json").bandwidth, userActor(c));
      const job = await parts.viewJob(jobId);
      if (job === undefined) throw new ApiProblem("not_found", "the host was removed meanwhile");
      return c.json({ job }, 201);
    });
}
