import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { streamEvents } from "./platform/http/stream.ts";
import { testClock } from "./testing/clock.ts";
import { answered, startTestServer } from "./testing/server.ts";
import { startPostgres } from "./testing/postgres-cluster.ts";

const program = join(import.meta.dirname, "main.ts");

/** Runs `main.ts` as its own process, the way an operator does. */
function run(env: Record<string, string>) {
  return Bun.spawn([process.execPath, program], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}
async function inFolder(use: (folder: string) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), "rm-start-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("a server", () => {
  test("answers that it lives and reaches its database", async () => {
    const server = await startTestServer();
    const healthy = { status: 200, body: { status: "ok", instance: server.parts.instance.id } };
    expect(await answered(server.ask("/healthz"))).toEqual(healthy);
    expect(await answered(server.ask("/readyz"))).toEqual({
      status: 200,
      body: { ...healthy.body, nats: "alone" },
    });
    await server.stop();
  });

  test("lives but is not ready while its database is away, and says so", async () => {
    const server = await startTestServer();
    await server.parts.store.close();
    expect((await server.ask("/healthz")).status).toBe(200);
    expect(await answered(server.ask("/readyz"))).toMatchObject({
      status: 503,
      body: { code: "unavailable" },
    });
    expect(server.lines.at(-1)).toContain("/readyz");
    await server.stop();
  });

  test("answers unknown paths of the API in JSON, others with the console", async () => {
    const server = await startTestServer();
    expect(await answered(server.ask("/api/nothing"))).toMatchObject({
      status: 404,
      body: { code: "not_found" },
    });
    expect(await answered(server.ask("/api"))).toMatchObject({ status: 404, body: { code: "not_found" } });
    const other = await server.ask("/api/me", { method: "PUT" });
    expect([other.status, other.headers.get("allow")]).toEqual([405, "GET"]);
    expect(await answered(server.ask("/hosts/01J"))).toEqual({ status: 200, body: "the console" });
    await server.stop();
  });

  test("describes itself: OpenAPI with every route's access, and a page that needs nobody else", async () => {
    const server = await startTestServer();
    const { body } = await answered(server.ask("/api/openapi.json"));
    expect(body).toMatchObject({
      openapi: "3.1.0",
      paths: { "/api/me": { get: { "x-access": "viewer", responses: { "200": {}, "401": {} } } } },
    });
    const page = await server.ask("/api/docs");
    const html = await page.text();
    expect(html).toContain('id="protocol"');
    expect(html.match(/https?:\/\/[^"]+/g)).toBeNull();
    expect(page.headers.get("content-security-policy")).toContain("script-src 'self'");
    for (const encoding of ["gzip", "identity"]) {
      const script = await server.ask("/api/docs/rapidoc.js", { headers: { "accept-encoding": encoding } });
      expect(await script.text()).toContain("rapi-doc");
    }
    await server.stop();
  });

  test("that stops lets a request finish, ends streams and refuses newcomers", async () => {
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const stopping = new AbortController();
    const clock = testClock();
    const server = await startTestServer({
      clock,
      async pages(request) {
        if (new URL(request.url).pathname === "/stream")
          return streamEvents(
            { clock, stopping: stopping.signal, onError: () => undefined },
            async function* (signal) {
              yield { data: "hello" };
              await new Promise((resolve) => signal.addEventListener("abort", resolve));
            },
          );
        arrived.resolve();
        await release.promise;
        return new Response("done");
      },
    });
    server.parts.stopping.addEventListener("abort", () => stopping.abort());
    const viewer = (await server.ask("/stream")).body?.getReader();
    await viewer?.read();
    const slow = server.ask("/slow");
    await arrived.promise;
    const stopped = server.stop();
    expect((await viewer?.read())?.done).toBe(true);
    expect(await server.ask("/healthz").catch(() => "refused")).toBe("refused");
    release.resolve();
    expect(await (await slow).text()).toBe("done");
    await stopped;
  });

  test("that stops waits ten seconds for a request, and no longer", async () => {
    const arrived = Promise.withResolvers<void>();
    const server = await startTestServer({
      pages() {
        arrived.resolve();
        return new Promise<Response>(() => undefined);
      },
    });
    const cut = server.ask("/never").then(
      () => "answered",
      () => "cut",
    );
    await arrived.promise;
    const stopped = server.stop();
    server.clock.advance(10_000);
    await stopped;
    expect(await cut).toBe("cut");
  });

  test("answers an agent that comes while the store is away with 503, and goes on", async () => {
    const postgres = await startPostgres();
    const server = await startTestServer({ databaseUrl: postgres.url });
    await postgres.stop();
    const headers = { authorization: "Bearer guess", upgrade: "websocket", connection: "upgrade" };
    const answers = await Promise.all([1, 2].map(() => server.ask("/ws/agent", { headers })));
    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
    expect(server.lines.filter((line) => line.includes("agents cannot be let in"))).toHaveLength(1);
    expect((await server.ask("/healthz")).status).toBe(200);
    await server.stop();
  }, 60_000);

  test("tells a socket that asks with no valid bearer why, and closes it", async () => {
    const server = await startTestServer();
    const said = Promise.withResolvers<unknown>();
    const closed = Promise.withResolvers<number>();
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws/agent`, {
      headers: { authorization: "Bearer guess" },
    });
    socket.onmessage = ({ data }) => said.resolve(data);
    socket.onclose = ({ code }) => closed.resolve(code);
    expect(String(await said.promise)).toContain("revoked");
    expect(await closed.promise).toBeGreaterThanOrEqual(4_000);
    await server.stop();
  });
});

describe("the program", () => {
  test("prints where it listens and the set-up link, serves, and ends with 0 when asked to", () =>
    inFolder(async (folder) => {
      const server = run({ RM_DATA_DIR: join(folder, "data"), RM_LISTEN: "127.0.0.1:0" });
      const reader = server.stdout.getReader();
      let printed = "";
      while (!printed.includes("/setup?token="))
        printed += new TextDecoder().decode((await reader.read()).value);
      const url = /listens on (http:\/\/127\.0\.0\.1:\d+)\n/.exec(printed)?.[1] ?? "";
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      expect(printed).toContain(`set it up at ${url}/setup?token=`);
      expect(statSync(join(folder, "data")).mode & 0o777).toBe(0o700);
      server.kill("SIGTERM");
      expect(await server.exited).toBe(0);
      expect(existsSync(join(folder, "data/server.db-wal"))).toBe(false);
    }));

  test.each([
    ["a variable that is no good", { RM_COOKIE_SECURE: "maybe" }, "RM_COOKIE_SECURE"],
    ["a data folder that cannot be", { RM_DATA_DIR: "/proc/none" }, "RM_DATA_DIR"],
    [
      "a database that is not there",
      { RM_DATABASE_URL: "postgres://rm@127.0.0.1:1/rm" },
      "cannot be reached",
    ],
  ])("ends with 78 and a sentence for %s", (_name, env, sentence) =>
    inFolder(async (folder) => {
      const server = run({ RM_DATA_DIR: folder, RM_LISTEN: "127.0.0.1:0", ...env });
      const [said, code] = [await new Response(server.stderr).text(), await server.exited];
      expect(said).toContain(sentence);
      expect(said.trim().split("\n")).toHaveLength(1);
      expect(code).toBe(78);
    }),
  );

  test("serves nothing with a key that is not this database's", () =>
    inFolder(async (folder) => {
      const server = await startTestServer();
      const { databaseUrl } = server.parts.config;
      await Bun.write(join(folder, "key"), `${Buffer.alloc(32, 7).toString("base64")}\n`);
      const other = run({
        RM_DATA_DIR: folder,
        RM_DATABASE_URL: databaseUrl,
        RM_SECRET_KEY_FILE: join(folder, "key"),
        RM_LISTEN: "127.0.0.1:0",
      });
      expect(await new Response(other.stderr).text()).toContain(
        "is not the one this database was sealed with",
      );
      expect(await other.exited).toBe(78);
      expect(await new Response(other.stdout).text()).toBe("");
      await server.stop();
    }));

  test("says that its address is taken", () =>
    inFolder(async (folder) => {
      const server = await startTestServer();
      const second = run({ RM_DATA_DIR: folder, RM_LISTEN: new URL(server.url).host });
      expect(await new Response(second.stderr).text()).toContain("RM_LISTEN is taken");
      expect(await second.exited).toBe(78);
      await server.stop();
    }));
});
