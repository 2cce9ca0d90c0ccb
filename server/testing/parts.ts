import { OpenAPIHono } from "@hono/zod-openapi";
import { UserId } from "@restic-manager/protocol/ids";
import type { Role } from "@restic-manager/protocol/api/session";
import type { UserActor } from "../audit/actor.ts";
import { createAudit } from "../audit/record.ts";
import { localBus, type BusTopic } from "../platform/bus.ts";
import type { Database } from "../platform/db/schema.ts";
import type { Caller, RoomEnv } from "../platform/http/caller.ts";
import { problemOf, problemResponse } from "../platform/http/problem.ts";
import { createIds } from "../platform/ids.ts";
import { createSeal } from "../platform/seal.ts";
import { testClock } from "./clock.ts";

/** The platform as a room needs it, with a clock that the test owns and everything that was published. */
export function testParts(db: Database) {
  const clock = testClock();
  const ids = createIds(clock);
  const seal = createSeal([{ id: "00000000", bytes: Buffer.alloc(32, 7) }]);
  const bus = localBus((error) => {
    throw error;
  });
  const published: [BusTopic, unknown][] = [];
  const listening: BusTopic[] = [
    "host.changed",
    "host.removed",
    "config.changed",
    "schedules.changed",
    "job.changed",
    "job.queued",
    "snapshots.changed",
    "enrollment.changed",
  ];
  for (const topic of listening) bus.subscribe(topic, (event) => void published.push([topic, event]));
  return { db, clock, ids, seal, bus, audit: createAudit(clock, ids), published };
}

/** Somebody who is signed in. */
export const ADA: UserActor = {
  kind: "user",
  id: UserId.parse("01JD0000000000000000000ADA"),
  name: "ada",
  address: "192.0.2.7",
};

/** Calls one room as a user of some role, or as nobody, the way the whole app would. */
export function callRoom(room: OpenAPIHono<RoomEnv>, role: Role | null) {
  const user = { id: UserId.parse(ADA.id), username: ADA.name, role: role ?? "viewer" };
  const caller: Caller = role === null ? { kind: "nobody" } : { kind: "user", user, sessionHash: "" };
  const app = new OpenAPIHono<RoomEnv>();
  app.use(async (c, next) => {
    c.set("caller", caller);
    c.set("address", ADA.address);
    await next();
  });
  app.onError((error) => problemResponse(problemOf(error)));
  app.route("/", room);
  return async (method: string, path: string, body?: unknown) => {
    const answer = await app.request(path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get("content-type")?.includes("json") === true;
    return { status: answer.status, body: isJson ? (JSON.parse(text) as Record<string, unknown>) : text };
  };
}
