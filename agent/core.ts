import type { Database } from "bun:sqlite";
import type { AgentConfig } from "@restic-manager/protocol/config";
import type { DownloadOrder } from "@restic-manager/protocol/download";
import type { TransientMessage } from "@restic-manager/protocol/messages";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import type { TreeAnswer, TreeQuestion } from "@restic-manager/protocol/tree";
import type { ResticFound } from "@restic-manager/protocol/restic-found";
import { PROTOCOL_VERSION } from "@restic-manager/protocol/version";
import type { DownloadParts } from "./download/downloads.ts";
import type { HeldJob, Journal } from "./journal.ts";
import { ScheduleBook } from "./schedules/book.ts";
import { Scheduler } from "./schedules/scheduler.ts";
import { Link, type Socket, type SocketEvents } from "./link.ts";
import type { Log } from "./log.ts";
import type { Outbox } from "./outbox.ts";
import { Queue } from "./queue.ts";
import type { Sysinfo } from "./sysinfo.ts";
import type { Timers } from "./timers.ts";
import { agentVersion } from "./version.ts";

/** How often a disk without any room is tried again. */
const ROOM_MS = 2_000;

/** What the agent's own rules stand on: a real agent's restic and files, or those of a simulated one. */
export interface CoreParts {
  db: Database;
  hostId: string;
  /** The name of the machine's own time zone. */
  timezone: () => string;
  outbox: Outbox;
  journal: Journal;
  timers: Timers;
  log: Pick<Log, "info" | "warn" | "error">;
  connect: (events: SocketEvents) => Socket;
  /** What `hello` says of the machine; asked anew for each. */
  machine: () => Sysinfo & { restic: ResticFound };
  config: {
    /** Version of the configuration at hand; 0 for none. */
    version: () => number;
    /** Works with `next` from now on. */
    adopt: (next: AgentConfig) => void;
    /** Resolves when `next` would survive a restart; never called twice at once. */
    save: (next: AgentConfig) => Promise<void>;
  };
  /** Does one job, which was marked as started before. `say` sends what may be lost. */
  work: (
    job: HeldJob,
    signals: { cancel: AbortSignal; kill: AbortSignal },
    say: (message: TransientMessage) => void,
  ) => Promise<JobOutcome>;
  /** Tells the server what the repository holds, between two jobs. */
  between: (cancel: AbortSignal) => Promise<"told" | "later">;
  /** Answers questions about snapshots; without it they are refused. */
  browse?: {
    ask: (question: TreeQuestion) => Promise<TreeAnswer>;
    leave: (requestId: string) => void;
    /** Nobody waits for any answer. */
    leaveAll: () => void;
    stop: () => Promise<void>;
  };
  /** Sends files of snapshots to browsers; without it that is refused. */
  downloads?: (out: Pick<DownloadParts, "send" | "say">) => {
    take: (order: DownloadOrder) => void;
    leaveAll: () => void;
    stop: () => Promise<void>;
  };
  /** Nothing is left to do. */
  onIdle?: () => void;
}

/** The link, the queue and the scheduler of one agent, wired to each other. */
export interface AgentCore {
  /** Start it to connect. */
  link: Link;
  /** Open it to work. */
  queue: Queue;
  /** Start it when the queue is open: what is due is fired at once. */
  scheduler: Scheduler;
  /** Interrupts what runs, disconnects, and resolves when the configuration is saved. */
  stop: () => Promise<void>;
}

/** Puts an agent together: what the server says goes to the journal and the queue, what they write goes to the server. */
export function agentCore(parts: CoreParts): AgentCore {
  const { outbox, journal, timers, log, config } = parts;
  const say = (message: TransientMessage): void => link.say(message);
  const queue: Queue = new Queue({
    journal,
    work: (job, signals) => parts.work(job, signals, say),
    between: parts.between,
    onError: (error, doing) => log.error(`could not ${doing}`, { error: toError(error) }),
    ...(parts.onIdle === undefined ? {} : { onIdle: parts.onIdle }),
    onFinished: () => scheduler.refresh(),
    timers,
    room: () => new Promise((resolve) => void timers.after(ROOM_MS, () => resolve())),
  });
  const book = new ScheduleBook({ db: parts.db, journal, now: timers.now });
  const scheduler = new Scheduler({
    book,
    timers,
    hostId: parts.hostId,
    timezone: parts.timezone,
    start: (jobs) => jobs.forEach((job) => queue.add(job)),
    onError: (error, doing) => log.error(`could not ${doing}`, { error: toError(error) }),
    say: (text) => log.info(text),
  });
  // What the server asks and the disk has no room for must not end the agent: it is asked again.
  const guarded = (doing: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      log.error(`could not ${doing}`, { error: toError(error) });
    }
  };
  const downloads = parts.downloads?.({ send: (frame) => link.sendBytes(frame), say });
  let saving = Promise.resolve();
  const link: Link = new Link({
    outbox,
    timers,
    connect: parts.connect,
    duties: {
      hello: () => {
        const { lowest, highest, jobs } = journal.standing();
        return {
          type: "hello",
          protocol_version: PROTOCOL_VERSION,
          agent_version: agentVersion(),
          ...parts.machine(),
          clock: timers.now(),
          epoch: outbox.epoch,
          outbox: { lowest, highest },
          jobs,
          config_version: config.version(),
          schedule_version: book.version,
          timezone: parts.timezone(),
        };
      },
      run: (command) =>
        guarded(`take job ${command.job_id}`, () => {
          const taken = journal.accept(command);
          if (taken.verdict === "new") queue.add(taken.job);
        }),
      cancel: (jobId, now) =>
        guarded(`cancel job ${jobId}`, () => {
          if (!queue.cancel(jobId, now)) journal.cancelUnknown(jobId);
        }),
      configure(newest) {
        config.adopt(newest);
        // One after the other, so that the newest is what stays; applied is only what would survive a restart.
        saving = saving
          .then(() => config.save(newest))
          .then(() => link.say({ type: "config.applied", version: newest.version }))
          .catch((error: unknown) =>
            log.error("could not save the configuration", { error: toError(error) }),
          );
      },
      schedule: (set) =>
        guarded("take new schedules", () => {
          scheduler.adopt(set);
          // Nothing may be there to run; then the agent makes itself small again.
          queue.wake();
          link.say({ type: "schedule.ack", version: set.version });
        }),
      browse(question) {
        answer(parts.browse, question).then(say, (error: unknown) =>
          log.error("could not look into a snapshot", { error: toError(error) }),
        );
      },
      download(order) {
        if (downloads !== undefined) return downloads.take(order);
        const error = { code: "failed" as const, message: "This agent cannot send files." };
        if (order.type === "download.open")
          say({ type: "download.failed", request_id: order.request_id, error });
      },
      leave: (requestId) => parts.browse?.leave(requestId),
      lost() {
        parts.browse?.leaveAll();
        downloads?.leaveAll();
      },
      resync() {
        journal.resync();
        queue.wake();
      },
      say: (level, text) => log[level](text),
    },
  });
  return {
    link,
    queue,
    scheduler,
    async stop() {
      scheduler.stop();
      await queue.stop();
      await parts.browse?.stop();
      await downloads?.stop();
      link.stop();
      await saving;
    },
  };
}

async function answer(browse: CoreParts["browse"], question: TreeQuestion): Promise<TreeAnswer> {
  if (browse !== undefined) return await browse.ask(question);
  const error = { code: "failed" as const, message: "This agent cannot look into snapshots." };
  return { type: "tree.failed", request_id: question.request_id, error };
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error("unknown error");
}
