import { expect, test } from "bun:test";
import { hc } from "hono/client";
import type { Me, SetupState } from "@restic-manager/protocol/api/session";
import type { AppType } from "./app.ts";
import { startTestServer } from "./testing/server.ts";

test("the typed client sees every route's paths, inputs and answers", async () => {
  const server = await startTestServer();
  const cookie = await server.signedInAs("viewer");
  const client = hc<AppType>(server.url, { headers: { cookie, origin: server.url } });
  const me: Me = await (await client.api.me.$get()).json();
  expect(me.user.role).toBe("viewer");
  const setup: SetupState = await (await client.api.setup.$get()).json();
  expect(setup.needed).toBe(true);
  // @ts-expect-error -- the password is missing
  const refused = await client.api.session.$post({ json: { username: "anna" } });
  expect(Number(refused.status)).toBe(422);
  await server.stop();
});
