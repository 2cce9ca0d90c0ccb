import { Me, SignIn, type User } from "@restic-manager/protocol/api/session";
import type { Audit } from "../platform/audit.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { signedIn } from "../platform/http/caller.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, json, newRoom, noContent, route } from "../platform/http/room.ts";
import type { Instance } from "../platform/instance.ts";
import { countAttempt, forgive } from "./back-off.ts";
import type { SessionCookie } from "./cookie.ts";
import { verifyPassword } from "./passwords.ts";
import { startSession } from "./sessions.ts";
import { accountByName, deleteSession } from "./store.ts";

export interface SessionParts {
  db: Database;
  clock: Clock;
  audit: Audit;
  instance: Instance;
  cookie: SessionCookie;
  version: string;
}

const signIn = route({
  method: "post",
  path: "/api/session",
  access: "nobody",
  summary: "Sign in",
  problems: ["wrong_credentials", "rate_limited"],
  request: { body: body(SignIn) },
  responses: { 200: json(Me, "Signed in; the session is in the cookie") },
});
const signOut = route({
  method: "delete",
  path: "/api/session",
  access: "viewer",
  summary: "Sign out",
  responses: { 204: noContent("The session is over") },
});
const me = route({
  method: "get",
  path: "/api/me",
  access: "viewer",
  summary: "Who is signed in, and where",
  responses: { 200: json(Me, "The signed-in user") },
});

/** Sign-in, sign-out, and who is signed in. */
export function sessionRoom(parts: SessionParts) {
  const { db, clock, audit, instance, cookie, version } = parts;
  const facts = async (user: User): Promise<Me> => ({
    user,
    instance: { name: await instance.name(), base_url: await instance.baseUrl(), version },
  });
  const recordFailure = (trx: Trx, name: string | null, address: string | null) =>
    audit.record(trx, {
      actor: { kind: "nobody", id: null, name: "nobody", address },
      action: "session.failed",
      // A name that is no account's may be a password in the wrong field.
      target: { kind: "user", id: null, name },
    });
  return newRoom()
    .openapi(signIn, async (c) => {
      const { username, password } = c.req.valid("json");
      const address = c.get("address");
      const attempt = await countAttempt(db, clock, username, address);
      const account = await accountByName(db, username);
      if (!(await verifyPassword(password, account?.passwordHash ?? null)) || account === null) {
        await db.transaction().execute((trx) => recordFailure(trx, account?.username ?? null, address));
        throw new ApiProblem("wrong_credentials", "the user name or the password is wrong");
      }
      const user: User = { id: account.id, username: account.username, role: account.role };
      const caller = c.get("caller");
      const visitor = { address, userAgent: c.req.header("user-agent") ?? null };
      const token = await db.transaction().execute(async (trx) => {
        await forgive(trx, clock, attempt);
        await audit.record(trx, {
          actor: { kind: "user", id: user.id, name: user.username, address },
          action: "session.created",
          target: { kind: "user", id: user.id, name: user.username },
        });
        return startSession(trx, clock, user, visitor, caller.kind === "user" ? caller.sessionHash : null);
      });
      cookie.write(c, token);
      return c.json(await facts(user), 200);
    })
    .openapi(signOut, async (c) => {
      const [user, caller] = [signedIn(c), c.get("caller")];
      await db.transaction().execute(async (trx) => {
        if (caller.kind !== "user" || !(await deleteSession(trx, caller.sessionHash))) return;
        await audit.record(trx, {
          actor: { kind: "user", id: user.id, name: user.username, address: c.get("address") },
          action: "session.revoked",
          target: { kind: "user", id: user.id, name: user.username },
        });
      });
      cookie.clear(c);
      return c.body(null, 204);
    })
    .openapi(me, async (c) => c.json(await facts(signedIn(c)), 200));
}
