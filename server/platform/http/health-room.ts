import { z } from "zod";
import { ApiProblem } from "./problem.ts";
import { json, newRoom, route } from "./room.ts";

export const Health = z.object({ status: z.literal("ok"), instance: z.string() });
const Ready = Health.extend({
  /** Whether the other servers can be heard; `alone` where there are none. A server that is cut off still serves. */
  nats: z.enum(["alone", "ok", "cut_off"]),
});

const healthz = route({
  method: "get",
  path: "/healthz",
  access: "nobody",
  summary: "The server runs",
  responses: { 200: json(Health, "It does; the instance's id tells it from others") },
});
const readyz = route({
  method: "get",
  path: "/readyz",
  access: "nobody",
  summary: "The server runs, reaches its database and is not about to stop",
  problems: ["unavailable"],
  responses: { 200: json(Ready, "All of it") },
});

export interface HealthParts {
  instanceId: string;
  /** Throws when the database does not answer. */
  probe: () => Promise<void>;
  nats: () => z.infer<typeof Ready>["nats"];
  /** Aborts when the server is about to stop. */
  leaving: AbortSignal;
}

export function healthRoom({ instanceId, probe, nats, leaving }: HealthParts) {
  const healthy = { status: "ok", instance: instanceId } as const;
  return newRoom()
    .openapi(healthz, (c) => c.json(healthy, 200))
    .openapi(readyz, async (c) => {
      if (leaving.aborted) throw new ApiProblem("unavailable", "this server is about to stop");
      try {
        await probe();
      } catch (error) {
        throw new ApiProblem("unavailable", "the database does not answer", { cause: error });
      }
      return c.json({ ...healthy, nats: nats() }, 200);
    });
}
