import type { Me, Role } from "@restic-manager/protocol/api/session";

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** Whether somebody may do what `role` may. The server decides; this only hides what it would refuse. */
export function may(me: Me, role: Role): boolean {
  return RANK[me.user.role] >= RANK[role];
}
