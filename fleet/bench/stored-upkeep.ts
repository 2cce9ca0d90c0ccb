import { sql } from "kysely";
import type { Database } from "@restic-manager/server/platform/db/schema";
import type { OpenStore } from "@restic-manager/server/platform/db/open";

const DAY_MS = 24 * 3_600_000;

/** Gives every host both sets of credentials: without them nothing is decided. What is sealed in them is never opened here. */
export async function storeSlots({ db }: OpenStore, now: number): Promise<void> {
  for (const slot of ["repo", "admin"])
    await sql`
      insert into repository_credentials (host_id, slot, url, username, sealed, has_password, updated_at)
      select id, ${sql.lit(slot)}, 'http://127.0.0.1:1/', null, '', 0, ${sql.lit(now - DAY_MS)} from hosts`.execute(
      db,
    );
}

/** Makes a check due at the first hosts. */
export async function makeDue(db: Database, hosts: number, now: number): Promise<void> {
  await sql`
    update repo_maintenance set check_cron = '* * * * *', check_enabled = 1, next_look_at = 0, counts_from = ${sql.lit(now - DAY_MS)}
    where host_id in (select id from hosts where restic_state = 'ok' and online = 1 order by id limit ${sql.lit(hosts)})`.execute(
    db,
  );
}

/** Ends what was ordered, as if the agents had done it. */
export async function finishUpkeep(db: Database, now: number): Promise<void> {
  await sql`
    update jobs set state = 'succeeded', started_at = ${sql.lit(now)}, finished_at = ${sql.lit(now)}, result = '{}'
    where kind in ('forget', 'prune', 'check') and state in ('queued', 'running')`.execute(db);
}
