import type { MiddlewareHandler } from "hono";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import type { Caller, RoomEnv } from "../platform/http/caller.ts";
import { hashToken } from "../platform/token.ts";
import type { SessionCookie } from "./cookie.ts";
import { findSession } from "./sessions.ts";
import { hostOfBearer } from "./store.ts";

/** Longer than any token of ours. */
const MOST_CHARACTERS = 256;

/** Says who calls: a bearer counts before a cookie, and a proof that is not valid makes nobody. */
export function identify(db: Database, clock: Clock, cookie: SessionCookie): MiddlewareHandler<RoomEnv> {
  const callerOf = async (bearer: string | null, token: string | null): Promise<Caller> => {
    if (bearer !== null) {
      const hostId = bearer.length > MOST_CHARACTERS ? null : await hostOfBearer(db, hashToken(bearer));
      return hostId === null ? { kind: "nobody" } : { kind: "agent", hostId };
    }
    if (token === null || token.length > MOST_CHARACTERS) return { kind: "nobody" };
    const session = await findSession(db, clock, token);
    return session === null ? { kind: "nobody" } : { kind: "user", ...session };
  };
  return async (c, next) => {
    const bearer = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? null;
    c.set("caller", await callerOf(bearer, cookie.read(c)));
    await next();
  };
}
