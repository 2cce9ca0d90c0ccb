import type { ErrorHandler, MiddlewareHandler } from "hono";
import { API_ERRORS, type ApiErrorCode } from "@restic-manager/protocol/api/errors";
import type { Log } from "../log.ts";
import type { RoomEnv } from "./caller.ts";
import { clientFacts, type TrustedProxies } from "./client-address.ts";
import { securityHeaders } from "./headers.ts";
import { refuseForeignOrigin } from "./origin.ts";
import { problemOf, problemResponse } from "./problem.ts";

export interface FrontParts {
  proxies: TrustedProxies;
  /** The public address; asked only when the request's own host does not settle where it comes from. */
  publicAddress: () => Promise<string>;
}

/** What every request passes first: who it comes from, whether another site sent it, and the headers of its answer. */
export function front({ proxies, publicAddress }: FrontParts): MiddlewareHandler<RoomEnv> {
  return async (c, next) => {
    const { address, host, secure } = clientFacts(c.req.raw, c.env?.peer ?? null, proxies);
    c.set("address", address);
    c.set("caller", { kind: "nobody" });
    try {
      await refuseForeignOrigin(c.req.raw, host, publicAddress);
    } catch (error) {
      c.res = problemResponse(problemOf(error));
      securityHeaders(c.res.headers, secure);
      return;
    }
    await next();
    securityHeaders(c.res.headers, secure);
  };
}

/** What a machine is or does just now. A page that shows a snapshot asks again every two seconds while it is indexed. */
const MACHINES_STATE: ReadonlySet<ApiErrorCode> = new Set([
  "host_offline",
  "snapshot_indexing",
  "snapshot_too_large",
  "agent_busy",
]);

/** The one place where an error becomes an answer; what is the server's fault is in its log. */
export function answerError(log: Log): ErrorHandler<RoomEnv> {
  return (error, c) => {
    const problem = problemOf(error);
    // Whoever has left gets no answer, and nothing has gone wrong: somebody typed on while they searched.
    const ours = API_ERRORS[problem.code] >= 500 && !MACHINES_STATE.has(problem.code);
    if (ours && !c.req.raw.signal.aborted)
      log.error("request failed", error, {
        method: c.req.method,
        path: c.req.path.slice(0, 200),
        code: problem.code,
      });
    return problemResponse(problem);
  };
}
