import { z } from "zod";
import { ChangesPage, ChangesQuery, DiffRequest } from "@restic-manager/protocol/api/diff";
import { CreatedJob, type Job } from "@restic-manager/protocol/api/jobs";
import { HostId, JobId } from "@restic-manager/protocol/ids";
import { userActor } from "../audit/actor.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, json, newRoom, route } from "../platform/http/room.ts";
import { compareSnapshots, type CompareParts } from "./compare.ts";
import { comparisonById, readChanges } from "./store.ts";

const start = route({
  method: "post",
  path: "/api/hosts/{id}/snapshots/diff",
  access: "operator",
  summary: "Compare two snapshots of a host",
  problems: ["not_found", "host_offline", "conflict"],
  request: { params: z.object({ id: HostId }), body: body(DiffRequest) },
  responses: { 201: json(CreatedJob, "The job, queued") },
});
const changes = route({
  method: "get",
  path: "/api/jobs/{id}/changes",
  access: "operator",
  summary: "What a comparison found, also while it runs",
  problems: ["not_found"],
  request: { params: z.object({ id: JobId }), query: ChangesQuery },
  responses: { 200: json(ChangesPage, "One page, in the order of paths") },
});

/** Comparisons of snapshots. Names in snapshots are for operators, as is looking into them. */
export function compareRoom(parts: CompareParts & { viewJob: (id: JobId) => Promise<Job | undefined> }) {
  return newRoom()
    .openapi(start, async (c) => {
      const jobId = await compareSnapshots(parts, c.req.valid("param").id, c.req.valid("json"), userActor(c));
      const job = await parts.viewJob(jobId);
      if (job === undefined) throw new ApiProblem("gone", "the job was removed");
      return c.json({ job }, 201);
    })
    .openapi(changes, async (c) => {
      const { id } = c.req.valid("param");
      const { kind, q, below, cursor, limit } = c.req.valid("query");
      const compared = await comparisonById(parts.db, id);
      if (compared === undefined) throw new ApiProblem("not_found", "there is no such comparison");
      const { from, to, folders } = compared;
      const whole = [kind, q, below, cursor].every((part) => part === undefined);
      const after = readCursor(cursor);
      const { rows, total } = await readChanges(
        parts.db,
        id,
        { kinds: kind, part: q, below },
        { after, limit: limit + 1 },
      );
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      return c.json(
        {
          from,
          to,
          ...(whole && folders !== undefined ? { folders } : {}),
          items: items.map(({ n: _n, ...change }) => change),
          next_cursor: rows.length > limit && last !== undefined ? String(last.n) : null,
          total,
        },
        200,
      );
    });
}

function readCursor(cursor: string | undefined): number {
  if (cursor === undefined) return -1;
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor);
  const fields = { cursor: "belongs to another list" };
  throw new ApiProblem("validation_failed", "cursor: belongs to another list", { fields });
}
