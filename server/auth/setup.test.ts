import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { onEveryDatabase } from "../testing/databases.ts";
import { answered, startTestServer, type TestServer } from "../testing/server.ts";

const account = { username: "Anna", password: "correct horse battery" };

function tokenOf(server: TestServer): string {
  return new URL(server.setupUrl ?? "").searchParams.get("token") ?? "";
}

onEveryDatabase("setting up", (open) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ databaseUrl: await open() });
  });
  afterAll(() => server.stop());
  const post = (path: string, json: unknown) => answered(server.ask(`/api/setup${path}`, { json }));

  test("is needed first, which anybody may know", async () => {
    const { status, body } = await answered(server.ask("/api/setup"));
    expect({ status, body }).toMatchObject({ status: 200, body: { needed: true, signed_in: false } });
  });

  test("is refused without the printed token, and changes nothing", async () => {
    const wrong = { token: "guess" };
    const refused = { status: 403, body: { code: "setup_token_wrong" } };
    expect(await post("/check", wrong)).toMatchObject(refused);
    expect(await post("/probe", { ...wrong, base_url: server.url })).toMatchObject(refused);
    expect(await post("", { ...wrong, ...account, base_url: server.url })).toMatchObject(refused);
    expect(await server.parts.db.selectFrom("users").selectAll().execute()).toEqual([]);
  });

  test("shows its facts to whoever has the token, but never the key", async () => {
    const { status, body } = await post("/check", { token: tokenOf(server) });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      base_url: server.url,
      base_url_fixed: false,
      secret_key_file: `${server.folder}/secret.key`,
      key_id: server.parts.seal.keyId,
    });
    const key = (await Bun.file(`${server.folder}/secret.key`).text()).trim();
    expect(JSON.stringify(body)).not.toContain(key);
  });

  test("names the field that is wrong, and keeps the token good", async () => {
    const token = tokenOf(server);
    const good = { token, ...account, base_url: server.url };
    for (const [field, value] of [
      ["password", "short"],
      ["username", "a b"],
      ["base_url", "ftp://x"],
      ["base_url", "https://x/console"],
    ] as const) {
      const { status, body } = await post("", { ...good, [field]: value });
      expect(status).toBe(422);
      expect(body).toMatchObject({ code: "validation_failed", fields: { [field]: expect.any(String) } });
    }
  });

  test("by two people at once makes one administrator, who is signed in", async () => {
    const input = { token: tokenOf(server), base_url: `${server.url}/` };
    const responses = await Promise.all(
      ["anna", "berta"].map((username) =>
        server.ask("/api/setup", { json: { ...input, username, password: account.password } }),
      ),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([201, 409]));
    const winner = responses.find(({ status }) => status === 201);
    const cookie = winner?.headers.get("set-cookie")?.split(";")[0] ?? "";
    const me = await answered(server.ask("/api/me", { cookie }));
    expect(me).toMatchObject({
      status: 200,
      body: { user: { role: "admin" }, instance: { base_url: server.url } },
    });
    expect(await server.parts.db.selectFrom("users").select("role").execute()).toEqual([{ role: "admin" }]);
    const audit = await server.parts.db.selectFrom("audit").select(["action", "detail"]).execute();
    expect(audit).toEqual([{ action: "setup.completed", detail: JSON.stringify({ base_url: server.url }) }]);
  });

  test("is over then: the token is gone, and the page knows", async () => {
    expect(await post("/check", { token: tokenOf(server) })).toMatchObject({
      status: 409,
      body: { code: "already_set_up" },
    });
    expect(await answered(server.ask("/api/setup"))).toMatchObject({ body: { needed: false } });
    const rows = await server.parts.db.selectFrom("instance").select("key").execute();
    expect(rows.map(({ key }) => key)).not.toContain("setup_token_hash");
  });

  test("leaves no token and no password in the log or the database", async () => {
    const { db } = server.parts;
    const everything = JSON.stringify([
      await db.selectFrom("users").selectAll().execute(),
      await db.selectFrom("instance").selectAll().execute(),
      await db.selectFrom("audit").selectAll().execute(),
      await db.selectFrom("sessions").selectAll().execute(),
      server.lines,
    ]);
    for (const secret of [tokenOf(server), account.password]) expect(everything).not.toContain(secret);
  });
});

describe("the set-up link", () => {
  test("is a new one at each start, and the one before is worth nothing", async () => {
    const first = await startTestServer();
    const databaseUrl = first.parts.config.databaseUrl;
    const key = first.parts.config.secretKeyFile;
    const second = await startTestServer({ databaseUrl, env: { RM_SECRET_KEY_FILE: key } });
    const check = (token: string) => answered(second.ask("/api/setup/check", { json: { token } }));
    expect(await check(tokenOf(first))).toMatchObject({ status: 403 });
    expect(await check(tokenOf(second))).toMatchObject({ status: 200 });
    await second.stop();
    await first.stop();
  });

  test("is not printed once there is an administrator", async () => {
    const first = await startTestServer();
    await first.signedInAs("admin");
    const { databaseUrl, secretKeyFile } = first.parts.config;
    const second = await startTestServer({ databaseUrl, env: { RM_SECRET_KEY_FILE: secretKeyFile } });
    expect(second.setupUrl).toBeNull();
    await second.stop();
    await first.stop();
  });

  test("leads to RM_BASE_URL when that is set, and set-up does not change it", async () => {
    const server = await startTestServer({ env: { RM_BASE_URL: "https://backup.example.org/" } });
    expect(server.setupUrl).toStartWith("https://backup.example.org/setup?token=");
    await server.ask("/api/setup", {
      json: { token: tokenOf(server), ...account, base_url: "https://elsewhere.example.org" },
    });
    expect(await server.parts.instance.baseUrl()).toBe("https://backup.example.org");
    expect(await server.parts.instance.name()).toBe("backup.example.org");
    await server.stop();
  });
});

describe("probing an address", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());
  const probe = async (base_url: string) =>
    (await answered(server.ask("/api/setup/probe", { json: { token: tokenOf(server), base_url } }))).body;
  const serving = async (fetch: () => Response, use: (url: string) => Promise<void>) => {
    const other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
    await use(`http://127.0.0.1:${other.port}`);
    await other.stop(true);
  };

  test("finds this server", async () => {
    expect(await probe(server.url)).toMatchObject({ reachable: true });
  });

  test("says that nothing listens", async () => {
    expect(await probe("http://127.0.0.1:1")).toEqual({ reachable: false, message: "nothing listens there" });
  });

  test("tells another server of ours from this one", async () => {
    const other = await startTestServer();
    expect(await probe(other.url)).toMatchObject({
      reachable: false,
      message: expect.stringContaining("another"),
    });
    await other.stop();
  });

  test("shows nothing of what answers instead, and reads little of it", async () => {
    await serving(
      () => new Response("internal secret ".repeat(1_000_000)),
      async (url) => {
        const found = await probe(url);
        expect(found).toMatchObject({ reachable: false, message: expect.stringContaining("something else") });
        expect(JSON.stringify(found)).not.toContain("secret");
      },
    );
  });

  test("follows no redirect", async () => {
    await serving(
      () => Response.redirect(`${server.url}/healthz`),
      async (url) =>
        expect(await probe(url)).toMatchObject({
          reachable: false,
          message: expect.stringContaining("redirect"),
        }),
    );
  });

  test("gives up on silence after five seconds", async () => {
    const asked = Promise.withResolvers<void>();
    const silent = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch() {
        asked.resolve();
        return new Promise<Response>(() => undefined);
      },
    });
    const answer = probe(`http://127.0.0.1:${silent.port}`);
    await asked.promise;
    server.clock.advance(5_000);
    expect(await answer).toMatchObject({ reachable: false, message: expect.stringContaining("within 5 s") });
    await silent.stop(true);
  });
});
