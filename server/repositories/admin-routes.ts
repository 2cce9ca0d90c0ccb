import { z } from "zod";
import { AdminCredentialsInput, AdminCredentialsView } from "@restic-manager/protocol/api/repository";
import { HostId } from "@restic-manager/protocol/ids";
import { userActor } from "../audit/actor.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, json, newRoom, noContent, route } from "../platform/http/room.ts";
import { deleteAdmin, saveAdmin, viewAdmin } from "./admin.ts";
import type { UpdateParts } from "./update.ts";

const params = z.object({ id: HostId });
const PATH = "/api/hosts/{id}/admin-credentials";
const show = route({
  method: "get",
  path: PATH,
  access: "viewer",
  summary: "What may delete in a host's repository; never a password",
  problems: ["not_found"],
  request: { params },
  responses: { 200: json(AdminCredentialsView, "The admin slot") },
});
const save = route({
  method: "put",
  path: PATH,
  access: "admin",
  summary: "Save what may delete in a host's repository",
  problems: ["not_found", "no_credentials"],
  request: { params, body: body(AdminCredentialsInput) },
  responses: { 200: json(AdminCredentialsView, "Saved; the next forget or prune takes it along") },
});
const remove = route({
  method: "delete",
  path: PATH,
  access: "admin",
  summary: "Take away what may delete in a host's repository",
  problems: ["not_found"],
  request: { params },
  responses: { 204: noContent("The slot is empty") },
});

/** The credentials that may delete. */
export function adminCredentialsRoom(parts: Omit<UpdateParts, "createInitJob">) {
  return newRoom()
    .openapi(show, async (c) => {
      const found = await viewAdmin(parts.db, parts.seal, c.req.valid("param").id);
      if (found === undefined)
        throw new ApiProblem("not_found", "there is no such host, or it has no admin credentials");
      return c.json(found, 200);
    })
    .openapi(save, async (c) =>
      c.json(await saveAdmin(parts, c.req.valid("param").id, c.req.valid("json"), userActor(c)), 200),
    )
    .openapi(remove, async (c) => {
      await deleteAdmin(parts, c.req.valid("param").id, userActor(c));
      return c.body(null, 204);
    });
}
