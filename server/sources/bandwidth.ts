import type { Bandwidth } from "@restic-manager/protocol/jobs/backup";
import type { HostId } from "@restic-manager/protocol/ids";
import type { UserActor } from "../audit/actor.ts";
import type { Database } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import type { HookParts } from "./hooks.ts";
import { bumpConfigVersion, lockHost, readBandwidth } from "./store.ts";

/**
 * Sets the caps of every restic call of a host. What is left out, or 0, is no cap.
 *
 * @throws ApiProblem `not_found`.
 */
export async function updateBandwidth(
  { db, bus, audit }: Pick<HookParts, "db" | "bus" | "audit">,
  hostId: HostId,
  { upload_kib_per_s = 0, download_kib_per_s = 0 }: Bandwidth,
  actor: UserActor,
): Promise<Bandwidth> {
  await db.transaction().execute(async (trx) => {
    const host = await lockHost(trx, hostId);
    if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
    await bumpConfigVersion(trx, hostId, {
      upload_kib_per_s: upload_kib_per_s || null,
      download_kib_per_s: download_kib_per_s || null,
    });
    await audit.record(trx, {
      actor,
      action: "host.updated",
      target: { kind: "host", id: hostId, name: host.name },
      detail: { upload_kib_per_s, download_kib_per_s },
    });
  });
  bus.publish("config.changed", { hostId });
  bus.publish("host.changed", { hostId });
  return hostBandwidth(db, hostId);
}

/** The caps of a host; empty when it has none. */
export async function hostBandwidth(db: Database, hostId: HostId): Promise<Bandwidth> {
  const caps = await readBandwidth(db, hostId);
  const { upload_kib_per_s = null, download_kib_per_s = null } = caps ?? {};
  return {
    ...(upload_kib_per_s === null ? {} : { upload_kib_per_s }),
    ...(download_kib_per_s === null ? {} : { download_kib_per_s }),
  };
}
