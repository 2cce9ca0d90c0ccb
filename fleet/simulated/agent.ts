import { join } from "node:path";
import { agentCore, type AgentCore } from "@restic-manager/agent/core";
import { openAgentDb } from "@restic-manager/agent/db";
import { Journal } from "@restic-manager/agent/journal";
import type { Socket, SocketEvents } from "@restic-manager/agent/link";
import type { Log } from "@restic-manager/agent/log";
import { Meta } from "@restic-manager/agent/meta";
import { Outbox } from "@restic-manager/agent/outbox";
import { recover } from "@restic-manager/agent/recovery";
import { resticContext } from "@restic-manager/agent/restic-access";
import { systemTimers, type Timers } from "@restic-manager/agent/timers";
import { websocketConnector } from "@restic-manager/agent/websocket";
import { workOn, type WorkParts } from "@restic-manager/agent/work";
import type { AgentConfig } from "@restic-manager/protocol/config";
import type { JobId } from "@restic-manager/protocol/ids";
import { ScheduleSet } from "@restic-manager/protocol/schedule";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import { systemTimers as resticTimers } from "@restic-manager/restic/timers";
import type { Counters } from "./counters.ts";
import { floodJob, type PremadeChunk } from "./flood.ts";
import { simulatedRepository, type Identity } from "./identity.ts";
import { moment } from "./moment.ts";
import { seeded } from "./random.ts";
import { SimulatedRepository } from "./repository.ts";
import { scriptedRunners } from "./runners.ts";
import type { Script } from "./script.ts";
import { tellStory } from "./story.ts";

/** Outcomes that are remembered, a real agent's 30 days: thousands of agents share one process's memory. */
const OUTCOMES_KEPT = 5;
/** A stuck outbox is looked at again after so long, whether anything was acknowledged or not. */
const LOOK_AGAIN_MS = 250;
const PLACES = {
  cacheDir: "/nowhere",
  tmpDir: "/nowhere",
  workDir: "/nowhere",
  passthrough: {},
  timers: resticTimers,
};

/** A job that reached the point where restic would be spawned. */
export interface Spawn {
  machine: number;
  jobId: JobId;
  /** As `moment()` tells it. */
  at: number;
}

/** A set of schedules that reached its agent. */
export interface HeardSchedules {
  machine: number;
  version: number;
  /** As `moment()` tells it. */
  at: number;
}

export interface SimulatedAgentParts {
  identity: Identity;
  seed: number;
  /** `http://host:port`, without a trailing slash; asked before each connection. */
  server: () => string;
  /** Its timers are so many times as fast; 1 is the real agent. */
  haste: number;
  /** Where its state file lies; without one it lives in memory and ends with the process. */
  folder: string | undefined;
  /** Read anew for each job. */
  script: () => Script;
  chunks: () => readonly PremadeChunk[];
  counters: Counters;
  spawned: (spawn: Spawn) => void;
  /** Its agent has them and would fire by them. */
  scheduled: (heard: HeardSchedules) => void;
  /** It was welcomed, or lost its connection. */
  turned: (connected: boolean) => void;
  said: (words: string) => void;
}

/**
 * A machine that does not exist, with an agent that does: link, outbox, journal, queue and log are the agent's own, and only what
 * restic would do is told from a script.
 */
export class SimulatedAgent {
  readonly #parts: SimulatedAgentParts;
  readonly #outbox: Outbox;
  readonly #journal: Journal;
  readonly #core: AgentCore;
  readonly #repository: SimulatedRepository;
  readonly #timers: Timers;
  readonly #log: Log;
  readonly #close: () => void;
  #config: AgentConfig;
  #backups = 0;
  #connected = false;
  #heard: (() => void) | undefined;

  constructor(parts: SimulatedAgentParts) {
    const { identity, seed, folder } = parts;
    this.#parts = parts;
    this.#timers = hasty(parts.haste, seeded(seed, "patience", identity.number));
    const forget = `delete from job where state = 'finished' and position <= (select max(position) from job) - ${OUTCOMES_KEPT}`;
    const db = openAgentDb(folder === undefined ? ":memory:" : join(folder, `${identity.name}.db`));
    this.#close = () => db.close();
    this.#outbox = new Outbox(db);
    this.#journal = new Journal({ db, outbox: this.#outbox, now: this.#timers.now });
    this.#repository = new SimulatedRepository(identity, parts.script().snapshots);
    // What enrolment left behind.
    this.#config = {
      version: 1,
      host_name: identity.name,
      repository: simulatedRepository(identity),
      bandwidth: {},
    };
    const meta = new Meta(db);
    const log: Log = {
      info: () => {},
      debug: () => {},
      warn: (words) => parts.said(`${identity.name}: ${words}`),
      error: (words, fields) => {
        parts.counters.errors += 1;
        const error = fields?.["error"];
        parts.said(`${identity.name}: ${words}${error instanceof Error ? `: ${error.message}` : ""}`);
      },
      hide: () => {},
      redact: (text) => text,
    };
    this.#log = log;
    const work: WorkParts = {
      journal: this.#journal,
      timers: this.#timers,
      meta,
      log,
      access: (bandwidth) =>
        resticContext({ state: "ok", version: "0.18.0", path: "/nowhere" }, this.#config, PLACES, bandwidth),
      hostName: () => this.#config.host_name,
    };
    this.#core = agentCore({
      db,
      hostId: identity.hostId,
      timezone: () => "UTC",
      outbox: this.#outbox,
      journal: this.#journal,
      timers: this.#timers,
      log,
      connect: (events) => this.#connect(events),
      machine: () => ({
        hostname: identity.name,
        os: "linux",
        os_name: "Debian GNU/Linux 12 (bookworm)",
        arch: "x64",
        boot_id: `${identity.machineId.slice(0, 8)}-0000-0000-0000-000000000000`,
        machine_id: identity.machineId,
        restic: { state: "ok", version: "0.18.0" },
      }),
      config: {
        version: () => this.#config.version,
        adopt: (next) => void (this.#config = next),
        save: async () => {},
      },
      work: async (job, signals, say) => {
        const outcome = await this.#work(job, signals, { ...work, say });
        parts.counters[outcome.state] += 1;
        return outcome;
      },
      between: async () => {
        const { reports } = parts.script();
        db.run(forget);
        this.#journal.report(reports ? this.#repository.report(this.#timers.now()) : []);
        return "told";
      },
    });
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Durable frames that the server has not acknowledged. */
  get waiting(): number {
    return this.#outbox.highest - this.#outbox.lowest + 1;
  }

  /** Begins to work: first what an earlier life left, if it has a state file. */
  async begin(): Promise<void> {
    const parts = { journal: this.#journal, timers: resticTimers, log: this.#log, restic: () => undefined };
    this.#core.queue.open(await recover(parts));
    this.#core.scheduler.start();
  }

  connect(): void {
    this.#core.link.start();
  }

  /** Hangs up and stays away; jobs go on. */
  disconnect(): void {
    this.#core.link.stop();
    this.#look();
  }

  async stop(): Promise<void> {
    await this.#core.stop();
    this.#look();
    this.#close();
  }

  async #work(
    job: Parameters<typeof workOn>[0],
    signals: Parameters<typeof workOn>[1],
    work: Parameters<typeof workOn>[2],
  ): Promise<JobOutcome> {
    const { identity, seed, counters } = this.#parts;
    const script = this.#parts.script();
    const spawning = (): void => {
      counters.started += 1;
      this.#parts.spawned({ machine: identity.number, jobId: job.id, at: moment() });
    };
    const nextStory = () => tellStory(seed, identity.number, (this.#backups += 1), script);
    if (script.flood && job.kind === "backup") {
      spawning();
      return await floodJob(job, {
        journal: this.#journal,
        outbox: this.#outbox,
        timers: this.#timers,
        chunks: this.#parts.chunks(),
        script: this.#parts.script,
        story: tellStory(seed, identity.number, (this.#backups += 1), { ...script, lines: 0 }),
        cancel: signals.cancel,
        acknowledged: () => this.#acknowledged(),
        wrote: (lines) => void (counters.lines += lines),
      });
    }
    const runners = scriptedRunners({ identity, repository: this.#repository, nextStory, spawning });
    return await workOn(job, signals, {
      ...work,
      runners: {
        ...runners,
        backup: async (input, tools) => {
          const log: typeof tools.log = (stream, text) => {
            counters.lines += 1;
            tools.log(stream, text);
          };
          return await runners.backup(input, { ...tools, log });
        },
      },
    });
  }

  #acknowledged(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#timers.after(LOOK_AGAIN_MS, () => this.#heard?.());
      this.#heard = () => {
        this.#heard = undefined;
        cancel();
        resolve();
      };
    });
  }

  #connect(events: SocketEvents): Socket {
    const { counters, identity, server } = this.#parts;
    counters.attempts += 1;
    const socket = websocketConnector({ server: server(), bearer: identity.bearer, settings: {} })({
      opened: () => events.opened(),
      message: (data) => {
        counters.framesHeard += 1;
        events.message(data);
        this.#noteSchedules(data);
        this.#look();
        this.#heard?.();
      },
      closed: (code, reason) => {
        events.closed(code, reason);
        this.#look();
      },
    });
    return {
      send(data) {
        counters.framesSent += 1;
        counters.bytesSent += data.length;
        return socket.send(data);
      },
      drop: () => socket.drop(),
    };
  }

  #noteSchedules(data: string | Uint8Array): void {
    if (typeof data !== "string" || !data.startsWith('{"type":"schedule.set"')) return;
    const { version } = ScheduleSet.parse(JSON.parse(data));
    this.#parts.scheduled({ machine: this.#parts.identity.number, version, at: moment() });
  }

  /** Notices whether the link came or went since the last look. */
  #look(): void {
    const { connected } = this.#core.link;
    if (connected === this.#connected) return;
    this.#connected = connected;
    const { counters } = this.#parts;
    counters.connected += connected ? 1 : -1;
    if (connected) counters.welcomes += 1;
    else counters.losses += 1;
    this.#parts.turned(connected);
  }
}

function hasty(haste: number, random: () => number): Timers {
  const timers = systemTimers();
  return { now: timers.now, random, after: (ms, run) => timers.after(ms / haste, run) };
}
