import { sql } from "kysely";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Database, Trx } from "../platform/db/schema.ts";

/** Hosts in the order of their ids: those from behind `after` up to and with `last`. */
export interface HostRange {
  after: string;
  last: HostId;
}

/** The next hosts behind `after`; undefined when there are none. */
export async function nextHosts(db: Database, after: string, limit: number): Promise<HostRange | undefined> {
  const rows = await db
    .selectFrom("hosts")
    .select("id")
    .where(sql<boolean>`id > ${after}`)
    .orderBy("id")
    .limit(limit)
    .execute();
  const last = rows.at(-1)?.id;
  return last === undefined ? undefined : { after, last };
}

const inRange = ({ after, last }: HostRange) => sql<boolean>`host_id > ${after} and host_id <= ${last}`;

/**
 * Leaves, of the measurements from before `before`, the last of each stretch of `length` milliseconds.
 *
 * @param length stretches are counted from 1970, by days in UTC.
 */
export async function thinStats(trx: Trx, hosts: HostRange, before: number, length: number): Promise<void> {
  const stretch = (column: string) => sql`floor(${sql.ref(column)} / ${sql.lit(length)})`;
  await trx
    .deleteFrom("repository_stats")
    .where(inRange(hosts))
    .where("taken_at", "<", before)
    .where((e) =>
      e.exists(
        e
          .selectFrom("repository_stats as later")
          .select("later.host_id")
          .whereRef("later.host_id", "=", "repository_stats.host_id")
          .whereRef("later.taken_at", ">", "repository_stats.taken_at")
          .where(
            sql<boolean>`later.taken_at < (${stretch("repository_stats.taken_at")} + 1) * ${sql.lit(length)}`,
          ),
      ),
    )
    .execute();
}

/** Forgets lives of an agent's state that began before `before`, but for a host's newest `kept` and the one it lives now. */
export async function dropEpochs(trx: Trx, hosts: HostRange, before: number, kept: number): Promise<void> {
  await trx
    .deleteFrom("link_epochs")
    .where(inRange(hosts))
    .where("started_at", "<", before)
    .where((e) =>
      e(
        e
          .selectFrom("link_epochs as newer")
          .select((n) => n.fn.countAll<number>().as("count"))
          .whereRef("newer.host_id", "=", "link_epochs.host_id")
          .whereRef("newer.started_at", ">", "link_epochs.started_at"),
        ">=",
        kept,
      ),
    )
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom("hosts")
            .select("hosts.id")
            .whereRef("hosts.id", "=", "link_epochs.host_id")
            .whereRef("hosts.epoch", "=", "link_epochs.epoch"),
        ),
      ),
    )
    .execute();
}

export async function dropRejected(trx: Trx, hosts: HostRange, before: number): Promise<void> {
  await trx.deleteFrom("rejected_frames").where(inRange(hosts)).where("at", "<", before).execute();
}

/** Parts of snapshot lists that were never completed. */
export async function dropParts(trx: Trx, hosts: HostRange, before: number): Promise<void> {
  await trx.deleteFrom("snapshot_parts").where(inRange(hosts)).where("taken_at", "<", before).execute();
}
