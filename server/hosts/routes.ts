import { z } from "zod";
import { FleetSummary } from "@restic-manager/protocol/api/fleet";
import { Host, HostPatch, type HostRow, HostsPage, HostsQuery } from "@restic-manager/protocol/api/hosts";
import { Tags } from "@restic-manager/protocol/api/tags";
import { HostId } from "@restic-manager/protocol/ids";
import { userActor } from "../audit/actor.ts";
import { instant } from "../platform/clock.ts";
import type { Clock } from "../platform/clock.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, json, newRoom, noContent, route } from "../platform/http/room.ts";
import type { HostParts, ProgressOf } from "./host-view.ts";
import { listHosts } from "./list.ts";
import { deleteHost } from "./remove.ts";
import { changeName, type ChangeParts } from "./rename.ts";
import { changeTags } from "./retag.ts";
import { showHost } from "./show.ts";
import { countTags } from "./store.ts";
import { SummaryBoard } from "./summary-board.ts";

export interface HostsParts extends ChangeParts {
  clock: Clock;
  progressOf: ProgressOf;
  /** What the repositories' room knows of a host. */
  partsOf: (hostId: HostId) => Promise<HostParts>;
  /** When hosts back up next, as the schedules' room knows. */
  nextRuns: (ids: readonly HostId[]) => Promise<ReadonlyMap<HostId, Partial<HostRow>>>;
  /** The server's own trouble with its store. */
  storeState: () => FleetSummary["store"];
}

const params = z.object({ id: HostId });
const summary = route({
  method: "get",
  path: "/api/fleet/summary",
  access: "viewer",
  summary: "How the fleet stands",
  responses: { 200: json(FleetSummary, "Figures, the run band and the problems by cause") },
});
const list = route({
  method: "get",
  path: "/api/hosts",
  access: "viewer",
  summary: "The fleet's hosts",
  request: { query: HostsQuery },
  responses: { 200: json(HostsPage, "One page of hosts, and how many of each status there are") },
});
const show = route({
  method: "get",
  path: "/api/hosts/{id}",
  access: "viewer",
  summary: "One host",
  problems: ["not_found"],
  request: { params },
  responses: { 200: json(Host, "All that its page shows but its lists") },
});
const tags = route({
  method: "get",
  path: "/api/tags",
  access: "viewer",
  summary: "The tags of the fleet's hosts",
  responses: { 200: json(Tags, "Every tag in use, and how many hosts have it") },
});
const rename = route({
  method: "patch",
  path: "/api/hosts/{id}",
  access: "operator",
  summary: "Rename a host, or give it other tags",
  problems: ["not_found", "name_taken"],
  request: { params, body: body(HostPatch) },
  responses: { 200: json(Host, "The host with its new name") },
});
const remove = route({
  method: "delete",
  path: "/api/hosts/{id}",
  access: "admin",
  summary: "Forget a host with its jobs and logs; its repository stays",
  problems: ["not_found"],
  request: { params },
  responses: { 204: noContent("The host is forgotten, and its agent refused from now on") },
});

/** Hosts and how they stand. */
export function hostsRoom(parts: HostsParts) {
  const { db, clock, progressOf, partsOf, bus } = parts;
  const board = new SummaryBoard(parts);
  const found = async (id: HostId) => {
    const host = await showHost(db, id, progressOf, partsOf);
    if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
    return host;
  };
  const summaryNow = async () => {
    const since = bus.cutOffSince();
    const known = await board.ask();
    return since === null ? known : { ...known, cut_off: { since: instant(since) } };
  };
  return newRoom()
    .openapi(summary, async (c) => c.json(await summaryNow(), 200))
    .openapi(list, async (c) => {
      const page = await listHosts(db, c.req.valid("query"), clock.now(), progressOf);
      const next = await parts.nextRuns(page.items.map((host) => host.id));
      return c.json({ ...page, items: page.items.map((host) => ({ ...host, ...next.get(host.id) })) }, 200);
    })
    .openapi(tags, async (c) => c.json({ items: await countTags(db) }, 200))
    .openapi(show, async (c) => c.json(await found(c.req.valid("param").id), 200))
    .openapi(rename, async (c) => {
      const { id } = c.req.valid("param");
      const { name, tags: wanted } = c.req.valid("json");
      if (name !== undefined) await changeName(parts, id, name, userActor(c));
      if (wanted !== undefined) await changeTags(parts, id, wanted, userActor(c));
      return c.json(await found(id), 200);
    })
    .openapi(remove, async (c) => {
      await deleteHost(parts, c.req.valid("param").id, userActor(c));
      return c.body(null, 204);
    });
}
