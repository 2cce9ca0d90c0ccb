import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { UserId } from "@restic-manager/protocol/ids";
import { hashToken } from "../platform/token.ts";
import { onEveryDatabase } from "../testing/databases.ts";
import { answered, startTestServer, type TestServer } from "../testing/server.ts";
import { waitAfter } from "./back-off.ts";
import { hashPassword, verifyPassword } from "./passwords.ts";
import { IDLE_MS, SESSION_MS } from "./sessions.ts";
import { insertAccount } from "./store.ts";

const password = "correct horse battery";
const DAY_MS = 24 * 3600_000;

onEveryDatabase("a session", (open) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ databaseUrl: await open() });
    const { db, ids } = server.parts;
    const passwordHash = await hashPassword(password);
    for (const username of ["Anna", "Berta", "Clara", "Dora"])
      await db.transaction().execute((trx) =>
        insertAccount(trx, {
          id: ids.mint(UserId),
          username,
          role: "operator",
          passwordHash,
          createdAt: server.clock.now(),
        }),
      );
  });
  afterAll(() => server.stop());

  const signIn = (username: string, secret: string, cookie?: string) =>
    server.ask("/api/session", {
      json: { username, password: secret },
      ...(cookie === undefined ? {} : { cookie }),
    });
  const cookieOf = (response: Response) => response.headers.get("set-cookie")?.split(";")[0] ?? "";
  const status = async (cookie: string) => (await server.ask("/api/me", { cookie })).status;
  const actions = async () =>
    (await server.parts.db.selectFrom("audit").select(["action", "target_name"]).orderBy("id").execute()).map(
      ({ action, target_name }) => `${action} ${target_name}`,
    );

  test("starts with the right password, whatever the name's case, and is in the record", async () => {
    const response = await signIn("ANNA", password);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ user: { username: "Anna", role: "operator" } });
    expect(response.headers.get("set-cookie")).toMatch(/^rm_session=[\w-]{43}; .*HttpOnly; SameSite=Lax$/);
    expect(await status(cookieOf(response))).toBe(200);
    expect(await actions()).toEqual(["session.created Anna"]);
  });

  test("rests as a hash only", async () => {
    const cookie = cookieOf(await signIn("anna", password));
    const token = cookie.split("=")[1] ?? "";
    const rows = await server.parts.db.selectFrom("sessions").selectAll().execute();
    expect(rows.map((row) => row.token_hash)).toContain(hashToken(token));
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  test("of before is over after signing in again from the same browser", async () => {
    const before = cookieOf(await signIn("anna", password));
    const after = cookieOf(await signIn("anna", password, before));
    expect(after).not.toBe(before);
    expect(await status(before)).toBe(401);
    expect(await status(after)).toBe(200);
  });

  test("ends with signing out, for good", async () => {
    const cookie = cookieOf(await signIn("anna", password));
    const response = await server.ask("/api/session", { method: "DELETE", cookie });
    expect(response.status).toBe(204);
    expect(response.headers.get("set-cookie")).toContain("Max-Age=0");
    expect(await status(cookie)).toBe(401);
    expect((await actions()).at(-1)).toBe("session.revoked Anna");
  });

  test("ends after seven days without use, and not before", async () => {
    const cookie = cookieOf(await signIn("anna", password));
    server.clock.jump(IDLE_MS - 60_000);
    expect(await status(cookie)).toBe(200);
    server.clock.jump(IDLE_MS - 60_000);
    expect(await status(cookie)).toBe(200);
    server.clock.jump(IDLE_MS);
    expect(await status(cookie)).toBe(401);
  });

  test("ends after thirty days, however much it is used", async () => {
    const cookie = cookieOf(await signIn("anna", password));
    for (let day = 0; day < SESSION_MS / DAY_MS - 1; day++) {
      server.clock.jump(DAY_MS);
      expect(await status(cookie)).toBe(200);
    }
    server.clock.jump(DAY_MS);
    expect(await status(cookie)).toBe(401);
  });

  test("does not start with a wrong password or a name nobody has, and both look the same", async () => {
    const wrong = await answered(signIn("anna", "guess"));
    expect(wrong).toMatchObject({ status: 401, body: { code: "wrong_credentials" } });
    expect(await answered(signIn("nobody-has-this", "guess"))).toEqual(wrong);
  });

  test("that failed is in the record, without the name nobody has: it may be a password", async () => {
    await signIn("hunter2-typed-in-the-wrong-field", "x");
    expect((await actions()).at(-1)).toBe("session.failed null");
    await signIn("berta", "wrong");
    expect((await actions()).at(-1)).toBe("session.failed Berta");
  });

  test("waits longer after each wrong password, even when many come at once", async () => {
    server.clock.jump(DAY_MS * 2);
    const many = await Promise.all(Array.from({ length: 12 }, () => signIn("clara", "guess")));
    expect(many.filter((one) => one.status === 401)).toHaveLength(5);
    const refused = many.filter((one) => one.status === 429);
    expect(refused).toHaveLength(7);
    expect(refused[0]?.headers.get("retry-after")).toBe("1");
    expect((await signIn("clara", password)).status).toBe(429);
    server.clock.jump(1_000);
    expect((await signIn("clara", "guess")).status).toBe(401);
    server.clock.jump(1_000);
    expect((await signIn("clara", password)).status).toBe(429);
    server.clock.jump(1_000);
    expect((await signIn("clara", password)).status).toBe(200);
    expect((await signIn("clara", "guess")).status).toBe(401);
  });

  test("waits for an address that tries many accounts", async () => {
    server.clock.jump(DAY_MS * 2);
    for (let n = 0; n < 20; n++) expect((await signIn(`account-${n}`, "guess")).status).toBe(401);
    expect(await answered(signIn("dora", password))).toMatchObject({
      status: 429,
      body: { code: "rate_limited" },
    });
    server.clock.jump(DAY_MS + 1);
    expect((await signIn("dora", password)).status).toBe(200);
  });

  test("of a bearer or cookie that is none makes nobody", async () => {
    for (const [name, value] of [
      ["cookie", "rm_session=guess"],
      ["cookie", `rm_session=${"x".repeat(4_000)}`],
      ["authorization", "Bearer guess"],
      ["authorization", `Bearer ${"x".repeat(4_000)}`],
    ] as const)
      expect((await server.ask("/api/me", { headers: { [name]: value } })).status).toBe(401);
  });
});

test("with TLS the cookie is bound to the host and never travels without it", async () => {
  const server = await startTestServer({ env: { RM_COOKIE_SECURE: "true" } });
  const token = new URL(server.setupUrl ?? "").searchParams.get("token");
  const response = await server.ask("/api/setup", {
    json: { token, username: "anna", password, base_url: server.url },
  });
  expect(response.headers.get("set-cookie")).toMatch(
    /^__Host-rm_session=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
  await server.stop();
});

test("no account's password is ever right for nobody", async () => {
  expect(await verifyPassword("", null)).toBe(false);
  expect(await verifyPassword(password, null)).toBe(false);
});

test("waits never get shorter with more failures, and end somewhere", () => {
  fc.assert(
    fc.property(
      fc.nat(10_000),
      fc.nat(30),
      fc.integer({ min: 1_000, max: 900_000 }),
      (count, free, longestMs) => {
        const [one, more] = [
          waitAfter(count, { free, longestMs }),
          waitAfter(count + 1, { free, longestMs }),
        ];
        expect(more).toBeGreaterThanOrEqual(one);
        expect(more).toBeLessThanOrEqual(longestMs);
      },
    ),
  );
});
