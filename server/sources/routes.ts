import { z } from "zod";
import { CreatedJob, RanHosts, RunGroup, RunHosts, type Job } from "@restic-manager/protocol/api/jobs";
import {
  HooksInput,
  HostBandwidth,
  HostHooks,
  SourceGroup,
  SourceGroupEdit,
  SourceGroupInput,
  SourceGroups,
} from "@restic-manager/protocol/api/sources";
import { HostId, SourceGroupId, type JobId } from "@restic-manager/protocol/ids";
import { userActor } from "../audit/actor.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, json, newRoom, noContent, route } from "../platform/http/room.ts";
import { updateBandwidth } from "./bandwidth.ts";
import { createGroup, deleteGroup, replaceGroup, type ChangeGroupParts } from "./change.ts";
import { sourceGroupView } from "./groups.ts";
import { defaultHooks, updateHooks, type HookParts } from "./hooks.ts";
import { runGroup, type RunParts } from "./run.ts";
import { runHosts } from "./run-hosts.ts";
import { readHooks, readSourceGroup, readSourceGroups } from "./store.ts";

export interface SourcesParts extends RunParts, HookParts, ChangeGroupParts {
  viewJob: (jobId: JobId) => Promise<Job | undefined>;
}

const params = z.object({ id: HostId });
const groupParams = z.object({ id: HostId, gid: SourceGroupId });
const GROUPS = "/api/hosts/{id}/source-groups";
const GROUP = `${GROUPS}/{gid}` as const;

const list = route({
  method: "get",
  path: GROUPS,
  access: "viewer",
  summary: "What a host backs up",
  problems: ["not_found"],
  request: { params },
  responses: { 200: json(SourceGroups, "The host's source groups by name") },
});
const show = route({
  method: "get",
  path: GROUP,
  access: "viewer",
  summary: "One source group",
  problems: ["not_found"],
  request: { params: groupParams },
  responses: { 200: json(SourceGroup, "The group") },
});
const create = route({
  method: "post",
  path: GROUPS,
  access: "operator",
  summary: "Add a source group",
  problems: ["not_found", "name_taken"],
  request: { params, body: body(SourceGroupInput) },
  responses: { 201: json(SourceGroup, "The new group") },
});
const replace = route({
  method: "put",
  path: GROUP,
  access: "operator",
  summary: "Change a source group",
  problems: ["not_found", "name_taken", "changed_meanwhile"],
  request: { params: groupParams, body: body(SourceGroupEdit) },
  responses: { 200: json(SourceGroup, "The group as it is now") },
});
const remove = route({
  method: "delete",
  path: GROUP,
  access: "operator",
  summary: "Delete a source group; its snapshots stay",
  problems: ["not_found", "group_in_use", "last_group"],
  request: { params: groupParams },
  responses: { 204: noContent("The group is gone, and what waited to run of it") },
});
const run = route({
  method: "post",
  path: `${GROUP}/run`,
  access: "operator",
  summary: "Back up one source group now",
  problems: ["not_found", "no_credentials", "host_offline"],
  request: { params: groupParams, body: body(RunGroup) },
  responses: { 201: json(CreatedJob, "The job is queued") },
});
const groupHooks = route({
  method: "put",
  path: `${GROUP}/hooks`,
  access: "admin",
  summary: "Change what runs around backups of a source group; bodies are never shown again",
  problems: ["not_found"],
  request: { params: groupParams, body: body(HooksInput) },
  responses: { 200: json(HostHooks, "What there is now") },
});
const hostHooks = route({
  method: "put",
  path: "/api/hosts/{id}/hooks",
  access: "admin",
  summary: "Change what runs around backups of groups without hooks of their own",
  problems: ["not_found"],
  request: { params, body: body(HooksInput) },
  responses: { 200: json(HostHooks, "What there is now") },
});
const showHooks = route({
  method: "get",
  path: "/api/hosts/{id}/hooks",
  access: "viewer",
  summary: "Whether a host has default hooks; never what they say",
  request: { params },
  responses: { 200: json(HostHooks, "What there is") },
});
const bandwidth = route({
  method: "put",
  path: "/api/hosts/{id}/bandwidth",
  access: "operator",
  summary: "Cap every restic call of a host",
  problems: ["not_found"],
  request: { params, body: body(HostBandwidth) },
  responses: { 200: json(HostBandwidth, "The caps as they are now, in KiB/s") },
});
const gone = route({
  method: "post",
  path: "/api/hosts/{id}/run-backup",
  access: "operator",
  summary: "Answers `gone`: a backup is of a source group",
  problems: ["gone"],
  request: { params },
  responses: {},
});

const runMany = route({
  method: "post",
  path: "/api/backups",
  access: "operator",
  summary: "Back up many hosts now, each with all its source groups",
  request: { body: body(RunHosts) },
  responses: { 200: json(RanHosts, "For each host its jobs, queued, or why it has none") },
});

/** What hosts back up, and what runs around it. */
export function sourcesRoom(parts: SourcesParts) {
  const { db } = parts;
  return newRoom()
    .openapi(list, async (c) => {
      const { id } = c.req.valid("param");
      const groups = await readSourceGroups(db, id);
      if (groups === undefined) throw new ApiProblem("not_found", "there is no such host");
      const hooks = await readHooks(db, id);
      return c.json({ items: groups.map((group) => sourceGroupView(group, hooks.get(group.id))) }, 200);
    })
    .openapi(show, async (c) => {
      const { id, gid } = c.req.valid("param");
      const group = await readSourceGroup(db, id, gid);
      if (group === undefined) throw new ApiProblem("not_found", "the host has no such source group");
      return c.json(sourceGroupView(group, (await readHooks(db, id)).get(gid)), 200);
    })
    .openapi(create, async (c) => {
      const { id } = c.req.valid("param");
      return c.json(await createGroup(parts, id, c.req.valid("json"), userActor(c)), 201);
    })
    .openapi(replace, async (c) => {
      const { id, gid } = c.req.valid("param");
      return c.json(await replaceGroup(parts, id, gid, c.req.valid("json"), userActor(c)), 200);
    })
    .openapi(remove, async (c) => {
      const { id, gid } = c.req.valid("param");
      await deleteGroup(parts, id, gid, userActor(c));
      return c.body(null, 204);
    })
    .openapi(run, async (c) => {
      const { id, gid } = c.req.valid("param");
      const jobId = await runGroup(parts, id, gid, c.req.valid("json"), userActor(c));
      const job = await parts.viewJob(jobId);
      if (job === undefined) throw new ApiProblem("not_found", "the host was removed meanwhile");
      return c.json({ job }, 201);
    })
    .openapi(groupHooks, async (c) => {
      const { id, gid } = c.req.valid("param");
      return c.json({ hooks: await updateHooks(parts, id, gid, c.req.valid("json"), userActor(c)) }, 200);
    })
    .openapi(hostHooks, async (c) => {
      const { id } = c.req.valid("param");
      return c.json({ hooks: await updateHooks(parts, id, "", c.req.valid("json"), userActor(c)) }, 200);
    })
    .openapi(showHooks, async (c) => c.json({ hooks: await defaultHooks(db, c.req.valid("param").id) }, 200))
    .openapi(bandwidth, async (c) => {
      const { id } = c.req.valid("param");
      return c.json(await updateBandwidth(parts, id, c.req.valid("json"), userActor(c)), 200);
    })
    .openapi(gone, (c) => {
      const { id } = c.req.valid("param");
      throw new ApiProblem("gone", "a backup is of a source group, not of a whole host", {
        hint: `POST /api/hosts/${id}/source-groups/{gid}/run; GET /api/hosts/${id}/source-groups lists the groups`,
      });
    })
    .openapi(runMany, async (c) => {
      const { host_ids, bandwidth } = c.req.valid("json");
      return c.json({ items: await runHosts(parts, host_ids, bandwidth, userActor(c)) }, 200);
    });
}
