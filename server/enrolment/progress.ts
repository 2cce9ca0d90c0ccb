import { z } from "zod";
import { ENROLLMENT_STEPS, type EnrollmentProgress } from "@restic-manager/protocol/api/enrolment";
import type { EnrollmentId } from "@restic-manager/protocol/ids";
import { instant } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { readEnrollment, readSteps } from "./store.ts";

/** Where a machine stands on its way in, with what the server has seen of it; undefined for an unknown token. */
export async function enrollmentProgress(
  db: Database,
  id: EnrollmentId,
  now: number,
): Promise<EnrollmentProgress | undefined> {
  const row = await readEnrollment(db, id);
  if (row === undefined) return undefined;
  const steps = await readSteps(db, id);
  const seen = steps.map(({ step, at, detail }) => ({
    step: z.enum(ENROLLMENT_STEPS).parse(step),
    at: instant(at),
    detail,
  }));
  // Steps of one instant (a fast machine, a test) still come in their order.
  const order = (one: (typeof seen)[number]) => ENROLLMENT_STEPS.indexOf(one.step);
  return {
    id,
    host_name: row.host_name,
    state: stateOf(
      row,
      seen.some(({ step }) => step === "connected"),
      now,
    ),
    expires_at: instant(row.expires_at),
    host_id: row.host_id,
    seen: seen.toSorted((a, b) => a.at.localeCompare(b.at) || order(a) - order(b)),
  };
}

function stateOf(
  row: { used_at: number | null; expires_at: number },
  connected: boolean,
  now: number,
): EnrollmentProgress["state"] {
  if (connected) return "connected";
  if (row.used_at !== null) return "enrolled";
  return row.expires_at <= now ? "expired" : "waiting";
}
