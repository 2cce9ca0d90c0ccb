import { afterAll, beforeAll, expect, test } from "bun:test";
import { runs } from "@restic-manager/protocol/testing/hostile";
import fc from "fast-check";
import { createApp } from "./app.ts";
import { onEveryDatabase } from "./testing/databases.ts";
import { requestsTo, type Operation, type Schema } from "./testing/openapi-requests.ts";
import { addHost, addJob } from "./testing/rows.ts";
import { startTestServer, type TestServer } from "./testing/server.ts";

/** Answers that never end by themselves; they are looked at and let go. */
const STREAMS = /events$|stream$/;

onEveryDatabase("any request", (open) => {
  let server: TestServer;
  let known: string[];
  beforeAll(async () => {
    server = await startTestServer({ databaseUrl: await open() });
    const { db } = server.parts;
    const host = await addHost(db);
    const result = JSON.stringify({ repository_id: "a".repeat(64), created: true });
    known = [
      host,
      await addJob(db, host, "queued", { kind: "init" }),
      await addJob(db, host, "succeeded", { kind: "init", result }),
      await addHost(db),
    ];
  });
  afterAll(() => server.stop());

  test("is answered, and never as a mistake of the server", async () => {
    const document = createApp(server.parts).getOpenAPI31Document({
      openapi: "3.1.0",
      info: { title: "", version: "" },
    });
    // The library's types of JSON schemas are wider than what is looked at here.
    const schemas = (document.components?.schemas ?? {}) as Record<string, Schema>;
    const paths = (document.paths ?? {}) as Record<string, Record<string, Operation>>;
    for (const [path, methods] of Object.entries(paths))
      for (const [method, operation] of Object.entries(methods))
        await fc.assert(
          fc.asyncProperty(requestsTo(path, operation, known, schemas), async (request) => {
            // Its own session: one of the requests ends it.
            const cookie = await server.signedInAs("admin");
            const response = await fetch(`${server.url}${request.path}`, {
              method: method.toUpperCase(),
              headers: { origin: server.url, cookie, "content-type": "application/json" },
              redirect: "manual",
              ...(request.body === undefined ? {} : { body: request.body }),
            });
            if (STREAMS.test(path) && response.ok) return await response.body?.cancel();
            const text = await response.text();
            // None of these machines is connected, and what only a machine can answer says so.
            const fine = response.status < 500 || text.includes('"code":"host_offline"');
            expect({ ...request, method, fine, text }).toMatchObject({ fine: true });
            if (response.status >= 400)
              expect(JSON.parse(text)).toMatchObject({
                code: expect.any(String),
                message: expect.any(String),
              });
          }),
          runs(15),
        );
    expect(server.lines.filter((line) => /^\S+ error /.test(line))).toEqual([]);
  }, 300_000);
});
