import { z } from "zod";
import {
  AgentEnroll,
  AgentEnrolled,
  EnrollmentProgress,
  EnrollmentToken,
  EnrollmentTokenInput,
} from "@restic-manager/protocol/api/enrolment";
import { EnrollmentId } from "@restic-manager/protocol/ids";
import { userActor } from "../audit/actor.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { body, json, newRoom, route } from "../platform/http/room.ts";
import { wrongTokens } from "./attempts.ts";
import { createEnrollment, type CreateParts } from "./create.ts";
import { enrollAgent, type EnrollParts } from "./enroll.ts";
import { enrollmentProgress } from "./progress.ts";

export type EnrolmentParts = CreateParts & EnrollParts;

const create = route({
  method: "post",
  path: "/api/enrollment-tokens",
  access: "operator",
  summary: "Make a one-time token for a machine; its secrets are shown this once",
  problems: ["name_taken"],
  request: { body: body(EnrollmentTokenInput) },
  responses: { 201: json(EnrollmentToken, "The token, the commands and what was minted") },
});
const progress = route({
  method: "get",
  path: "/api/enrollment-tokens/{id}",
  access: "operator",
  summary: "Where a machine stands on its way in",
  problems: ["not_found"],
  request: { params: z.object({ id: EnrollmentId }) },
  responses: { 200: json(EnrollmentProgress, "What the server has seen of it") },
});
const enroll = route({
  method: "post",
  path: "/api/agents/enroll",
  access: "nobody",
  summary: "Become a host with a one-time token",
  problems: ["token_unknown", "token_used", "token_expired", "name_taken", "rate_limited"],
  request: { body: body(AgentEnroll) },
  responses: { 201: json(AgentEnrolled, "The bearer, which is shown this once, and the configuration") },
});

/** How a machine comes in. */
export function enrolmentRoom(parts: EnrolmentParts) {
  const wrong = wrongTokens(parts.clock);
  return newRoom()
    .openapi(create, async (c) => {
      const made = await createEnrollment(parts, c.req.valid("json"), userActor(c));
      c.header("cache-control", "no-store");
      return c.json(made, 201);
    })
    .openapi(progress, async (c) => {
      const found = await enrollmentProgress(parts.db, c.req.valid("param").id, parts.clock.now());
      if (found === undefined) throw new ApiProblem("not_found", "there is no such token");
      return c.json(found, 200);
    })
    .openapi(enroll, async (c) => {
      const address = c.get("address");
      wrong.check(address);
      try {
        const enrolled = await enrollAgent(parts, c.req.valid("json"), address);
        c.header("cache-control", "no-store");
        return c.json(enrolled, 201);
      } catch (error) {
        if (error instanceof ApiProblem && error.code === "token_unknown") wrong.count(address);
        throw error;
      }
    });
}
