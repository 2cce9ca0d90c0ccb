import { ApiProblem } from "./problem.ts";

/** A path of the API and a method it answers. */
export interface KnownRoute {
  method: string;
  /** As in the document: `/api/hosts/{id}`. */
  path: string;
}

/** What to say to a request that no route answered: the path is unknown (404), or it answers other methods (405). */
export function unrouted(request: Request, routes: readonly KnownRoute[]): ApiProblem {
  const { pathname } = new URL(request.url);
  const allow = routes
    .filter((route) => pattern(route.path).test(pathname))
    .map((route) => route.method.toUpperCase());
  const path = pathname.slice(0, 200);
  if (allow.length === 0) return new ApiProblem("not_found", `there is nothing at ${path}`);
  const list = [...new Set(allow)].toSorted().join(", ");
  return new ApiProblem("method_not_allowed", `${path} does not answer ${request.method}, only ${list}`, {
    allow: list,
  });
}

function pattern(path: string): RegExp {
  const escaped = path.split(/\{[^}]+\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join("[^/]+")}$`);
}
