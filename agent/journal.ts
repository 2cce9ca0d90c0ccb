import type { Database } from "bun:sqlite";
import { JobId } from "@restic-manager/protocol/ids";
import { ActorKind, JobKind, parseOrder, type JobOrder } from "@restic-manager/protocol/jobs";
import { JOB_INPUT_BYTES, OUTCOME_KEPT_MS } from "@restic-manager/protocol/limits";
import type { DurableMessage } from "@restic-manager/protocol/messages";
import type { CommandRun } from "@restic-manager/protocol/server-message";
import { JobOutcome } from "@restic-manager/protocol/outcome";
import type { Ballast } from "./ballast.ts";
import { isDiskFull } from "./disk-full.ts";
import { mayHaveChanged } from "./job-habits.ts";
import { Meta } from "./meta.ts";
import type { LogChunk, Outbox } from "./outbox.ts";

/** Nothing can be written, and nothing is left that could give way. */
export class NoRoom extends Error {
  override readonly name = "NoRoom";

  constructor(options: ErrorOptions) {
    super(
      "the disk that holds this agent's state folder is full, and nothing is left to give way: free some space",
      options,
    );
  }
}

/** A process as it can be told from another one that got the same number. */
export interface ProcessIdentity {
  pid: number;
  startedAt: string;
}

/** A job this agent holds and has not finished. */
export type HeldJob = JobOrder & {
  id: JobId;
  actorKind: ActorKind;
  createdAt: string;
  state: "accepted" | "running";
  process: ProcessIdentity | null;
  logLines: number;
};

interface Row {
  id: string;
  kind: string;
  input: string;
  actor_kind: string;
  created_at: string;
  state: "accepted" | "running" | "finished";
  started_at: string | null;
  pid: number | null;
  pid_started_at: string | null;
  finished_at: string | null;
  outcome: string | null;
  log_lines: number;
}

/**
 * The agent's memory of its jobs, and the only writer of the outbox. Each method is one transaction: what happened and what
 * the server will hear of it are written together or not at all (link.md, the agent's rules 1 to 6).
 */
export class Journal {
  readonly #db: Database;
  readonly #outbox: Outbox;
  readonly #meta: Meta;
  readonly #ballast: Ballast | undefined;
  readonly #now: () => number;
  /** How many lines a job's log has, where the disk had no room for that. */
  readonly #unwritten = new Map<JobId, number>();

  constructor(parts: { db: Database; outbox: Outbox; ballast?: Ballast; now: () => number }) {
    this.#db = parts.db;
    this.#outbox = parts.outbox;
    this.#meta = new Meta(parts.db);
    this.#ballast = parts.ballast;
    this.#now = parts.now;
    this.#ballast?.lay();
  }

  /**
   * Takes a command. `new`: it is in the journal now and must be queued. `known`: nothing changes; the server is told again what
   * it may have missed. `refused`: this release cannot read the kind or its input, and the job has failed.
   */
  accept(
    command: CommandRun,
  ): { verdict: "new"; job: HeldJob } | { verdict: "known" } | { verdict: "refused" } {
    return this.#commit(() => {
      const known = this.#row(command.job_id);
      if (known !== undefined) {
        this.#outbox.append({ type: "job.accepted", job_id: command.job_id, at: this.#instant() });
        if (known.state === "finished") this.#outbox.append(this.#finished(known));
        return { verdict: "known" };
      }
      const order = parseOrder(command.kind, command.input);
      if (order === undefined) {
        this.#refuse(command);
        return { verdict: "refused" };
      }
      this.#insert(command, "accepted", null);
      this.#outbox.append({ type: "job.accepted", job_id: command.job_id, at: this.#instant() });
      const job: HeldJob = {
        ...order,
        id: command.job_id,
        actorKind: command.actor_kind,
        createdAt: command.created_at,
        state: "accepted",
        process: null,
        logLines: 0,
      };
      return { verdict: "new", job };
    });
  }

  /** Several writes that stay or go together: one transaction, for which log lines give way on a full disk. @throws NoRoom */
  together<T>(work: () => T): T {
    return this.#commit(work);
  }

  /** Takes a job that this agent starts by itself. Inside `together`, with what announces it. */
  begin(job: JobOrder & { id: JobId; actorKind: ActorKind; createdAt: string }): HeldJob {
    const { id: job_id, kind, input, actorKind: actor_kind, createdAt: created_at } = job;
    this.#insert({ job_id, kind, input, actor_kind, created_at }, "accepted", null);
    return { ...job, state: "accepted", process: null, logLines: 0 };
  }

  /** Tells the server. Inside `together`. */
  append(message: DurableMessage): void {
    this.#outbox.append(message);
  }

  /** Before restic is spawned: from now on a crash of the agent ends this job as `agent_restarted`. */
  started(id: JobId): void {
    this.#commit(() => {
      const at = this.#instant();
      this.#db
        .query<null, [string, string]>(
          "update job set state = 'running', started_at = ? where id = ? and state = 'accepted'",
        )
        .run(at, id);
      this.#outbox.append({ type: "job.started", job_id: id, at });
    });
  }

  /** Right after the spawn, so that a later life can recognise an orphan. */
  spawned(id: JobId, process: ProcessIdentity): void {
    this.#commit(() => {
      this.#db
        .query<null, [number, string, string]>("update job set pid = ?, pid_started_at = ? where id = ?")
        .run(process.pid, process.startedAt, id);
    });
  }

  /** Writes one chunk of a job's log. On a full disk it is marked as missing instead; it never throws for want of room. */
  log(chunk: LogChunk): void {
    const lines = chunk.firstLine + chunk.count;
    const count = (): void => {
      this.#db
        .query<null, [number, string]>("update job set log_lines = ? where id = ?")
        .run(lines, chunk.jobId);
    };
    try {
      this.#transaction(() => {
        this.#outbox.appendLog(chunk);
        count();
      });
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      try {
        this.#commit(() => {
          const { jobId, firstLine, count: missing } = chunk;
          this.#outbox.append({ type: "log.gap", job_id: jobId, first_line: firstLine, count: missing });
          count();
        });
      } catch (still) {
        // Not even the mark has room. The numbers of the lines that follow show the hole, or the outcome's own count.
        if (!(still instanceof NoRoom)) throw still;
        this.#unwritten.set(chunk.jobId, lines);
        return;
      }
    }
    this.#outbox.committed();
  }

  /** After restic's exit, or instead of a start. A job that has an outcome keeps it: the first one wins. */
  finished(id: JobId, outcome: JobOutcome): void {
    this.#commit(() => {
      const row = this.#row(id);
      if (row === undefined || row.state === "finished") return;
      const at = this.#instant();
      const ended = {
        ...row,
        finished_at: at,
        outcome: JSON.stringify(outcome),
        log_lines: Math.max(row.log_lines, this.#unwritten.get(id) ?? 0),
      };
      this.#db
        .query<null, [string, string, number, string]>(
          "update job set state = 'finished', finished_at = ?, outcome = ?, log_lines = ?, pid = null where id = ?",
        )
        .run(at, ended.outcome, ended.log_lines, id);
      this.#outbox.append(this.#finished(ended));
      if (mayHaveChanged(row.kind, row.started_at !== null, outcome)) this.#meta.set("report_due", "1");
    });
    this.#unwritten.delete(id);
  }

  /** A cancel for a job that never came here: remembered as cancelled, so that a late command does not run it. */
  cancelUnknown(id: JobId): boolean {
    return this.#commit(() => {
      if (this.#row(id) !== undefined) return false;
      const at = this.#instant();
      const command = { job_id: id, kind: "init", input: {}, actor_kind: "system", created_at: at } as const;
      this.#insert(command, "finished", { state: "cancelled" });
      const row = this.#row(id);
      if (row !== undefined) this.#outbox.append(this.#finished(row));
      return true;
    });
  }

  /** Says that the server must hear of the repository's contents again. Survives a crash. */
  get reportDue(): boolean {
    return this.#meta.get("report_due") === "1";
  }

  markReportDue(): void {
    this.#commit(() => this.#meta.set("report_due", "1"));
  }

  /** Writes what the repository holds, whole. */
  report(messages: DurableMessage[]): void {
    this.#commit(() => {
      for (const message of messages) this.#outbox.append(message);
      this.#meta.set("report_due", "0");
    });
  }

  /** Every outcome still kept, once more: the server was restored from an old copy and has forgotten some. */
  resync(): void {
    this.#commit(() => {
      const rows = this.#db
        .query<Row, []>("select * from job where state = 'finished' order by position")
        .all();
      for (const row of rows) this.#outbox.append(this.#finished(row));
      this.#meta.set("report_due", "1");
    });
  }

  /** Jobs taken and not finished, in the order they came. */
  held(): HeldJob[] {
    return this.#db
      .query<Row, []>("select * from job where state <> 'finished' order by position")
      .all()
      .flatMap((row) => {
        const order = parseOrder(row.kind, JSON.parse(row.input));
        if (order === undefined || row.state === "finished") return [];
        const process =
          row.pid === null || row.pid_started_at === null
            ? null
            : { pid: row.pid, startedAt: row.pid_started_at };
        return {
          ...order,
          id: JobId.parse(row.id),
          actorKind: ActorKind.parse(row.actor_kind),
          createdAt: row.created_at,
          state: row.state,
          process,
          logLines: row.log_lines,
        };
      });
  }

  /** What `hello` says of the outbox and the jobs, read in one moment so that they fit together. */
  standing(): { lowest: number; highest: number; jobs: { id: JobId; state: "accepted" | "running" }[] } {
    return this.#db.transaction(() => ({
      lowest: this.#outbox.lowest,
      highest: this.#outbox.highest,
      jobs: this.held().map(({ id, state }) => ({ id, state })),
    }))();
  }

  /** Deletes outcomes older than 30 days, and lays the ballast again if it was given up. */
  tidy(): void {
    const before = new Date(this.#now() - OUTCOME_KEPT_MS).toISOString();
    this.#commit(() => {
      this.#db
        .query<null, [string]>("delete from job where state = 'finished' and finished_at < ?")
        .run(before);
    });
    this.#ballast?.lay();
  }

  #refuse(command: CommandRun): void {
    const known = JobKind.safeParse(command.kind).success;
    const outcome: JobOutcome = {
      state: "failed",
      error: known
        ? {
            code: "invalid_input",
            message: `The agent could not read what this ${command.kind} job should do.`,
          }
        : {
            code: "agent_outdated",
            message: `This agent does not know jobs of kind "${command.kind}".`,
            hint: "Update the agent on this machine.",
          },
    };
    const shown = { ...command, kind: known ? command.kind : "init", input: {} };
    this.#insert(shown, "finished", outcome);
    const row = this.#row(command.job_id);
    if (row !== undefined) this.#outbox.append(this.#finished(row));
  }

  #insert(command: Omit<CommandRun, "type">, state: Row["state"], outcome: JobOutcome | null): void {
    this.#db
      .query<null, (string | null)[]>(
        "insert into job (id, kind, input, actor_kind, created_at, state, finished_at, outcome) values (?, ?, ?, ?, ?, ?, ?, ?)",
      )
      .run(
        command.job_id,
        command.kind,
        JSON.stringify(command.input),
        command.actor_kind,
        command.created_at,
        state,
        outcome === null ? null : this.#instant(),
        outcome === null ? null : JSON.stringify(outcome),
      );
  }

  #row(id: JobId): Row | undefined {
    return this.#db.query<Row, [string]>("select * from job where id = ?").get(id) ?? undefined;
  }

  #finished(row: Row): DurableMessage {
    return {
      type: "job.finished",
      job_id: JobId.parse(row.id),
      kind: JobKind.parse(row.kind),
      started_at: row.started_at,
      finished_at: row.finished_at ?? this.#instant(),
      outcome: JobOutcome.parse(JSON.parse(row.outcome ?? "null")),
      log_lines: row.log_lines,
      // An outcome that no frame can carry would be sent for ever; an input over the protocol's bound stays out of it.
      ...(Buffer.byteLength(row.input) > JOB_INPUT_BYTES
        ? {}
        : {
            recreate: {
              input: JSON.parse(row.input) as Record<string, unknown>,
              actor_kind: ActorKind.parse(row.actor_kind),
              created_at: row.created_at,
            },
          }),
    };
  }

  #instant(): string {
    return new Date(this.#now()).toISOString();
  }

  /** One transaction that must get through: on a full disk the ballast and then the oldest log lines give way. */
  #commit<T>(work: () => T): T {
    const done = this.#withRoom(work);
    this.#outbox.committed();
    return done;
  }

  #withRoom<T>(work: () => T): T {
    try {
      return this.#transaction(work);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#ballast?.giveUp();
      // Freed pages are used again inside the file, so that the next commits need no room from the disk.
      try {
        this.#transaction(() => this.#outbox.giveWay(4 * 1024 * 1024));
        return this.#transaction(work);
      } catch (still) {
        if (!isDiskFull(still)) throw still;
        throw new NoRoom({ cause: still });
      }
    }
  }

  #transaction<T>(work: () => T): T {
    try {
      return this.#db.transaction(work)();
    } catch (error) {
      this.#outbox.reload();
      throw error;
    }
  }
}
