import { afterEach, expect, test } from "bun:test";
import { EnrollmentProgress, EnrollmentToken, AgentEnrolled } from "@restic-manager/protocol/api/enrolment";
import { ServerEvent } from "@restic-manager/protocol/api/events";
import { Host, HostsPage } from "@restic-manager/protocol/api/hosts";
import { startTestServer, type TestServer } from "./testing/server.ts";

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

/** Asks the test's own server. */
const ask: TestServer["ask"] = async (path, how) => {
  if (server === undefined) throw new Error("the test has no server");
  return server.ask(path, how);
};

/** The events of one page, as they come. */
async function* eventsOf(answer: Response): AsyncGenerator<ServerEvent, void, void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of answer.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      if (block.startsWith("data: ")) yield ServerEvent.parse(JSON.parse(block.slice("data: ".length)));
    }
  }
}

test("a machine comes in by its token, and an open page hears of it", async () => {
  server = await startTestServer();
  const { clock } = server;
  const cookie = await server.signedInAs("operator");
  const events = eventsOf(await ask("/api/events", { cookie }));
  const next = async () => (await events.next()).value;
  expect(await next()).toMatchObject({ type: "ready" });

  const made = await ask("/api/enrollment-tokens", {
    cookie,
    json: { host_name: "db-ams-01", repository_url: "rest:https://vault/db/", username: "db" },
  });
  expect([made.status, made.headers.get("cache-control")]).toEqual([201, "no-store"]);
  const token = EnrollmentToken.parse(await made.json());
  expect(token.install_command).toContain(`${server.url}/install/install.sh?for=${token.id}`);

  const script = await ask(`/install/install.sh?for=${token.id}`);
  expect(await script.text()).toStartWith("#!/bin/sh\n");
  clock.advance(100);
  expect(await next()).toEqual({ type: "enrollment.changed", enrollment_id: token.id });

  const enrolled = await ask("/api/agents/enroll", {
    json: {
      token: token.token,
      hostname: "db",
      machine_id: "m",
      os: "linux",
      os_name: "Debian",
      arch: "x64",
      agent_version: "0.1.0",
    },
  });
  expect([enrolled.status, enrolled.headers.get("cache-control")]).toEqual([201, "no-store"]);
  const { host_id } = AgentEnrolled.parse(await enrolled.json());
  clock.advance(100);
  expect(await next()).toMatchObject({ type: "host.changed", host: { id: host_id, status: "new" } });

  const progress = EnrollmentProgress.parse(
    await (await ask(`/api/enrollment-tokens/${token.id}`, { cookie })).json(),
  );
  expect([progress.state, progress.seen.map((one) => one.step)]).toEqual([
    "enrolled",
    ["created", "script_fetched", "enrolled"],
  ]);
  const host = Host.parse(await (await ask(`/api/hosts/${host_id}`, { cookie })).json());
  expect(host).toMatchObject({ name: "db-ams-01", repository: { state: "waiting", job_id: null } });
  expect(HostsPage.parse(await (await ask("/api/hosts", { cookie })).json()).total).toBe(1);
});

test("a page whose session is revoked hears nothing more, and a server that stops ends every page", async () => {
  server = await startTestServer();
  const [leaving, staying] = [await server.signedInAs("viewer"), await server.signedInAs("viewer")];
  const first = eventsOf(await server.ask("/api/events", { cookie: leaving }));
  const second = eventsOf(await server.ask("/api/events", { cookie: staying }));
  await first.next();
  await second.next();
  expect((await server.ask("/api/session", { method: "DELETE", cookie: leaving })).status).toBe(204);
  const ended = first.next();
  server.clock.advance(10_000);
  expect((await ended).done).toBe(true);
  const stopped = second.next();
  const stopping = server.stop();
  server = undefined;
  expect((await stopped).done).toBe(true);
  await stopping;
});

test("wrong tokens from one address are soon not looked at any more, and right ones never count", async () => {
  server = await startTestServer();
  const machine = {
    hostname: "a",
    machine_id: "m",
    os: "linux",
    os_name: "x",
    arch: "x64",
    agent_version: "1",
  };
  const enroll = async (token: string) =>
    (await ask("/api/agents/enroll", { json: { token, ...machine } })).status;
  for (let n = 0; n < 30; n++) expect(await enroll("wrong")).toBe(401);
  expect(await enroll("wrong")).toBe(429);
  server.clock.advance(60_000);
  expect(await enroll("wrong")).toBe(401);
});
