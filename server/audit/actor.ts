import type { Context } from "hono";
import { signedIn, type RoomEnv } from "../platform/http/caller.ts";
import type { AuditActor } from "../platform/audit.ts";

/** A person who acts through the API; also who a job is for. */
export type UserActor = AuditActor & { kind: "user" };

/** The signed-in user as the record names them. Routes with the access `viewer` or more always have one. */
export function userActor(c: Context<RoomEnv>): UserActor {
  const user = signedIn(c);
  return { kind: "user", id: user.id, name: user.username, address: c.get("address") };
}
