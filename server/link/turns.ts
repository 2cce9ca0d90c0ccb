import { sql, type SqlBool } from "kysely";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import { EXCLUSIVE_KINDS } from "@restic-manager/protocol/jobs/exclusive";
import type { Database, Trx } from "../platform/db/schema.ts";

/** A machine that is away for so long with the turn has lost it; should it work after all, restic's own lock stands between. */
const AWAY_MS = 15 * 60_000;
/** A turn this young is not taken from a job that cannot be seen yet: another server may be making it. */
const YOUNG_MS = 60_000;

/** A job that needs the repository for itself. A preview of `forget` takes no lock. In the text and not as parameters, as partial indexes want it. */
export const NEEDS_TURN = sql.raw<SqlBool>(
  `(jobs.kind in (${EXCLUSIVE_KINDS.map((kind) => `'${kind}'`).join(", ")}) and jobs.input not like '%"dry_run":true%')`,
);

/**
 * Takes the turns on their repositories for jobs of these hosts that need one for themselves and that no agent has taken; one per
 * repository, whichever hosts and servers ask. A turn is its job's until that has ended: nobody has to give it back. A job that lost
 * it while its machine was away and had not taken it asks again, and one that had taken it and came back at work is waited for. Hosts
 * whose repository is not known yet count as each having its own.
 */
export async function claimTurns(db: Database | Trx, hostIds: readonly HostId[], now: number): Promise<void> {
  if (hostIds.length === 0) return;
  await sql`
    insert into repository_turns (repository, job_id, taken_at)
    select coalesce(hosts.repository_id, hosts.id), min(jobs.id), cast(${now} as double precision)
    from jobs join hosts on hosts.id = jobs.host_id
    where jobs.host_id in (${sql.join(hostIds)}) and jobs.state in ('queued', 'running') and jobs.state = 'queued'
      and jobs.accepted_at is null and ${NEEDS_TURN}
    group by coalesce(hosts.repository_id, hosts.id)
    on conflict (repository) do update set job_id = excluded.job_id, taken_at = excluded.taken_at
    where (exists (
        select 1 from jobs where jobs.id = repository_turns.job_id and jobs.finished_at is not null)
      or (repository_turns.taken_at <= ${now - YOUNG_MS} and not exists (
        select 1 from jobs join hosts on hosts.id = jobs.host_id
        where jobs.id = repository_turns.job_id
          and (hosts.online = 1 or (jobs.sent_at is not null and hosts.last_seen_at > ${now - AWAY_MS})))))
      and not exists (
        select 1 from jobs join hosts on hosts.id = jobs.host_id
        where hosts.repository_id = repository_turns.repository
          and jobs.state in ('queued', 'running') and jobs.accepted_at is not null and ${NEEDS_TURN}
          and (hosts.online = 1 or hosts.last_seen_at > ${now - AWAY_MS}))
  `.execute(db);
}

/** Jobs of other hosts that wait for the repository of this one: to be delivered when its turn is over. */
export async function waitingForTurn(trx: Trx, hostId: HostId): Promise<{ id: JobId; host_id: HostId }[]> {
  return await trx
    .selectFrom("jobs")
    .innerJoin("hosts", "hosts.id", "jobs.host_id")
    .select(["jobs.id", "jobs.host_id"])
    .where(sql<boolean>`jobs.state in ('queued', 'running')`)
    .where("jobs.state", "=", "queued")
    .where("jobs.accepted_at", "is", null)
    .where(NEEDS_TURN)
    .where("hosts.online", "=", 1)
    .where((e) =>
      e.or([
        e("jobs.host_id", "=", hostId),
        e(
          "hosts.repository_id",
          "=",
          e.selectFrom("hosts as mine").select("mine.repository_id").where("mine.id", "=", hostId),
        ),
      ]),
    )
    .orderBy("jobs.id")
    .limit(50)
    .execute();
}
