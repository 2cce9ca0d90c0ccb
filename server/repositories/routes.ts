import { z } from "zod";
import { RepoCredentialsInput, RepoCredentialsView } from "@restic-manager/protocol/api/repository";
import { HostId } from "@restic-manager/protocol/ids";
import { userActor } from "../audit/actor.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, json, newRoom, route } from "../platform/http/room.ts";
import { credentialsView } from "./credentials.ts";
import { readCredentials } from "./store.ts";
import { updateCredentials, type UpdateParts } from "./update.ts";

const params = z.object({ id: HostId });
const show = route({
  method: "get",
  path: "/api/hosts/{id}/repo-credentials",
  access: "viewer",
  summary: "Where a host's repository is; never a password",
  problems: ["not_found"],
  request: { params },
  responses: { 200: json(RepoCredentialsView, "The everyday slot") },
});
const update = route({
  method: "put",
  path: "/api/hosts/{id}/repo-credentials",
  access: "operator",
  summary: "Save a host's everyday credentials and have them tried",
  problems: ["not_found"],
  request: { params, body: body(RepoCredentialsInput) },
  responses: { 200: json(RepoCredentialsView, "Saved; an `init` job tries them") },
});

/** The repositories of hosts: credentials by slot. */
export function repositoriesRoom(parts: UpdateParts) {
  return newRoom()
    .openapi(show, async (c) => {
      const row = await readCredentials(parts.db, c.req.valid("param").id);
      if (row === undefined)
        throw new ApiProblem("not_found", "there is no such host, or it has no repository yet");
      return c.json(credentialsView(row), 200);
    })
    .openapi(update, async (c) =>
      c.json(await updateCredentials(parts, c.req.valid("param").id, c.req.valid("json"), userActor(c)), 200),
    );
}
