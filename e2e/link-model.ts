import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database as AgentFile } from "bun:sqlite";
import { openAgentDb } from "@restic-manager/agent/db";
import { Journal, type HeldJob } from "@restic-manager/agent/journal";
import { Link as AgentLink, type Socket, type SocketEvents } from "@restic-manager/agent/link";
import { LogWriter } from "@restic-manager/agent/log-writer";
import { Outbox } from "@restic-manager/agent/outbox";
import type { JobId } from "@restic-manager/protocol/ids";
import { PROTOCOL_VERSION } from "@restic-manager/protocol/version";
import { testClock, type TestClock } from "@restic-manager/server/testing/clock";

/** One direction of a connection: frames that were sent and have not arrived. */
export type Wire = (string | Uint8Array<ArrayBuffer>)[];

/** A connection that the test moves frame by frame. */
export interface Pipe {
  up: Wire;
  events: SocketEvents;
  /** Both ends are told when it breaks; until then it only stalls. */
  cut: boolean;
  opened: boolean;
}

/** What really happened on the machine, beyond what any end says. */
export interface Truth {
  /** How often work on a job was begun. */
  runs: Map<JobId, number>;
  /** Lines written per job. */
  lines: Map<JobId, number>;
}

/**
 * An agent with its real journal, outbox and link over a real file, without a restic: the test begins, logs and ends its jobs by hand.
 * `crash` forgets everything but the file.
 */
export class ModelAgent {
  readonly folder = mkdtempSync(join(tmpdir(), "rm-model-"));
  readonly truth: Truth = { runs: new Map(), lines: new Map() };
  pipe: Pipe | undefined;
  /** Waiting and running jobs of this life, in order. */
  queue: HeldJob[] = [];
  running: { job: HeldJob; writer: LogWriter } | undefined;
  readonly clock: TestClock;
  readonly #onConnect: (pipe: Pipe) => void;
  #db: AgentFile;
  #outbox: Outbox;
  #journal: Journal;
  #link: AgentLink;

  constructor(clock: TestClock, onConnect: (pipe: Pipe) => void) {
    this.clock = clock;
    this.#onConnect = onConnect;
    [this.#db, this.#outbox, this.#journal, this.#link] = this.#live();
  }

  get outbox(): Outbox {
    return this.#outbox;
  }

  get journal(): Journal {
    return this.#journal;
  }

  /** kill -9, and a new start. */
  crash(): void {
    this.#end();
    [this.#db, this.#outbox, this.#journal, this.#link] = this.#live();
  }

  /** Keeps a copy of the file, as a backup of the machine would. */
  remember(): void {
    this.#db.run("pragma wal_checkpoint(truncate)");
    copyFileSync(this.#file, `${this.#file}.old`);
  }

  /** The disk is restored: the file goes back to the copy, or is gone when there is none. */
  goBack(): void {
    this.#end();
    for (const ending of ["", "-wal", "-shm"]) rmSync(`${this.#file}${ending}`, { force: true });
    if (existsSync(`${this.#file}.old`)) copyFileSync(`${this.#file}.old`, this.#file);
    [this.#db, this.#outbox, this.#journal, this.#link] = this.#live();
  }

  begin(): void {
    const job = this.running === undefined ? this.queue.shift() : undefined;
    if (job === undefined) return;
    this.#journal.started(job.id);
    this.truth.runs.set(job.id, (this.truth.runs.get(job.id) ?? 0) + 1);
    const writer = new LogWriter({
      jobId: job.id,
      firstLine: job.logLines,
      timers: {
        now: () => this.clock.now(),
        after: (ms, run) => this.clock.after(ms, run),
        random: () => 0.5,
      },
      write: (chunk) => this.#journal.log(chunk),
    });
    this.running = { job, writer };
  }

  log(lines: number): void {
    if (this.running === undefined) return;
    const { job, writer } = this.running;
    for (let i = 0; i < lines; i += 1) {
      const n = this.truth.lines.get(job.id) ?? 0;
      writer.line("stdout", `line ${n}`);
      this.truth.lines.set(job.id, n + 1);
    }
    writer.flush();
  }

  finish(how: "succeeded" | "failed"): void {
    if (this.running === undefined) return;
    const { job, writer } = this.running;
    writer.flush();
    this.running = undefined;
    if (how === "failed") {
      this.#journal.finished(job.id, {
        state: "failed",
        error: { code: "failed", message: "it did not work" },
      });
    } else {
      const result = { repository_id: "a".repeat(64), created: false };
      this.#journal.finished(job.id, { state: "succeeded", result });
    }
  }

  stop(): void {
    this.#end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.folder, "agent.db");
  }

  #end(): void {
    this.#link.stop();
    if (this.pipe !== undefined) this.pipe.cut = true;
    this.pipe = undefined;
    this.running = undefined;
    this.queue = [];
    this.#db.close();
  }

  #live(): [AgentFile, Outbox, Journal, AgentLink] {
    const db = openAgentDb(this.#file);
    const outbox = new Outbox(db);
    const journal = new Journal({ db, outbox, now: () => this.clock.now() });
    const link = new AgentLink({
      outbox,
      timers: {
        now: () => this.clock.now(),
        after: (ms, run) => this.clock.after(ms, run),
        random: () => 0.5,
      },
      connect: (events) => this.#connect(events),
      duties: {
        hello: () => {
          const { lowest, highest, jobs } = journal.standing();
          return {
            type: "hello",
            protocol_version: PROTOCOL_VERSION,
            machine_id: "model",
            epoch: outbox.epoch,
            outbox: { lowest, highest },
            jobs,
            config_version: 1,
          };
        },
        run: (command) => {
          const taken = journal.accept(command);
          if (taken.verdict === "new") this.queue.push(taken.job);
        },
        cancel: (id) => this.#cancel(id, journal),
        configure: () => {},
        schedule: () => {},
        browse: () => {},
        download: () => {},
        leave: () => {},
        lost: () => {},
        resync: () => journal.resync(),
        say: () => {},
      },
    });
    for (const job of journal.held()) {
      if (job.state === "accepted") this.queue.push(job);
      else {
        const error = { code: "agent_restarted" as const, message: "the agent stopped" };
        journal.finished(job.id, { state: "failed", error });
      }
    }
    link.start();
    return [db, outbox, journal, link];
  }

  #cancel(id: JobId, journal: Journal): void {
    if (this.running?.job.id === id) {
      this.running.writer.flush();
      this.running = undefined;
      journal.finished(id, { state: "cancelled" });
      return;
    }
    const index = this.queue.findIndex((job) => job.id === id);
    if (index < 0) return void journal.cancelUnknown(id);
    this.queue.splice(index, 1);
    journal.finished(id, { state: "cancelled" });
  }

  #connect(events: SocketEvents): Socket {
    const pipe: Pipe = { up: [], events, cut: false, opened: false };
    this.pipe = pipe;
    this.#onConnect(pipe);
    return {
      send(data) {
        if (pipe.cut) return false;
        pipe.up.push(data);
        return true;
      },
      drop() {
        pipe.cut = true;
      },
    };
  }
}

/** A clock for both ends, at a round instant. */
export function modelClock(): TestClock {
  return testClock(Date.UTC(2026, 0, 1));
}
