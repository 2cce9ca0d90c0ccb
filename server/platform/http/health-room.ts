import { z } from "zod";
import { ApiProblem } from "./problem.ts";
import { json, newRoom, route } from "./room.ts";

export const Health = z.object({ status: z.literal("ok"), instance: z.string() });

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
  summary: "The server runs and reaches its database",
  problems: ["unavailable"],
  responses: { 200: json(Health, "Both") },
});

/** @param probe throws when the database does not answer. */
export function healthRoom(instanceId: string, probe: () => Promise<void>) {
  const healthy = { status: "ok", instance: instanceId } as const;
  return newRoom()
    .openapi(healthz, (c) => c.json(healthy, 200))
    .openapi(readyz, async (c) => {
      try {
        await probe();
      } catch (error) {
        throw new ApiProblem("unavailable", "the database does not answer", { cause: error });
      }
      return c.json(healthy, 200);
    });
}
