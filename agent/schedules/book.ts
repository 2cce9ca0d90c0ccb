import type { Database } from "bun:sqlite";
import type { JobErrorCode } from "@restic-manager/protocol/job-error";
import { JobId, ScheduleId, SourceGroupId } from "@restic-manager/protocol/ids";
import { JobOutcome } from "@restic-manager/protocol/outcome";
import { backOffMs } from "@restic-manager/protocol/back-off";
import { MISSED_LISTED } from "@restic-manager/protocol/limits";
import { ScheduleSet, type AgentGroup, type AgentSchedule } from "@restic-manager/protocol/schedule";
import { type ScheduleFire } from "@restic-manager/protocol/schedule-fire";
import type { HeldJob, Journal } from "../journal.ts";
import { mintJobId } from "../ulid.ts";
import type { DueFire } from "./due.ts";

/** What may be gone in a few minutes; anything else fails again just so. */
const TRANSIENT = new Set<JobErrorCode>(["repository_unreachable", "repository_locked"]);
/** Largest JSON of a fire that carries what its jobs do: a frame has 1 MiB. */
const FIRE_BYTES = 900 * 1024;
/** Fires are remembered for so long. Older ones are behind what every schedule has accounted for. */
const FIRED_KEPT_MS = 60 * 24 * 3_600_000;

/** A failed run that is to be tried again. */
export interface Retry {
  jobId: JobId;
  scheduleId: ScheduleId;
  groupId: SourceGroupId;
  scheduledAt: number;
  /** The number of the next try; 1 is the first repetition. */
  attempt: number;
  dueAt: number;
}

/**
 * The agent's schedules and what came of them, in `agent.db`. What a fire writes is one transaction: its key, its jobs and the message
 * that tells the server (link.md, the agent's rule 3).
 */
export class ScheduleBook {
  readonly #db: Database;
  readonly #journal: Journal;
  readonly #now: () => number;
  #set: ScheduleSet | undefined;

  constructor(parts: { db: Database; journal: Journal; now: () => number }) {
    this.#db = parts.db;
    this.#journal = parts.journal;
    this.#now = parts.now;
    const row = this.#db.query<{ body: string }, []>("select body from schedule_set").get();
    // One that a later release wrote and this one cannot read counts as none: the server sends it again.
    if (row !== null) this.#set = ScheduleSet.safeParse(JSON.parse(row.body)).data;
  }

  /** 0 before the first. */
  get version(): number {
    return this.#set?.version ?? 0;
  }

  get paused(): boolean {
    return this.#set?.paused ?? false;
  }

  get schedules(): readonly AgentSchedule[] {
    return this.#set?.schedules ?? [];
  }

  group(id: SourceGroupId): AgentGroup | undefined {
    return this.#set?.groups.find((group) => group.id === id);
  }

  /**
   * Takes what the server sends. A schedule that fires at other moments than before begins anew now, and so do all after a pause:
   * moments that are past are not caught up with then.
   */
  adopt(set: ScheduleSet): void {
    const now = this.#now();
    const afresh = this.#set?.paused === true && !set.paused;
    this.#journal.together(() => {
      this.#db
        .query<null, [string]>("insert or replace into schedule_set (only, body) values (1, ?)")
        .run(JSON.stringify(set));
      const known = new Map(
        this.#db
          .query<{ schedule_id: string; timing: string }, []>(
            "select schedule_id, timing from schedule_state",
          )
          .all()
          .map((row) => [row.schedule_id, row.timing]),
      );
      for (const schedule of set.schedules) {
        const timing = timingOf(schedule);
        if (!afresh && known.get(schedule.id) === timing) continue;
        this.#db
          .query<null, [string, string, number]>(
            "insert or replace into schedule_state (schedule_id, timing, until) values (?, ?, ?)",
          )
          .run(schedule.id, timing, now);
      }
      const ids = JSON.stringify(set.schedules.map((schedule) => schedule.id));
      for (const table of ["schedule_state", "schedule_latest"])
        this.#db
          .query<null, [string]>(
            `delete from ${table} where schedule_id not in (select value from json_each(?))`,
          )
          .run(ids);
      this.#db.query<null, [number]>("delete from fired where scheduled_at < ?").run(now - FIRED_KEPT_MS);
    });
    this.#set = set;
  }

  /** Up to which moment a schedule has had its runs; one that is not known begins now. */
  until(id: ScheduleId): number {
    const row = this.#db
      .query<{ until: number }, [string]>("select until from schedule_state where schedule_id = ?")
      .get(id);
    return row?.until ?? this.#now();
  }

  setUntil(id: ScheduleId, until: number): void {
    this.#journal.together(() => this.#writeUntil(id, until));
  }

  /**
   * Fires a schedule: once for each instant, whatever happens around it. Returns the jobs to queue; none when that instant has been
   * fired before, and none for a group whose last scheduled job still waits for its turn: that one stands for this fire too.
   *
   * @param until up to which moment the schedule has had its runs with this one.
   */
  fire(schedule: AgentSchedule, due: DueFire, until: number): HeldJob[] {
    return this.#journal.together(() => {
      this.#writeUntil(schedule.id, until);
      const inserted = this.#db
        .query<null, [string, number]>(
          "insert into fired (schedule_id, scheduled_at) values (?, ?) on conflict do nothing",
        )
        .run(schedule.id, due.scheduledAt);
      if (inserted.changes === 0) return [];
      const made: HeldJob[] = [];
      const jobs: ScheduleFire["jobs"] = [];
      for (const id of schedule.source_group_ids) {
        const group = this.group(id);
        if (group === undefined) continue;
        const jobId = this.#waitingJob(id) ?? this.#start(group, made);
        jobs.push({
          job_id: jobId,
          source_group_id: id,
          source_group_name: group.name,
          input: inputOf(group),
        });
        this.#db
          .query<null, [string, string, string, number]>(
            "insert or replace into schedule_latest (schedule_id, group_id, job_id, scheduled_at, attempt) values (?, ?, ?, ?, 0)",
          )
          .run(schedule.id, id, jobId, due.scheduledAt);
      }
      const { missed } = due;
      this.#announce({
        type: "schedule.fire",
        schedule_id: schedule.id,
        scheduled_at: instant(due.scheduledAt),
        fired_at: instant(this.#now()),
        attempt: 0,
        ...(missed.length === 0
          ? {}
          : {
              catch_up: {
                missed_count: missed.length,
                missed: missed.slice(-MISSED_LISTED).map(instant),
              },
            }),
        jobs,
      });
      return made;
    });
  }

  /** Failed runs that will be tried again: their schedule is on, and their group has tries left. */
  retries(): Retry[] {
    if (this.paused) return [];
    const on = new Map(this.schedules.filter((one) => one.enabled).map((one) => [one.id, one]));
    const found = new Map<JobId, Retry>();
    for (const row of this.#failed()) {
      const groupId = SourceGroupId.parse(row.group_id);
      const scheduleId = ScheduleId.parse(row.schedule_id);
      const jobId = JobId.parse(row.job_id);
      const group = this.group(groupId);
      const wanted = on.get(scheduleId)?.source_group_ids.includes(groupId) === true;
      if (group === undefined || !wanted || row.attempt >= group.retry_max || found.has(jobId)) continue;
      const outcome = JobOutcome.safeParse(JSON.parse(row.outcome)).data;
      if (outcome?.state !== "failed" || !TRANSIENT.has(outcome.error.code)) continue;
      const attempt = row.attempt + 1;
      const wait = backOffMs(group.retry_backoff_seconds, attempt);
      // A clock that was set back must not put it off.
      const dueAt = Math.min(Date.parse(row.finished_at), this.#now()) + wait;
      found.set(jobId, { jobId, scheduleId, groupId, scheduledAt: row.scheduled_at, attempt, dueAt });
    }
    return [...found.values()];
  }

  /** Starts the next try of a failed run, once. */
  retry(retry: Retry): HeldJob[] {
    const group = this.group(retry.groupId);
    if (group === undefined) return [];
    return this.#journal.together(() => {
      const made: HeldJob[] = [];
      const jobId = this.#waitingJob(retry.groupId) ?? this.#start(group, made);
      const moved = this.#db
        .query<null, [string, number, string]>(
          "update schedule_latest set job_id = ?, attempt = ? where job_id = ?",
        )
        .run(jobId, retry.attempt, retry.jobId);
      if (moved.changes === 0) throw new Error(`the run ${retry.jobId} was tried again before`);
      this.#announce({
        type: "schedule.fire",
        schedule_id: retry.scheduleId,
        scheduled_at: instant(retry.scheduledAt),
        fired_at: instant(this.#now()),
        attempt: retry.attempt,
        jobs: [
          {
            job_id: jobId,
            source_group_id: group.id,
            source_group_name: group.name,
            input: inputOf(group),
          },
        ],
      });
      return made;
    });
  }

  #failed() {
    return this.#db
      .query<
        {
          schedule_id: string;
          group_id: string;
          job_id: string;
          scheduled_at: number;
          attempt: number;
          outcome: string;
          finished_at: string;
        },
        []
      >(
        `select l.*, j.outcome, j.finished_at from schedule_latest l join job j on j.id = l.job_id
         where j.state = 'finished' and j.outcome like '{"state":"failed"%'`,
      )
      .all();
  }

  #start(group: AgentGroup, made: HeldJob[]): JobId {
    const now = this.#now();
    const id = mintJobId(now);
    made.push(
      this.#journal.begin({
        id,
        actorKind: "schedule",
        createdAt: instant(now),
        kind: "backup",
        input: inputOf(group),
      }),
    );
    return id;
  }

  /** The job of a group that a schedule has started and that has not begun. */
  #waitingJob(groupId: SourceGroupId): JobId | undefined {
    const row = this.#db
      .query<{ id: string }, [string]>(
        `select j.id from schedule_latest l join job j on j.id = l.job_id
         where l.group_id = ? and j.state = 'accepted' limit 1`,
      )
      .get(groupId);
    return row === null ? undefined : JobId.parse(row.id);
  }

  #announce(fire: ScheduleFire): void {
    const fits = Buffer.byteLength(JSON.stringify(fire)) <= FIRE_BYTES;
    const jobs = fits ? fire.jobs : fire.jobs.map(({ input: _input, ...job }) => job);
    this.#journal.append({ ...fire, jobs });
  }

  #writeUntil(id: ScheduleId, until: number): void {
    this.#db
      .query<null, [number, string]>("update schedule_state set until = ? where schedule_id = ?")
      .run(until, id);
  }
}

/** Everything of a schedule that decides when it fires. */
function timingOf({ cron, timezone, enabled, spread_seconds }: AgentSchedule): string {
  return JSON.stringify([cron, timezone, enabled, spread_seconds]);
}

function inputOf({ id, name, includes, excludes }: AgentGroup) {
  return { source_group_id: id, source_group_name: name, includes, excludes };
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
