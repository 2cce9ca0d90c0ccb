import { ApiProblem } from "./problem.ts";

/**
 * Refuses a state-changing request that another site made a browser send. Browsers say where such a request comes from;
 * whoever says nothing and brings no cookie is no browser (an agent, a script) and has nothing that could be abused.
 *
 * @param host what the client asked for, seen through trusted proxies.
 * @param publicOrigin origin of the server's public address; asked only when the host does not settle it.
 * @throws ApiProblem `foreign_origin`.
 */
export async function refuseForeignOrigin(
  request: Request,
  host: string | null,
  publicOrigin: () => Promise<string | null>,
): Promise<void> {
  if (request.method === "GET" || request.method === "HEAD" || request.method === "OPTIONS") return;
  const site = request.headers.get("sec-fetch-site");
  if (site === "same-origin") return;
  const origin = request.headers.get("origin");
  if (site === null && origin === null) {
    if (request.headers.get("cookie") === null) return;
    throw foreign("a request with a cookie must say where it comes from (the Origin header)");
  }
  if (site === null && origin !== null) {
    if (host !== null && hostOf(origin) === host.toLowerCase()) return;
    if (origin === (await publicOrigin())) return;
  }
  throw foreign("this request comes from another site");
}

function foreign(message: string): ApiProblem {
  return new ApiProblem("foreign_origin", message, {
    hint: "open the console at its public address, and check RM_BASE_URL and RM_TRUSTED_PROXY behind a proxy",
  });
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
