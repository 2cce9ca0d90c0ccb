import {
  Me,
  Setup,
  SetupCheck,
  SetupFacts,
  SetupProbe,
  SetupProbeResult,
  SetupState,
  type User,
} from "@restic-manager/protocol/api/session";
import { UserId } from "@restic-manager/protocol/ids";
import type { Ids } from "../platform/ids.ts";
import { publicAddress } from "../platform/public-address.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, json, newRoom, route } from "../platform/http/room.ts";
import { hashPassword } from "./passwords.ts";
import { probeAddress } from "./probe.ts";
import { startSession } from "./sessions.ts";
import type { SessionParts } from "./session-routes.ts";
import { checkSetupToken } from "./setup-token.ts";
import { administratorExists, insertAccount, takeSetupToken } from "./store.ts";

export interface SetupParts extends SessionParts {
  ids: Ids;
  secretKeyFile: string;
  keyId: string;
}

const problems = ["setup_token_wrong", "already_set_up"] as const;
const state = route({
  method: "get",
  path: "/api/setup",
  access: "nobody",
  summary: "Whether set-up is still to be done",
  responses: { 200: json(SetupState, "What the sign-in page may know") },
});
const check = route({
  method: "post",
  path: "/api/setup/check",
  access: "nobody",
  summary: "Facts for the set-up page, for whoever has the one-time token",
  problems,
  request: { body: body(SetupCheck) },
  responses: { 200: json(SetupFacts, "The token is valid") },
});
const probe = route({
  method: "post",
  path: "/api/setup/probe",
  access: "nobody",
  summary: "Whether an address leads back to this server",
  problems,
  request: { body: body(SetupProbe) },
  responses: { 200: json(SetupProbeResult, "What a request to the address found") },
});
const complete = route({
  method: "post",
  path: "/api/setup",
  access: "nobody",
  summary: "Create the first administrator",
  problems,
  request: { body: body(Setup) },
  responses: { 201: json(Me, "Signed in as the first administrator") },
});

/** The first administrator, made by whoever has the token the server printed at its start. */
export function setupRoom(parts: SetupParts) {
  const { db, clock, ids, audit, instance, cookie } = parts;
  return newRoom()
    .openapi(state, async (c) =>
      c.json(
        {
          needed: !(await administratorExists(db)),
          instance_name: await instance.name(),
          signed_in: c.get("caller").kind === "user",
        },
        200,
      ),
    )
    .openapi(check, async (c) => {
      await checkSetupToken(db, c.req.valid("json").token);
      const facts: SetupFacts = {
        instance_name: await instance.name(),
        base_url: await instance.baseUrl(),
        base_url_fixed: instance.baseUrlFixed,
        secret_key_file: parts.secretKeyFile,
        key_id: parts.keyId,
      };
      return c.json(facts, 200);
    })
    .openapi(probe, async (c) => {
      const { token, base_url } = c.req.valid("json");
      await checkSetupToken(db, token);
      return c.json(await probeAddress(asPublicAddress(base_url), instance.id, clock), 200);
    })
    .openapi(complete, async (c) => {
      const input = c.req.valid("json");
      const tokenHash = await checkSetupToken(db, input.token);
      const baseUrl = asPublicAddress(input.base_url);
      const user: User = { id: ids.mint(UserId), username: input.username, role: "admin" };
      const passwordHash = await hashPassword(input.password);
      const address = c.get("address");
      const visitor = { address, userAgent: c.req.header("user-agent") ?? null };
      const token = await db.transaction().execute(async (trx) => {
        if (!(await takeSetupToken(trx, tokenHash)))
          throw new ApiProblem(
            "already_set_up",
            "somebody else has just set this server up: sign in instead",
          );
        await insertAccount(trx, { ...user, passwordHash, createdAt: clock.now() });
        await instance.setBaseUrl(trx, baseUrl);
        await audit.record(trx, {
          actor: { kind: "user", id: user.id, name: user.username, address },
          action: "setup.completed",
          target: { kind: "user", id: user.id, name: user.username },
          detail: { base_url: baseUrl },
        });
        return startSession(trx, clock, user, visitor, null);
      });
      cookie.write(c, token);
      const me: Me = {
        user,
        instance: { name: await instance.name(), base_url: await instance.baseUrl(), version: parts.version },
      };
      return c.json(me, 201);
    });
}

function asPublicAddress(value: string): string {
  try {
    return publicAddress(value);
  } catch (error) {
    const message = error instanceof Error ? error.message : "is no address";
    throw new ApiProblem("validation_failed", `base_url: ${message}`, { fields: { base_url: message } });
  }
}
