import type { MiddlewareHandler } from "hono";
import { ROLES, type Role } from "@restic-manager/protocol/api/session";
import type { Caller, RoomEnv } from "./caller.ts";
import { ApiProblem } from "./problem.ts";

/** Who may call a route: `nobody` needs no proof at all, a role stands for itself and those above, `agent` is a host's bearer. */
export const ACCESS = ["nobody", ...ROLES, "agent"] as const;
export type Access = (typeof ACCESS)[number];

/** Why `caller` may not pass, or null. The only place where roles are compared. */
export function refusal(access: Access, caller: Caller): ApiProblem | null {
  if (access === "nobody") return null;
  if (access === "agent")
    return caller.kind === "agent" ? null : new ApiProblem("unauthenticated", "this needs an agent's bearer");
  if (caller.kind !== "user") return new ApiProblem("unauthenticated", "sign in first");
  if (rank(caller.user.role) >= rank(access)) return null;
  return new ApiProblem(
    "forbidden",
    `this needs the role ${access}; you are signed in as ${caller.user.role}`,
  );
}

/** Runs before a route reads anything of the request. */
export function guard(access: Access): MiddlewareHandler<RoomEnv> {
  return async (c, next) => {
    const problem = refusal(access, c.get("caller"));
    if (problem !== null) throw problem;
    await next();
  };
}

function rank(role: Role): number {
  return ROLES.indexOf(role);
}
