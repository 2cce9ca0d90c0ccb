import { createAudit } from "@restic-manager/server/audit/record";
import { createCore, type Core } from "@restic-manager/server/core";
import { localBus } from "@restic-manager/server/platform/bus";
import type { Database } from "@restic-manager/server/platform/db/schema";
import { storeTime } from "@restic-manager/server/platform/db/store-time";
import { createIds } from "@restic-manager/server/platform/ids";
import { createLog } from "@restic-manager/server/platform/log";
import { readRetention } from "@restic-manager/server/platform/retention-limits";
import { createSeal } from "@restic-manager/server/platform/seal";
import { brooms } from "@restic-manager/server/retention/sweep";
import type { Broom } from "@restic-manager/server/retention/broom";
import type { TestClock } from "@restic-manager/server/testing/clock";

/** The server's link with all behind it, in this process, by a clock that the benchmark moves. Throws what the server would log. */
export function startCore(db: Database, clock: TestClock): Core {
  const core = createCore({
    db,
    clock,
    bus: localBus(fail),
    nodes: { node: "a", alone: true, live: () => ["a"], time: storeTime(db, clock) },
    log: createLog(clock, () => undefined),
    seal: createSeal([{ id: "00000000", bytes: Buffer.alloc(32, 7) }]),
    audit: createAudit(clock, createIds(clock)),
    publicAddress: async () => "http://127.0.0.1",
  });
  core.link.start();
  return core;
}

/** Retention as it is shipped. */
export function shippedBrooms(db: Database): Broom[] {
  return brooms(
    db,
    readRetention((_name, fallback) => fallback),
  );
}

export function fail(error: unknown): never {
  throw error;
}
