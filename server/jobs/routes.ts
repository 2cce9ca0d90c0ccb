import { z } from "zod";
import {
  CancelJob,
  CreatedJob,
  Job,
  JobLogPage,
  JobLogQuery,
  JobsPage,
  JobsQuery,
} from "@restic-manager/protocol/api/jobs";
import { NewJob, type NewUpkeepJob } from "@restic-manager/protocol/api/maintenance";
import { HostId, JobId } from "@restic-manager/protocol/ids";
import { userActor, type UserActor } from "../audit/actor.ts";
import type { Trx } from "../platform/db/schema.ts";
import { signedIn, type Peer } from "../platform/http/caller.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, eventStream, json, newRoom, route } from "../platform/http/room.ts";
import { streamEvents, type StreamParts } from "../platform/http/stream.ts";
import type { NewJob as JobToCreate } from "./create.ts";
import { cancelJob, findJob, giveUpJob, viewJobs, type JobsParts } from "./jobs.ts";
import { readLog } from "./log-reader.ts";
import { checkMayReadLog, mayKnowNames, withoutNames } from "./names.ts";
import { followJob } from "./stream.ts";
import { Tails } from "./tail.ts";
import { hostNames, listJobs } from "./store.ts";

export interface JobRouteParts extends JobsParts {
  streams: Omit<StreamParts, "keepOpen" | "allowed">;
  /** False once the session has ended. */
  isSessionAlive: (sessionHash: string) => Promise<boolean>;
  create: (trx: Trx, job: JobToCreate) => Promise<{ id: JobId }>;
  /** Queues what somebody wants done in a repository, and records who. */
  orderUpkeep: (trx: Trx, hostId: HostId, wish: NewUpkeepJob, actor: UserActor) => Promise<JobId>;
}

/** Chunks that are read for one event of a stream: some 1,000 lines, and 256 KiB at most. */
const CHUNKS_PER_EVENT = 4;

const jobPath = z.object({ id: JobId });
const hostPath = z.object({ id: HostId });

const list = route({
  method: "get",
  path: "/api/jobs",
  access: "viewer",
  summary: "Jobs, newest first",
  request: { query: JobsQuery },
  responses: { 200: json(JobsPage, "A page of jobs") },
});
const one = route({
  method: "get",
  path: "/api/jobs/{id}",
  access: "viewer",
  summary: "One job",
  problems: ["not_found"],
  request: { params: jobPath },
  responses: { 200: json(Job, "The job") },
});
const create = route({
  method: "post",
  path: "/api/hosts/{id}/jobs",
  access: "operator",
  summary: "Start a job that is about the repository",
  problems: [
    "not_found",
    "no_credentials",
    "host_offline",
    "conflict",
    "admin_creds_required",
    "missing_retention",
  ],
  request: { params: hostPath, body: body(NewJob) },
  responses: { 201: json(CreatedJob, "The job, queued") },
});
const cancel = route({
  method: "post",
  path: "/api/jobs/{id}/cancel",
  access: "operator",
  summary: "End a job early",
  problems: ["not_found", "job_finished"],
  request: { params: jobPath, body: body(CancelJob) },
  responses: { 200: json(Job, "The job; it ends when its agent says so") },
});
const giveUp = route({
  method: "post",
  path: "/api/jobs/{id}/give-up",
  access: "operator",
  summary: "End a job whose machine took it and has not come back",
  problems: ["not_found", "job_finished", "job_not_lost"],
  request: { params: jobPath },
  responses: { 200: json(Job, "The job, failed as given up") },
});
const log = route({
  method: "get",
  path: "/api/jobs/{id}/log",
  access: "viewer",
  summary: "A job's log from any line",
  problems: ["not_found"],
  request: { params: jobPath, query: JobLogQuery },
  responses: { 200: json(JobLogPage, "Lines, and the holes between them") },
});
const stream = route({
  method: "get",
  path: "/api/jobs/{id}/stream",
  access: "viewer",
  summary: "A job's log and progress, live, from any line",
  problems: ["not_found"],
  request: {
    params: jobPath,
    query: z.strictObject({ from: z.coerce.number().int().nonnegative().optional() }),
  },
  responses: { 200: eventStream("Events `job`, `progress`, `lines`, `end`") },
});

/** Jobs: list, look, start, cancel, and their logs. */
export function jobsRoom(parts: JobRouteParts) {
  const { db, bus, audit } = parts;
  const tails = new Tails({
    bus,
    clock: parts.clock,
    readJob: (id) => findJob(parts, id),
    readLines: (id, from, most) => readLog(db, id, from, most, CHUNKS_PER_EVENT),
    onError: parts.streams.onError,
  });
  const found = async (id: JobId): Promise<Job> => {
    const job = await findJob(parts, id);
    if (job === undefined) throw new ApiProblem("not_found", `there is no job ${id}`);
    return job;
  };
  return newRoom()
    .openapi(list, async (c) => {
      const { host_id, kind, state, cursor, limit } = c.req.valid("query");
      const jobs = await listJobs(db, {
        hostId: host_id,
        kind,
        state,
        limit: limit + 1,
        after: readCursor(cursor),
      });
      const page = jobs.slice(0, limit);
      const last = page.at(-1);
      const next_cursor = jobs.length > limit && last !== undefined ? `${last.created_at}.${last.id}` : null;
      const items = await viewJobs(parts, page);
      const names = mayKnowNames(c.get("caller"));
      return c.json({ items: names ? items : items.map(withoutNames), next_cursor }, 200);
    })
    .openapi(one, async (c) => {
      const job = await found(c.req.valid("param").id);
      return c.json(mayKnowNames(c.get("caller")) ? job : withoutNames(job), 200);
    })
    .openapi(create, async (c) => {
      const { id: hostId } = c.req.valid("param");
      const wish = c.req.valid("json");
      const user = signedIn(c);
      const jobId = await db.transaction().execute(async (trx) => {
        if (wish.kind !== "init") return await parts.orderUpkeep(trx, hostId, wish, userActor(c));
        const { kind } = wish;
        const host = (await hostNames(trx, [hostId])).get(hostId);
        if (host === undefined) throw new ApiProblem("not_found", `there is no host ${hostId}`);
        const actor = { kind: "user" as const, id: user.id, name: user.username };
        const job = await parts.create(trx, { kind, input: {}, hostId, actor });
        await audit.record(trx, {
          actor: { ...actor, address: c.get("address") },
          action: "job.run_now",
          target: { kind: "host", id: hostId, name: host.name },
          detail: { kind, job_id: job.id },
        });
        return job.id;
      });
      bus.publish("job.queued", { jobId, hostId });
      bus.publish("job.changed", { jobId, hostId });
      bus.publish("host.changed", { hostId });
      return c.json({ job: await found(jobId) }, 201);
    })
    .openapi(cancel, async (c) => {
      const { id } = c.req.valid("param");
      const user = signedIn(c);
      const actor = { kind: "user" as const, id: user.id, name: user.username, address: c.get("address") };
      const verdict = await cancelJob(parts, id, { now: c.req.valid("json").now, actor });
      if (verdict === "unknown") throw new ApiProblem("not_found", `there is no job ${id}`);
      if (verdict === "finished")
        throw new ApiProblem("job_finished", "this job is over; there is nothing to cancel");
      return c.json(await found(id), 200);
    })
    .openapi(giveUp, async (c) => {
      const { id } = c.req.valid("param");
      const verdict = await giveUpJob(parts, id, userActor(c));
      if (verdict === "unknown") throw new ApiProblem("not_found", `there is no job ${id}`);
      if (verdict === "finished") throw new ApiProblem("job_finished", "this job is over already");
      if (verdict === "not_lost")
        throw new ApiProblem("job_not_lost", "this job's machine is connected, or never had it", {
          hint: "cancel it instead",
        });
      return c.json(await found(id), 200);
    })
    .openapi(log, async (c) => {
      const { id } = c.req.valid("param");
      const { from, limit } = c.req.valid("query");
      if (!mayKnowNames(c.get("caller"))) checkMayReadLog((await found(id)).kind, c.get("caller"));
      const page = await readLog(db, id, from, limit);
      if (page === undefined) throw new ApiProblem("not_found", `there is no job ${id}`);
      return c.json(page, 200);
    })
    .openapi(stream, async (c) => {
      const { id } = c.req.valid("param");
      const caller = c.get("caller");
      checkMayReadLog((await found(id)).kind, caller);
      const from = resumeFrom(c.req.header("last-event-id"), c.req.valid("query").from);
      const { keepOpen }: Peer = c.env ?? {};
      const allowed = async () => caller.kind === "user" && (await parts.isSessionAlive(caller.sessionHash));
      return streamEvents({ ...parts.streams, keepOpen, allowed }, (signal) =>
        followJob(tails, id, from, signal),
      );
    });
}

/** The line after the last one the viewer has: what its browser remembers wins over what the page asked for at first. */
function resumeFrom(lastEventId: string | undefined, from: number | undefined): number {
  const remembered = lastEventId === undefined ? Number.NaN : Number(lastEventId);
  return Number.isSafeInteger(remembered) && remembered >= 0 ? remembered : (from ?? 0);
}

function readCursor(cursor: string | undefined): { createdAt: number; id: JobId } | undefined {
  if (cursor === undefined) return undefined;
  const dot = cursor.indexOf(".");
  const createdAt = Number(cursor.slice(0, dot));
  const id = JobId.safeParse(cursor.slice(dot + 1));
  if (!Number.isSafeInteger(createdAt) || !id.success) {
    throw new ApiProblem("validation_failed", "the cursor is not one of ours", {
      fields: { cursor: "is not a cursor" },
    });
  }
  return { createdAt, id: id.data };
}
