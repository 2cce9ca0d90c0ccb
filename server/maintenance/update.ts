import { isDeepStrictEqual } from "node:util";
import { UPKEEP_KINDS, type RepoMaintenanceInput } from "@restic-manager/protocol/api/maintenance";
import type { HostId } from "@restic-manager/protocol/ids";
import type { AuditActor } from "../platform/audit.ts";
import type { Audit } from "../platform/audit.ts";
import type { Bus } from "../platform/bus.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { columnsOf, defaultRow, settingsOf } from "./settings.ts";
import { lockHost, readSettings, writeSettings } from "./store.ts";

/** Saves when a host's repository is looked after. @throws ApiProblem `not_found`. */
export async function updateMaintenance(
  { db, clock, bus, audit }: { db: Database; clock: Clock; bus: Bus; audit: Audit },
  hostId: HostId,
  input: RepoMaintenanceInput,
  actor: AuditActor,
): Promise<void> {
  await db.transaction().execute((trx) => saveMaintenance(trx, { clock, audit }, hostId, input, actor));
  bus.publish("host.changed", { hostId });
}

/**
 * As `updateMaintenance`, inside a transaction; the caller publishes `host.changed` after it. Times that the old expressions named and
 * that nothing has run for are dropped with them. What it is already changes nothing.
 */
export async function saveMaintenance(
  trx: Trx,
  { clock, audit }: { clock: Clock; audit: Audit },
  hostId: HostId,
  input: RepoMaintenanceInput,
  actor: AuditActor,
): Promise<void> {
  const host = await lockHost(trx, hostId);
  if (host === undefined) throw new ApiProblem("not_found", `there is no host ${hostId}`);
  const now = clock.now();
  const before = (await readSettings(trx, hostId)) ?? defaultRow(hostId, now);
  const old = settingsOf(before);
  if (isDeepStrictEqual(old, input)) return;
  const timesAlike = UPKEEP_KINDS.every(
    (kind) => old[kind].cron === input[kind].cron && old[kind].enabled === input[kind].enabled,
  );
  await writeSettings(trx, {
    ...before,
    ...columnsOf(input),
    ...(timesAlike ? {} : { counts_from: now }),
    next_look_at: 0,
    updated_at: now,
  });
  await audit.record(trx, {
    actor,
    action: "maintenance.updated",
    target: { kind: "host", id: hostId, name: host.name },
    detail: columnsOf(input),
  });
}
