import type { Context } from "hono";
import { z } from "zod";
import {
  FileVersions,
  TreeFolder,
  TreeFound,
  TreeQuery,
  TreeSearchQuery,
  VersionsQuery,
} from "@restic-manager/protocol/api/tree";
import type { ApiErrorCode } from "@restic-manager/protocol/api/errors";
import { HostId, ResticId } from "@restic-manager/protocol/ids";
import type { RoomEnv } from "../platform/http/caller.ts";
import { json, newRoom, route } from "../platform/http/room.ts";
import { fileVersions, folderPage, searchSnapshot, type BrowseParts, type Viewer } from "./browse.ts";
import { PageCache } from "./page-cache.ts";

/** Pages in memory for all viewers of this server: some 600 of 500 entries. */
const KEPT_BYTES = 64 * 1024 * 1024;

const params = z.object({ id: HostId, sid: ResticId });
const problems = [
  "not_found",
  "host_offline",
  "agent_outdated",
  "agent_busy",
  "agent_failed",
  "agent_timeout",
] as const satisfies ApiErrorCode[];

const tree = route({
  method: "get",
  path: "/api/hosts/{id}/snapshots/{sid}/tree",
  access: "operator",
  summary: "A folder in a snapshot",
  problems: [...problems, "snapshot_indexing", "snapshot_too_large"],
  request: { params, query: TreeQuery },
  responses: { 200: json(TreeFolder, "One page: folders first, then the rest, by name") },
});
const search = route({
  method: "get",
  path: "/api/hosts/{id}/snapshots/{sid}/search",
  access: "operator",
  summary: "Things in a snapshot by name or path",
  problems: [...problems, "snapshot_indexing", "snapshot_too_large"],
  request: { params, query: TreeSearchQuery },
  responses: { 200: json(TreeFound, "One page of what was found") },
});
const versions = route({
  method: "get",
  path: "/api/hosts/{id}/versions",
  access: "operator",
  summary: "One file in all snapshots of a host",
  problems,
  request: { params: z.object({ id: HostId }), query: VersionsQuery },
  responses: { 200: json(FileVersions, "The file as each snapshot has it") },
});

/** What is in snapshots. The agent reads it; nothing of it is stored here. */
export function browseRoom(given: Omit<BrowseParts, "kept">) {
  const parts = { ...given, kept: new PageCache<TreeFolder>(KEPT_BYTES, () => given.clock.elapsed()) };
  return newRoom()
    .openapi(tree, async (c) => {
      const { id, sid } = c.req.valid("param");
      return c.json(
        await folderPage(parts, { hostId: id, snapshotId: sid }, c.req.valid("query"), viewerOf(c)),
        200,
      );
    })
    .openapi(search, async (c) => {
      const { id, sid } = c.req.valid("param");
      const place = { hostId: id, snapshotId: sid };
      return c.json(await searchSnapshot(parts, place, c.req.valid("query"), viewerOf(c)), 200);
    })
    .openapi(versions, async (c) => {
      const { id } = c.req.valid("param");
      return c.json(await fileVersions(parts, id, c.req.valid("query").path, viewerOf(c)), 200);
    });
}

/** Asking takes longer than an idle connection is kept. */
function viewerOf(c: Context<RoomEnv>): Viewer {
  c.env?.keepOpen?.();
  const caller = c.get("caller");
  return { session: caller.kind === "user" ? caller.sessionHash : "", gone: c.req.raw.signal };
}
