import { OpenAPIHono, createRoute, type RouteConfig } from "@hono/zod-openapi";
import { z } from "zod";
import { API_ERRORS, Problem, type ApiErrorCode } from "@restic-manager/protocol/api/errors";
import { guard, type Access } from "./access.ts";
import type { RoomEnv } from "./caller.ts";
import { validationProblem } from "./validation.ts";

/** Where a route's access stands in the OpenAPI document. */
export const ACCESS_FIELD = "x-access";

/** A route as a room declares it. Paths are whole (`/api/hosts/{id}`), so that a search finds them. */
export type RouteDeclaration<P extends string> = Omit<RouteConfig, "path" | "middleware" | "hide"> & {
  path: P;
  /** Who may call it: there is no route without. */
  access: Access;
  /** Errors of its own, for the document; those that every route has are added. */
  problems?: readonly ApiErrorCode[];
};

/** An empty room. Rooms chain `.openapi(route({…}), handler)`, and `app.ts` puts them together. */
export function newRoom(): OpenAPIHono<RoomEnv> {
  return new OpenAPIHono<RoomEnv>({
    defaultHook(result) {
      if (!result.success) throw validationProblem(result.error.issues);
    },
  });
}

/**
 * Declares one route. Its guard runs before anything of the request is read, and its access is in the OpenAPI document, from
 * which the test of all roles takes its list.
 *
 * Only the answers declared here are in the typed client; problems are thrown (`ApiProblem`) and documented, not typed.
 */
export function route<P extends string, R extends RouteDeclaration<P>>(declaration: R & { path: P }) {
  const made = createRoute<P, R & { path: P }>(declaration);
  Object.assign(made, {
    [ACCESS_FIELD]: declaration.access,
    access: undefined,
    problems: undefined,
    middleware: [guard(declaration.access)],
    responses: { ...problemResponses(declaration), ...declaration.responses },
  });
  return made;
}

/** A JSON answer. */
export function json<S extends z.ZodType>(schema: S, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** A JSON body that must be there. */
export function body<S extends z.ZodType>(schema: S) {
  return { required: true, content: { "application/json": { schema } } };
}

/** An answer without a body. */
export function noContent(description: string) {
  return { description };
}

/** A stream of server-sent events; `stream.ts` makes them. */
export function eventStream(description: string) {
  return { description, content: { "text/event-stream": { schema: z.string() } } };
}

function problemResponses(declaration: RouteDeclaration<string>): RouteConfig["responses"] {
  const codes = new Set<ApiErrorCode>(declaration.problems);
  if (declaration.access !== "nobody") codes.add("unauthenticated");
  if (declaration.access === "operator" || declaration.access === "admin") codes.add("forbidden");
  if (declaration.request !== undefined) codes.add("validation_failed");
  if (declaration.request?.body !== undefined)
    for (const code of ["malformed_json", "too_large", "unsupported_media_type"] as const) codes.add(code);
  if (declaration.method !== "get") codes.add("foreign_origin");
  const responses: RouteConfig["responses"] = {};
  for (const status of new Set([...codes].map((code) => API_ERRORS[code]))) {
    const ofStatus = [...codes].filter((code) => API_ERRORS[code] === status);
    responses[status] = json(Problem, ofStatus.map((code) => `\`${code}\``).join(", "));
  }
  return responses;
}
