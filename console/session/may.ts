import type { Role } from "@restic-manager/protocol/api/session";
import { useSuspenseQuery } from "@tanstack/react-query";
import { meQuery } from "../queries.ts";

/** What this role may do, so that a page offers nothing that the server would refuse. The server decides all the same. */
export function mayDo(role: Role) {
  return { operate: role !== "viewer", administer: role === "admin" };
}

/** What whoever is signed in may do. */
export function useMay() {
  return mayDo(useSuspenseQuery(meQuery).data.user.role);
}
