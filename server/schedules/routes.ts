import { z } from "zod";
import type { Job } from "@restic-manager/protocol/api/jobs";
import {
  CreatedJobs,
  HostPauseInput,
  PausedHosts,
  PauseHosts,
  RunSchedule,
  Schedule,
  ScheduleEdit,
  ScheduleInput,
  ScheduleLoad,
  SchedulePreview,
  SchedulePreviewInput,
  Schedules,
} from "@restic-manager/protocol/api/schedules";
import { HostId, ScheduleId, type JobId } from "@restic-manager/protocol/ids";
import { userActor } from "../audit/actor.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, json, newRoom, noContent, route } from "../platform/http/room.ts";
import {
  createSchedule,
  deleteSchedule,
  pauseHost,
  replaceSchedule,
  switchSchedule,
  type ChangeScheduleParts,
} from "./change.ts";
import { scheduleLoad } from "./load.ts";
import { pauseHosts } from "./pause-hosts.ts";
import { runSchedule, type RunScheduleParts } from "./run.ts";
import { readScheduleHost } from "./store.ts";
import { previewFires, showSchedules } from "./view.ts";

export interface SchedulesParts extends ChangeScheduleParts, RunScheduleParts {
  viewJob: (jobId: JobId) => Promise<Job | undefined>;
}

const params = z.object({ id: HostId });
const scheduleParams = z.object({ id: HostId, sid: ScheduleId });
const SCHEDULES = "/api/hosts/{id}/schedules";
const SCHEDULE = `${SCHEDULES}/{sid}` as const;

const list = route({
  method: "get",
  path: SCHEDULES,
  access: "viewer",
  summary: "When a host backs up by itself, and whether its agent knows",
  problems: ["not_found"],
  request: { params },
  responses: { 200: json(Schedules, "The host's schedules, oldest first") },
});
const preview = route({
  method: "post",
  path: `${SCHEDULES}/preview`,
  access: "viewer",
  summary: "What a cron expression means on a host, before it is saved",
  problems: ["not_found"],
  request: { params, body: body(SchedulePreviewInput) },
  responses: { 200: json(SchedulePreview, "The next five times") },
});
const create = route({
  method: "post",
  path: SCHEDULES,
  access: "operator",
  summary: "Add a schedule",
  problems: ["not_found"],
  request: { params, body: body(ScheduleInput) },
  responses: { 201: json(Schedule, "The new schedule; its agent is told at once") },
});
const replace = route({
  method: "put",
  path: SCHEDULE,
  access: "operator",
  summary: "Change a schedule",
  problems: ["not_found", "changed_meanwhile"],
  request: { params: scheduleParams, body: body(ScheduleEdit) },
  responses: { 200: json(Schedule, "The schedule as it is now") },
});
const remove = route({
  method: "delete",
  path: SCHEDULE,
  access: "operator",
  summary: "Delete a schedule; its jobs stay",
  problems: ["not_found"],
  request: { params: scheduleParams },
  responses: { 204: noContent("The schedule is gone, and what waited to run of it") },
});
const run = route({
  method: "post",
  path: `${SCHEDULE}/run`,
  access: "operator",
  summary: "Back up now what a schedule fires",
  problems: ["not_found", "no_credentials", "host_offline"],
  request: { params: scheduleParams, body: body(RunSchedule) },
  responses: { 201: json(CreatedJobs, "A job for each of its groups is queued") },
});
const pause = route({
  method: "post",
  path: `${SCHEDULE}/pause`,
  access: "operator",
  summary: "Turn a schedule off",
  problems: ["not_found"],
  request: { params: scheduleParams },
  responses: { 200: json(Schedule, "The schedule, which fires no more") },
});
const resume = route({
  method: "post",
  path: `${SCHEDULE}/resume`,
  access: "operator",
  summary: "Turn a schedule on; times that passed meanwhile are not caught up with",
  problems: ["not_found"],
  request: { params: scheduleParams },
  responses: { 200: json(Schedule, "The schedule, which fires again") },
});
const holdHost = route({
  method: "put",
  path: "/api/hosts/{id}/pause",
  access: "operator",
  summary: "Maintenance mode: nothing of the host fires",
  problems: ["not_found"],
  request: { params, body: body(HostPauseInput) },
  responses: { 200: json(Schedules, "The host's schedules, which fire no more") },
});
const releaseHost = route({
  method: "delete",
  path: "/api/hosts/{id}/pause",
  access: "operator",
  summary: "End the maintenance mode; times that passed meanwhile are not caught up with",
  problems: ["not_found"],
  request: { params },
  responses: { 200: json(Schedules, "The host's schedules, which fire again") },
});

const holdMany = route({
  method: "post",
  path: "/api/pauses",
  access: "operator",
  summary: "Begin or end the maintenance mode of many hosts",
  request: { body: body(PauseHosts) },
  responses: { 200: json(PausedHosts, "For each host what became of it") },
});
const load = route({
  method: "get",
  path: "/api/schedules/load",
  access: "viewer",
  summary: "How many runs of schedules start when, in the next 24 hours",
  responses: { 200: json(ScheduleLoad, "By quarters of an hour") },
});

/** When hosts back up by themselves. */
export function schedulesRoom(parts: SchedulesParts) {
  const { db, clock } = parts;
  const all = async (id: HostId): Promise<Schedules> => {
    const found = await showSchedules(db, id, clock.now());
    if (found === undefined) throw new ApiProblem("not_found", "there is no such host");
    return found;
  };
  const one = async (id: HostId, sid: ScheduleId): Promise<Schedule> => {
    const found = (await all(id)).items.find((schedule) => schedule.id === sid);
    if (found === undefined) throw new ApiProblem("not_found", "the host has no such schedule");
    return found;
  };
  return newRoom()
    .openapi(list, async (c) => c.json(await all(c.req.valid("param").id), 200))
    .openapi(preview, async (c) => {
      const host = await readScheduleHost(db, c.req.valid("param").id);
      if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
      const { cron, timezone } = c.req.valid("json");
      const { zone, next } = previewFires(cron, timezone, host, clock.now());
      return c.json({ effective_timezone: zone.name, next }, 200);
    })
    .openapi(create, async (c) => {
      const { id } = c.req.valid("param");
      return c.json(await one(id, await createSchedule(parts, id, c.req.valid("json"), userActor(c))), 201);
    })
    .openapi(replace, async (c) => {
      const { id, sid } = c.req.valid("param");
      await replaceSchedule(parts, id, sid, c.req.valid("json"), userActor(c));
      return c.json(await one(id, sid), 200);
    })
    .openapi(remove, async (c) => {
      const { id, sid } = c.req.valid("param");
      await deleteSchedule(parts, id, sid, userActor(c));
      return c.body(null, 204);
    })
    .openapi(run, async (c) => {
      const { id, sid } = c.req.valid("param");
      const ids = await runSchedule(parts, id, sid, c.req.valid("json").when_offline, userActor(c));
      const jobs = await Promise.all(ids.map((jobId) => parts.viewJob(jobId)));
      return c.json({ jobs: jobs.flatMap((job) => job ?? []) }, 201);
    })
    .openapi(pause, async (c) => {
      const { id, sid } = c.req.valid("param");
      await switchSchedule(parts, id, sid, false, userActor(c));
      return c.json(await one(id, sid), 200);
    })
    .openapi(resume, async (c) => {
      const { id, sid } = c.req.valid("param");
      await switchSchedule(parts, id, sid, true, userActor(c));
      return c.json(await one(id, sid), 200);
    })
    .openapi(holdHost, async (c) => {
      const { id } = c.req.valid("param");
      await pauseHost(parts, id, c.req.valid("json").reason, userActor(c));
      return c.json(await all(id), 200);
    })
    .openapi(releaseHost, async (c) => {
      const { id } = c.req.valid("param");
      await pauseHost(parts, id, null, userActor(c));
      return c.json(await all(id), 200);
    })
    .openapi(holdMany, async (c) => {
      const { host_ids, reason } = c.req.valid("json");
      return c.json({ items: await pauseHosts(parts, host_ids, reason, userActor(c)) }, 200);
    })
    .openapi(load, async (c) => c.json(await scheduleLoad(db, clock.now()), 200));
}
