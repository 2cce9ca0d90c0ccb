import type { Context } from "hono";
import type { User } from "@restic-manager/protocol/api/session";
import type { HostId } from "@restic-manager/protocol/ids";
import { ApiProblem } from "./problem.ts";

/** Who sent a request, proven by a session's cookie or an agent's bearer. */
export type Caller =
  | { kind: "nobody" }
  | { kind: "user"; user: User; sessionHash: string }
  | { kind: "agent"; hostId: HostId };

/** What the socket under a request gives; absent in tests that call the app without one. */
export interface Peer {
  /** Address of the other end of the socket: a proxy's, when there is one. */
  peer?: string | null;
  /** Keeps an idle response open beyond the server's idle timeout. */
  keepOpen?: () => void;
}

/** What every handler finds: `c.get("caller")`, `c.get("address")`. */
export interface RoomEnv {
  Bindings: Peer;
  Variables: {
    caller: Caller;
    /** The client's address, seen through trusted proxies; null when there is no socket. */
    address: string | null;
  };
}

/** The signed-in user. Routes with the access `viewer` or more always have one. */
export function signedIn(c: Context<RoomEnv>): User {
  const caller = c.get("caller");
  if (caller.kind !== "user") throw new ApiProblem("unauthenticated", "sign in first");
  return caller.user;
}
