import { z } from "zod";
import { ForgetSnapshots, TagSnapshots } from "@restic-manager/protocol/api/chosen-snapshots";
import { CreatedJob, type Job } from "@restic-manager/protocol/api/jobs";
import { HostId, type JobId } from "@restic-manager/protocol/ids";
import { userActor } from "../audit/actor.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, json, newRoom, route } from "../platform/http/room.ts";
import { forgetChosen, tagSnapshots, type ChosenParts } from "./chosen.ts";

const params = z.object({ id: HostId });
const responses = { 201: json(CreatedJob, "The job, queued") };
const tags = route({
  method: "post",
  path: "/api/hosts/{id}/snapshots/tags",
  access: "operator",
  summary: "Add tags to snapshots and take some away; their ids change with it",
  problems: ["not_found", "admin_creds_required"],
  request: { params, body: body(TagSnapshots) },
  responses,
});
const forget = route({
  method: "post",
  path: "/api/hosts/{id}/snapshots/forget",
  access: "operator",
  summary: "Remove chosen snapshots for good",
  problems: ["not_found", "admin_creds_required"],
  request: { params, body: body(ForgetSnapshots) },
  responses,
});

/** What is done to chosen snapshots, each as a job. */
export function chosenSnapshotsRoom(
  parts: ChosenParts & { viewJob: (id: JobId) => Promise<Job | undefined> },
) {
  const shown = async (id: JobId): Promise<{ job: Job }> => {
    const job = await parts.viewJob(id);
    if (job === undefined) throw new ApiProblem("gone", "the job was removed");
    return { job };
  };
  return newRoom()
    .openapi(tags, async (c) =>
      c.json(
        await shown(await tagSnapshots(parts, c.req.valid("param").id, c.req.valid("json"), userActor(c))),
        201,
      ),
    )
    .openapi(forget, async (c) =>
      c.json(
        await shown(await forgetChosen(parts, c.req.valid("param").id, c.req.valid("json"), userActor(c))),
        201,
      ),
    );
}
