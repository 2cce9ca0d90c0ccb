import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { HostId } from "@restic-manager/protocol/ids";
import { HostName } from "@restic-manager/protocol/api/enrolment";
import { Database as SqliteFile } from "bun:sqlite";
import { testClock } from "../../testing/clock.ts";
import { createLog } from "../log.ts";
import { Secret } from "../secret.ts";
import { bodyLimit } from "./body-limit.ts";
import type { RoomEnv } from "./caller.ts";
import { trustedProxies } from "./client-address.ts";
import { answerError, front } from "./front.ts";
import { ApiProblem } from "./problem.ts";
import { body, json, newRoom, route } from "./room.ts";

const Input = z.strictObject({
  name: HostName,
  keep: z.int().nonnegative().optional(),
  paths: z.array(z.string().max(20)).max(100).optional(),
  target: z.union([z.strictObject({ host: HostId }), z.literal("all")]).optional(),
});
const change = route({
  method: "post",
  path: "/api/things/{id}",
  access: "nobody",
  request: {
    params: z.object({ id: HostId }),
    query: z.strictObject({ dry: z.stringbool().optional() }),
    body: body(Input),
  },
  responses: { 200: json(z.object({ name: z.string() }), "Done") },
});
const fail = route({
  method: "get",
  path: "/api/fail/{how}",
  access: "nobody",
  request: { params: z.object({ how: z.string() }) },
  responses: { 200: json(z.object({}), "Never") },
});

const lines: string[] = [];
let reads = 0;
let url: string;
let end: () => Promise<void>;
const ID = "01J00000000000000000000000";

beforeAll(() => {
  const app = new OpenAPIHono<RoomEnv>();
  app.onError(answerError(createLog(testClock(), (line) => lines.push(line))));
  app.use(front({ proxies: trustedProxies(""), publicAddress: async () => "https://backup.example.org" }));
  app.use(bodyLimit());
  app.route(
    "/",
    newRoom()
      .openapi(change, (c) => {
        reads++;
        return c.json({ name: c.req.valid("json").name }, 200);
      })
      .openapi(fail, (c) => {
        const { how } = c.req.valid("param");
        if (how === "conflict")
          throw new ApiProblem("conflict", "the group is in use", { hint: "remove it first" });
        if (how === "wait") throw new ApiProblem("rate_limited", "too many", { retryAfterSeconds: 1.2 });
        if (how === "full") fillUp();
        if (how === "damaged") readNonsense();
        throw new Error(`password is ${new Secret("hunter2-hunter2").toString()} at line 7`);
      }),
  );
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => app.fetch(request, {}) });
  url = `http://127.0.0.1:${server.port}`;
  end = () => server.stop(true);
});
afterAll(() => end());

/** Fails as a database on a full disk does. */
function fillUp(): void {
  const file = new SqliteFile(":memory:");
  file.run("create table t (v)");
  file.run("pragma max_page_count = 2");
  file.run("insert into t values (zeroblob(100000))");
}

/** Fails as a damaged database does. */
function readNonsense(): void {
  SqliteFile.deserialize(Buffer.alloc(4_096, "no database")).query("select * from sqlite_master").all();
}

async function send(
  sent: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
  how: { path?: string; type?: string } = {},
) {
  const before = reads;
  const response = await fetch(`${url}${how.path ?? `/api/things/${ID}`}`, {
    method: "POST",
    headers: { "content-type": how.type ?? "application/json" },
    body: sent,
  });
  const text = await response.text();
  const answer: { code?: string; fields?: Record<string, string> } = JSON.parse(text);
  return { status: response.status, size: text.length, ran: reads > before, ...answer };
}
const sendJson = (value: unknown, path?: string) =>
  send(JSON.stringify(value), path === undefined ? {} : { path });

describe("bad input never reaches a handler, and its field is named", () => {
  test.each([
    ["an unknown field", { name: "db", colour: "red" }, "colour"],
    ["an unknown field of a part", { name: "db", target: { host: ID, also: 1 } }, "target.also"],
    ["a missing field", {}, "name"],
    ["a negative number", { name: "db", keep: -1 }, "keep"],
    ["half a number", { name: "db", keep: 0.5 }, "keep"],
    ["a number too large to be one", { name: "db", keep: 1e300 }, "keep"],
    ["a name of a megabyte", { name: "x".repeat(1_000_000) }, "name"],
    ["a name with a line break", { name: "a\nb" }, "name"],
    ["something else than a text", { name: { toString: "x" } }, "name"],
    ["one long path among good ones", { name: "db", paths: ["/a", "/b".repeat(20)] }, "paths.1"],
    ["a bad id in a part", { name: "db", target: { host: "01J" } }, "target.host"],
    ["a field named __proto__", JSON.parse('{"name":"db","__proto__":{"admin":true}}'), "__proto__"],
    ["no object", [1, 2], "body"],
    ["null", null, "body"],
  ])("%s", async (_name, value, field) => {
    const { status, code, fields, ran, size } = await sendJson(value);
    expect({ status, code, ran }).toEqual({ status: 422, code: "validation_failed", ran: false });
    expect(Object.keys(fields ?? {})).toContain(field);
    expect(size).toBeLessThan(2_000);
  });

  test("a bad ULID in the path", async () => {
    for (const id of [
      "01J",
      "01j00000000000000000000000",
      "81J00000000000000000000000",
      "../../etc",
      "%00",
      "x".repeat(500),
    ]) {
      const found = await sendJson({ name: "db" }, `/api/things/${encodeURIComponent(id)}`);
      expect(found).toMatchObject({
        status: 422,
        ran: false,
        fields: { id: expect.stringContaining("ULID") },
      });
    }
  });

  test("an unknown field in the query", async () => {
    const found = await sendJson({ name: "db" }, `/api/things/${ID}?wet=1`);
    expect(found).toMatchObject({ status: 422, fields: { wet: "is not known here" } });
  });

  test("thousands of wrong fields make a short answer", async () => {
    const wrong = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`field-${n}`, n]));
    const { status, size } = await sendJson(wrong);
    expect(status).toBe(422);
    expect(size).toBeLessThan(10_000);
  });

  test("a body that is no JSON, is cut, or is invalid UTF-8", async () => {
    for (const sent of ["{", "", '{"name":"db"', "nonsense"])
      expect(await send(sent)).toMatchObject({ status: 400, code: "malformed_json", ran: false });
    const bytes = new Uint8Array([...Buffer.from('{"name":"'), 0xff, 0xfe, ...Buffer.from('"}')]);
    expect(await send(bytes)).toMatchObject({
      status: 422,
      fields: { name: expect.any(String) },
      ran: false,
    });
  });

  test("JSON nested ten thousand deep", async () => {
    const { status, ran } = await send(`${'{"name":'.repeat(10_000)}1${"}".repeat(10_000)}`);
    expect({ refused: status === 400 || status === 422, ran }).toEqual({ refused: true, ran: false });
  });

  test("a body that says it is something else", async () => {
    const found = await send('{"name":"db"}', { type: "text/plain" });
    expect(found).toMatchObject({ status: 415, code: "unsupported_media_type", ran: false });
  });

  test("a body of 10 MB, whether it says its size or not", async () => {
    const large = JSON.stringify({ name: "x".repeat(10_000_000) });
    expect(await send(large)).toMatchObject({ status: 413, code: "too_large", ran: false });
    const unsized = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let n = 0; n < 10; n++)
          controller.enqueue(Buffer.from(large.slice(n * 1_000_000, (n + 1) * 1_000_000)));
        controller.close();
      },
    });
    expect(await send(unsized)).toMatchObject({ status: 413, code: "too_large", ran: false });
  });

  test("what is right passes", async () => {
    expect(await sendJson({ name: "db-01", keep: 0, paths: ["/etc"], target: "all" })).toMatchObject({
      status: 200,
      ran: true,
    });
  });
});

describe("an error", () => {
  const get = async (how: string) => {
    const response = await fetch(`${url}/api/fail/${how}`);
    return { status: response.status, headers: response.headers, body: await response.json() };
  };

  test("of a room has its code, message and hint", async () => {
    expect(await get("conflict")).toMatchObject({
      status: 409,
      body: { code: "conflict", message: "the group is in use", hint: "remove it first" },
    });
  });

  test("that passes by itself says when to come back, in whole seconds", async () => {
    expect((await get("wait")).headers.get("retry-after")).toBe("2");
  });

  test("of a full disk is 507 with what to do, of a damaged store 500", async () => {
    expect(await get("full")).toMatchObject({
      status: 507,
      body: { code: "store_full", hint: expect.any(String) },
    });
    expect(await get("damaged")).toMatchObject({ status: 500, body: { code: "internal" } });
  });

  test("that nobody expected tells the log everything and the caller nothing", async () => {
    const { status, body: answer } = await get("other");
    expect(status).toBe(500);
    expect(JSON.stringify(answer)).not.toContain("line 7");
    expect(lines.at(-1)).toContain("password is [secret] at line 7");
    expect(lines.at(-1)?.trimEnd()).not.toContain("\n");
  });

  test("carries the headers that every answer has", async () => {
    const { headers } = await get("other");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("cache-control")).toBe("no-store");
  });
});
