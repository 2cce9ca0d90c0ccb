import type { Context } from "hono";
import { getCookie, setCookie, deleteCookie } from "hono/cookie";
import { SESSION_MS } from "./sessions.ts";

/** How the session's token travels. */
export interface SessionCookie {
  read(c: Context): string | null;
  write(c: Context, token: string): void;
  clear(c: Context): void;
}

/**
 * The `__Host-` prefix makes browsers refuse the cookie without TLS, from a subdomain or for a part of the site.
 *
 * @param secure false (`RM_COOKIE_SECURE=false`) uses a plain name, for a network without TLS.
 */
export function sessionCookie(secure: boolean): SessionCookie {
  const name = secure ? "__Host-rm_session" : "rm_session";
  const options = { path: "/", httpOnly: true, secure, sameSite: "Lax" } as const;
  return {
    read: (c) => getCookie(c, name) ?? null,
    write: (c, token) => setCookie(c, name, token, { ...options, maxAge: SESSION_MS / 1_000 }),
    clear: (c) => {
      deleteCookie(c, name, options);
    },
  };
}
