import { z } from "zod";
import {
  AppliedTemplate,
  ApplyTemplate,
  HostFollowing,
  PreviewTemplate,
  Template,
  TemplateEdit,
  TemplateHosts,
  TemplateInput,
  TemplatePreview,
  Templates,
} from "@restic-manager/protocol/api/templates";
import { HostId, TemplateId } from "@restic-manager/protocol/ids";
import { userActor } from "../audit/actor.ts";
import { body, json, newRoom, noContent, route } from "../platform/http/room.ts";
import { applyTemplate, type ApplyParts } from "./apply.ts";
import { createTemplate, deleteTemplate, replaceTemplate, type ChangeTemplateParts } from "./change.ts";
import { followingOf, previewTemplate, templateHosts, viewTemplate, viewTemplates } from "./following.ts";
import { leaveTemplate } from "./leave.ts";

export type TemplatesParts = ApplyParts & ChangeTemplateParts;

const params = z.object({ id: TemplateId });
const hostParams = z.object({ id: HostId });
const TEMPLATES = "/api/policy-templates";
const TEMPLATE = `${TEMPLATES}/{id}` as const;
const FOLLOWED = "/api/hosts/{id}/policy-template";

const list = route({
  method: "get",
  path: TEMPLATES,
  access: "viewer",
  summary: "Policy templates: what hosts back up and when, kept as one named thing",
  responses: { 200: json(Templates, "The templates by name") },
});
const create = route({
  method: "post",
  path: TEMPLATES,
  access: "operator",
  summary: "Add a policy template",
  problems: ["name_taken"],
  request: { body: body(TemplateInput) },
  responses: { 201: json(Template, "The new template, which no host follows yet") },
});
const show = route({
  method: "get",
  path: TEMPLATE,
  access: "viewer",
  summary: "One policy template",
  problems: ["not_found"],
  request: { params },
  responses: { 200: json(Template, "The template") },
});
const replace = route({
  method: "put",
  path: TEMPLATE,
  access: "operator",
  summary: "Change a policy template; hosts change when it is applied to them again",
  problems: ["not_found", "name_taken", "changed_meanwhile"],
  request: { params, body: body(TemplateEdit) },
  responses: { 200: json(Template, "The template as it is now") },
});
const remove = route({
  method: "delete",
  path: TEMPLATE,
  access: "operator",
  summary: "Delete a policy template; hosts keep what they have",
  problems: ["not_found"],
  request: { params },
  responses: { 204: noContent("The template is gone") },
});
const hosts = route({
  method: "get",
  path: `${TEMPLATE}/hosts`,
  access: "viewer",
  summary: "The hosts that follow a policy template, and how they differ from it",
  problems: ["not_found"],
  request: { params },
  responses: { 200: json(TemplateHosts, "Those that differ first") },
});
const preview = route({
  method: "post",
  path: `${TEMPLATE}/preview`,
  access: "viewer",
  summary: "What applying a policy template would change",
  problems: ["not_found"],
  request: { params, body: body(PreviewTemplate) },
  responses: { 200: json(TemplatePreview, "The changes, hosts alike together") },
});
const apply = route({
  method: "post",
  path: `${TEMPLATE}/apply`,
  access: "operator",
  summary: "Give hosts what a policy template says",
  problems: ["not_found", "changed_meanwhile"],
  request: { params, body: body(ApplyTemplate) },
  responses: { 200: json(AppliedTemplate, "For each host what became of it") },
});
const followed = route({
  method: "get",
  path: FOLLOWED,
  access: "viewer",
  summary: "The policy template a host follows, and how it differs from it",
  problems: ["not_found"],
  request: { params: hostParams },
  responses: { 200: json(HostFollowing, "The template, if there is one") },
});
const leave = route({
  method: "delete",
  path: FOLLOWED,
  access: "operator",
  summary: "Let a host go its own way; it keeps what it has",
  problems: ["not_found"],
  request: { params: hostParams },
  responses: { 204: noContent("It follows no template") },
});

/** Policy templates, and who follows them. */
export function templatesRoom(parts: TemplatesParts) {
  const { db } = parts;
  return newRoom()
    .openapi(list, async (c) => c.json({ items: await viewTemplates(db) }, 200))
    .openapi(create, async (c) => {
      const id = await createTemplate(parts, c.req.valid("json"), userActor(c));
      return c.json(await viewTemplate(db, id), 201);
    })
    .openapi(show, async (c) => c.json(await viewTemplate(db, c.req.valid("param").id), 200))
    .openapi(replace, async (c) => {
      const { id } = c.req.valid("param");
      await replaceTemplate(parts, id, c.req.valid("json"), userActor(c));
      return c.json(await viewTemplate(db, id), 200);
    })
    .openapi(remove, async (c) => {
      await deleteTemplate(parts, c.req.valid("param").id, userActor(c));
      return c.body(null, 204);
    })
    .openapi(hosts, async (c) => c.json({ items: await templateHosts(db, c.req.valid("param").id) }, 200))
    .openapi(preview, async (c) =>
      c.json(await previewTemplate(db, c.req.valid("param").id, c.req.valid("json")), 200),
    )
    .openapi(apply, async (c) => {
      const { id } = c.req.valid("param");
      return c.json({ items: await applyTemplate(parts, id, c.req.valid("json"), userActor(c)) }, 200);
    })
    .openapi(followed, async (c) =>
      c.json({ following: await followingOf(db, c.req.valid("param").id) }, 200),
    )
    .openapi(leave, async (c) => {
      await leaveTemplate(parts, c.req.valid("param").id, userActor(c));
      return c.body(null, 204);
    });
}
