import { z } from "zod";
import { SnapshotsPage, SnapshotsQuery } from "@restic-manager/protocol/api/hosts";
import { HostId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { json, newRoom, route } from "../platform/http/room.ts";
import { listSnapshots } from "./list.ts";

const list = route({
  method: "get",
  path: "/api/hosts/{id}/snapshots",
  access: "viewer",
  summary: "A host's snapshots, newest first",
  problems: ["not_found"],
  request: { params: z.object({ id: HostId }), query: SnapshotsQuery },
  responses: { 200: json(SnapshotsPage, "One page, as the agent last listed them") },
});

/** What agents reported of their repositories' snapshots. */
export function snapshotsRoom({ db }: { db: Database }) {
  return newRoom().openapi(list, async (c) => {
    const { cursor, limit } = c.req.valid("query");
    const page = await listSnapshots(db, c.req.valid("param").id, limit, cursor ?? null);
    if (page === undefined) throw new ApiProblem("not_found", "there is no such host");
    return c.json(page, 200);
  });
}
