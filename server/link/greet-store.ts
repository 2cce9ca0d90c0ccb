import { sql, type SqlBool } from "kysely";
import type { Hello } from "@restic-manager/protocol/hello";
import type { Epoch, HostId, JobId } from "@restic-manager/protocol/ids";
import { rowLock } from "../platform/db/dialect.ts";
import type { HostUpdate, Trx } from "../platform/db/schema.ts";
import { askInShapes, inShapes } from "../platform/db/shapes.ts";
import { heldBy, type Holder } from "./store.ts";

// In the text and not as parameters: partial indexes are found only so.
const ACTIVE = sql<SqlBool>`state in ('queued', 'running')`;

/**
 * How far each life of hosts' agents is committed. On PostgreSQL this waits for a batch of a former connection that is being committed,
 * and keeps others off until our commit: before anything else, and in the order in which batches take them, so that no two wait for
 * each other.
 */
export async function lockEpochs(trx: Trx, hostIds: readonly HostId[]) {
  return await askInShapes(hostIds.toSorted(), (ids) =>
    trx
      .selectFrom("link_epochs")
      .select(["host_id", "epoch", "last_seq"])
      .where("host_id", "in", ids)
      .orderBy("host_id")
      .orderBy("epoch")
      .modifyEnd(rowLock(trx))
      .execute(),
  );
}

/** What is known of hosts before a hello. */
export async function standings(trx: Trx, hostIds: readonly HostId[]) {
  const rows = await askInShapes(hostIds, (ids) =>
    trx
      .selectFrom("hosts")
      .select([
        "id",
        "epoch",
        "online",
        "link_node",
        "link_connection",
        "config_version",
        "address",
        "hostname",
        "os",
        "os_name",
        "arch",
        "machine_id",
        "boot_id",
        "agent_version",
        "protocol_version",
        "restic_state",
        "restic_version",
        "config_applied_version",
        "schedule_version",
        "schedule_applied_version",
        "timezone",
        "link_problem",
      ])
      .where("id", "in", ids)
      .execute(),
  );
  return new Map(rows.map((row) => [row.id, row]));
}
export type HostStanding = Awaited<ReturnType<typeof standings>> extends Map<HostId, infer S> ? S : never;

/** Makes connections the ones whose frames count: what a former one still commits moves nothing. */
export async function takeLinks(
  trx: Trx,
  hosts: readonly { hostId: HostId; holder: Holder }[],
): Promise<void> {
  for (const part of inShapes(hosts)) {
    const rows = part.map(
      ({ hostId, holder }) => sql`(cast(${hostId} as text), cast(${heldBy(holder)} as text))`,
    );
    await sql`update link_epochs set held_by = taken.column2 from (values ${sql.join(rows)}) as taken
      where link_epochs.host_id = taken.column1`.execute(trx);
  }
}

/** Unfinished jobs of hosts, in no order. */
export async function activeJobs(trx: Trx, hostIds: readonly HostId[]) {
  return await askInShapes(hostIds, (ids) =>
    trx
      .selectFrom("jobs")
      .select([
        "id",
        "host_id",
        "kind",
        "state",
        "sent_at",
        "sent_epoch",
        "accepted_at",
        "cancel_requested_at",
      ])
      .where("host_id", "in", ids)
      .where(ACTIVE)
      .execute(),
  );
}
export type ActiveJob = Awaited<ReturnType<typeof activeJobs>>[number];

/** Jobs of an earlier life that the agent still holds go on in this one. */
export async function adopt(trx: Trx, jobIds: JobId[], epoch: Epoch): Promise<void> {
  if (jobIds.length === 0) return;
  await trx.updateTable("jobs").set({ sent_epoch: epoch }).where("id", "in", jobIds).execute();
}

/** Writes down that hosts are there, and where. */
export async function writePresent(
  trx: Trx,
  present: readonly { hostId: HostId; connection: number; skew: number | null }[],
  { node, now }: { node: string; now: number },
): Promise<void> {
  for (const part of inShapes(present)) {
    const rows = part.map(
      ({ hostId, connection, skew }) =>
        sql`(cast(${hostId} as text), cast(${connection} as double precision), cast(${skew} as double precision))`,
    );
    await sql`update hosts set online = 1, link_node = ${node}, link_connection = present.column2,
      connected_since = ${now}, last_seen_at = ${now}, clock_skew_ms = present.column3
      from (values ${sql.join(rows)}) as present where hosts.id = present.column1`.execute(trx);
  }
}

/** Writes down what a hello says of its machine that is not known already: after the first one that is next to nothing. */
export async function writeMachine(
  trx: Trx,
  before: HostStanding,
  hello: Hello,
  facts: { address: string | null; epoch: Epoch },
): Promise<void> {
  const { restic } = hello;
  const said = {
    address: facts.address,
    hostname: hello.hostname,
    os: hello.os,
    os_name: hello.os_name,
    arch: hello.arch,
    machine_id: hello.machine_id,
    boot_id: hello.boot_id,
    agent_version: hello.agent_version,
    protocol_version: hello.protocol_version,
    restic_state: restic.state,
    restic_version: restic.state === "missing" ? null : restic.version,
    config_applied_version: hello.config_version,
    schedule_applied_version: hello.schedule_version,
    timezone: hello.timezone ?? before.timezone,
    epoch: facts.epoch,
    link_problem: null,
  } satisfies HostUpdate;
  const changed = (Object.keys(said) as (keyof typeof said)[]).some((key) => before[key] !== said[key]);
  if (changed) await trx.updateTable("hosts").set(said).where("id", "=", before.id).execute();
}
