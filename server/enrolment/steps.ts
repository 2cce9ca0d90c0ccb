import { EnrollmentId, type HostId } from "@restic-manager/protocol/ids";
import type { Bus } from "../platform/bus.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import {
  insertStep,
  readAllUnconnected,
  readEnrollment,
  readUnconnected,
  removeOld,
  wipeExpired,
  type EnrollmentStep,
} from "./store.ts";
import { readToken } from "./token.ts";

export interface StepParts {
  db: Database;
  clock: Clock;
  bus: Bus;
}

/** A token's row, and with it the ledger of its machine, is kept so long after it expired. */
const KEPT_MS = 7 * 24 * 3600_000;

/** Notes what the server saw of a machine, the first time it sees it. An unknown id is ignored. */
export async function noteStep(
  { db, clock, bus }: StepParts,
  enrollmentId: EnrollmentId,
  step: EnrollmentStep,
  detail: string | null,
): Promise<void> {
  if (await insertStep(db, enrollmentId, step, clock.now(), detail))
    bus.publish("enrollment.changed", { enrollmentId });
}

/**
 * Which enrolment a download belongs to: `?for=<id>`, or the token as a bearer, as install.sh sends it. It only decides whose
 * ledger says "seen", so the id alone is enough.
 */
export function enrollmentOfRequest(request: Request): EnrollmentId | undefined {
  const asked = EnrollmentId.safeParse(new URL(request.url).searchParams.get("for"));
  if (asked.success) return asked.data;
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  return bearer === undefined ? undefined : readToken(bearer)?.id;
}

/**
 * Follows enrolled hosts until their agent has connected once, and notes it. A server that was away in that moment finds
 * it in the store when it starts.
 *
 * @returns ends it, and waits for what it is still writing.
 */
export async function followEnrolments(
  parts: StepParts,
  onError: (error: unknown) => void,
): Promise<() => Promise<void>> {
  const { db, bus } = parts;
  const waiting = new Set(await readAllUnconnected(db));
  const underWay = new Set<Promise<void>>();
  const aside = (work: Promise<void>) => {
    const noted = work.catch(onError).finally(() => underWay.delete(noted));
    underWay.add(noted);
  };
  const look = async (hostId: HostId) => {
    const row = await readUnconnected(db, hostId);
    if (row === undefined) waiting.delete(hostId);
    else if (row.connected_since !== null || row.last_seen_at !== null) {
      waiting.delete(hostId);
      await noteStep(parts, row.id, "connected", null);
    }
  };
  const ends = [
    bus.subscribe("enrollment.changed", ({ enrollmentId }) => {
      const begin = async () => {
        const hostId = (await readEnrollment(db, enrollmentId))?.host_id;
        if (hostId === undefined || hostId === null) return;
        waiting.add(hostId);
        // The agent may have been faster than this.
        await look(hostId);
      };
      aside(begin());
    }),
    bus.subscribe("host.changed", ({ hostId }) => {
      if (waiting.has(hostId)) aside(look(hostId));
    }),
    bus.subscribe("host.removed", ({ hostId }) => void waiting.delete(hostId)),
    bus.subscribe("bus.resync", () => {
      const begin = async () => {
        for (const hostId of await readAllUnconnected(db)) {
          waiting.add(hostId);
          await look(hostId);
        }
      };
      aside(begin());
    }),
  ];
  for (const hostId of waiting) await look(hostId);
  return async () => {
    for (const end of ends) end();
    await Promise.all(underWay);
  };
}

/** Forgets the secrets of tokens that nobody used in time, and at last the tokens. For a ticker, once a minute. */
export async function sweepEnrollments({ db, clock, bus }: StepParts): Promise<void> {
  const now = clock.now();
  for (const enrollmentId of await wipeExpired(db, now)) bus.publish("enrollment.changed", { enrollmentId });
  await removeOld(db, now - KEPT_MS);
}
