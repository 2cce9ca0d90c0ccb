import { z } from "zod";
import { CreatedJob, type Job } from "@restic-manager/protocol/api/jobs";
import {
  ReinitRepository,
  RepoMaintenance,
  RepoMaintenanceInput,
  RunCheck,
  RunForget,
  RunPrune,
  RunUnlock,
  type NewUpkeepJob,
} from "@restic-manager/protocol/api/maintenance";
import { RepositoryPage, RepoStats, RepoStatsQuery } from "@restic-manager/protocol/api/repository-page";
import { HostId, type JobId } from "@restic-manager/protocol/ids";
import { userActor } from "../audit/actor.ts";
import type { Bus } from "../platform/bus.ts";
import type { Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, json, newRoom, route } from "../platform/http/room.ts";
import type { Seal } from "../platform/seal.ts";
import { orderUpkeep, type OrderParts } from "./order.ts";
import { repositoryPage, sizesOf } from "./page.ts";
import { reinitRepository } from "./reinit.ts";
import { readHost } from "./store.ts";
import { updateMaintenance } from "./update.ts";
import { showMaintenance } from "./view.ts";

export interface MaintenanceParts extends OrderParts {
  seal: Seal;
  bus: Bus;
  viewJob: (id: JobId) => Promise<Job | undefined>;
}

const params = z.object({ id: HostId });
const created = { 201: json(CreatedJob, "The job, queued") };
const ordered = ["not_found", "no_credentials", "host_offline", "conflict"] as const;

const page = route({
  method: "get",
  path: "/api/hosts/{id}/repository",
  access: "viewer",
  summary: "All that a host's repository page shows, from what its agent reported",
  problems: ["not_found"],
  request: { params },
  responses: { 200: json(RepositoryPage, "The repository") },
});
const stats = route({
  method: "get",
  path: "/api/hosts/{id}/repo/stats",
  access: "viewer",
  summary: "What a host's repository took over time",
  problems: ["not_found"],
  request: { params, query: RepoStatsQuery },
  responses: { 200: json(RepoStats, "Measurements, oldest first") },
});
const show = route({
  method: "get",
  path: "/api/hosts/{id}/repo-maintenance",
  access: "viewer",
  summary: "When a host's repository is looked after, and how that went",
  problems: ["not_found"],
  request: { params },
  responses: { 200: json(RepoMaintenance, "Settings, next and last runs") },
});
const save = route({
  method: "put",
  path: "/api/hosts/{id}/repo-maintenance",
  access: "operator",
  summary: "Say when a host's repository is looked after",
  problems: ["not_found"],
  request: { params, body: body(RepoMaintenanceInput) },
  responses: { 200: json(RepoMaintenance, "As saved") },
});
const forget = route({
  method: "post",
  path: "/api/hosts/{id}/repo/forget",
  access: "operator",
  summary: "Forget what the source groups' policies do not keep, or list what would go",
  problems: [...ordered, "missing_retention"],
  request: { params, body: body(RunForget) },
  responses: created,
});
const prune = route({
  method: "post",
  path: "/api/hosts/{id}/repo/prune",
  access: "operator",
  summary: "Free what no snapshot needs any more",
  problems: [...ordered, "admin_creds_required"],
  request: { params, body: body(RunPrune) },
  responses: created,
});
const check = route({
  method: "post",
  path: "/api/hosts/{id}/repo/check",
  access: "operator",
  summary: "Check the repository",
  problems: ordered,
  request: { params, body: body(RunCheck) },
  responses: created,
});
const unlock = route({
  method: "post",
  path: "/api/hosts/{id}/repo/unlock",
  access: "operator",
  summary: "Remove locks that are left over, or all of them",
  problems: ordered,
  request: { params, body: body(RunUnlock) },
  responses: created,
});
const reinit = route({
  method: "post",
  path: "/api/hosts/{id}/repo/reinit",
  access: "admin",
  summary: "Make the repository anew where there is none; nothing is ever wiped",
  problems: ["not_found", "no_credentials"],
  request: { params, body: body(ReinitRepository) },
  responses: { 201: json(CreatedJob, "The `init` job, queued") },
});

/** What keeps repositories in order, and their pages. */
export function maintenanceRoom(parts: MaintenanceParts) {
  const { db, clock, bus, viewJob } = parts;
  const job = async (hostId: HostId, make: (trx: Trx) => Promise<JobId>): Promise<{ job: Job }> => {
    const jobId = await db.transaction().execute(make);
    bus.publish("job.queued", { jobId, hostId });
    bus.publish("job.changed", { jobId, hostId });
    bus.publish("host.changed", { hostId });
    const made = await viewJob(jobId);
    if (made === undefined) throw new ApiProblem("not_found", "the job was removed at once");
    return { job: made };
  };
  const order = (hostId: HostId, wish: NewUpkeepJob, actor: Parameters<typeof orderUpkeep>[4]) =>
    job(hostId, (trx) => orderUpkeep(parts, trx, hostId, wish, actor));
  const found = async (hostId: HostId) => {
    const upkeep = await showMaintenance(db, hostId, clock.now());
    if (upkeep === undefined) throw new ApiProblem("not_found", `there is no host ${hostId}`);
    return upkeep.view;
  };
  return newRoom()
    .openapi(page, async (c) => {
      const { id } = c.req.valid("param");
      const shown = await repositoryPage(parts, id, clock.now());
      if (shown === undefined) throw new ApiProblem("not_found", `there is no host ${id}`);
      return c.json(shown, 200);
    })
    .openapi(stats, async (c) => {
      const { id } = c.req.valid("param");
      if ((await readHost(db, id)) === undefined) throw new ApiProblem("not_found", `there is no host ${id}`);
      return c.json({ items: await sizesOf(db, id, c.req.valid("query").days, clock.now()) }, 200);
    })
    .openapi(show, async (c) => c.json(await found(c.req.valid("param").id), 200))
    .openapi(save, async (c) => {
      const { id } = c.req.valid("param");
      await updateMaintenance(parts, id, c.req.valid("json"), userActor(c));
      return c.json(await found(id), 200);
    })
    .openapi(forget, async (c) => {
      const wish = { kind: "forget" as const, ...c.req.valid("json") };
      return c.json(await order(c.req.valid("param").id, wish, userActor(c)), 201);
    })
    .openapi(prune, async (c) => {
      const wish = { kind: "prune" as const, ...c.req.valid("json") };
      return c.json(await order(c.req.valid("param").id, wish, userActor(c)), 201);
    })
    .openapi(check, async (c) => {
      const wish = { kind: "check" as const, ...c.req.valid("json") };
      return c.json(await order(c.req.valid("param").id, wish, userActor(c)), 201);
    })
    .openapi(unlock, async (c) => {
      const wish = { kind: "unlock" as const, ...c.req.valid("json") };
      return c.json(await order(c.req.valid("param").id, wish, userActor(c)), 201);
    })
    .openapi(reinit, async (c) => {
      const { id } = c.req.valid("param");
      const typed = c.req.valid("json").confirm_host_name;
      return c.json(await job(id, (trx) => reinitRepository(parts, trx, id, typed, userActor(c))), 201);
    });
}
