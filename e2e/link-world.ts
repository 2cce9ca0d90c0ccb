import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { Epoch, HostId, JobId } from "@restic-manager/protocol/ids";
import { refreshHost } from "@restic-manager/server/hosts/refresh";
import { createJob, jobIds } from "@restic-manager/server/jobs/create";
import { cancelUnsent, setCancelRequested } from "@restic-manager/server/jobs/store";
import { finishLost } from "@restic-manager/server/jobs/record";
import type { Connection } from "@restic-manager/server/link/connection";
import { Link } from "@restic-manager/server/link/link";
import { localBus, type Bus } from "@restic-manager/server/platform/bus";
import { openDatabase, type OpenStore } from "@restic-manager/server/platform/db/open";
import { recordLogs } from "@restic-manager/server/jobs/record-logs";
import { receiveDurable } from "@restic-manager/server/reception";
import { ModelAgent, modelClock, type Pipe } from "./link-model.ts";

export const HOST = HostId.parse("01JD0000000000000000000000");

/**
 * Both ends of the link with their real rules and real stores, and a network between them that delivers, repeats, stalls and breaks as
 * the test says.
 */
export class World {
  readonly clock = modelClock();
  readonly agent: ModelAgent;
  readonly jobs: JobId[] = [];
  /** The machine lost its memory at least once: then a job may end as `agent_state_lost`, and its log may be cut. */
  memoryLost = false;
  readonly errors: unknown[] = [];
  readonly #url: string;
  readonly #folder: string;
  readonly #nextId = jobIds(this.clock);
  #store: OpenStore;
  #bus: Bus;
  #link: Link;
  #ends = new Map<Pipe, { connection: Connection; down: string[] }>();

  static async open(template: string): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), "rm-world-"));
    copyFileSync(template, join(folder, "server.db"));
    const store = await openDatabase(`sqlite:${join(folder, "server.db")}`);
    return new World(folder, store);
  }

  private constructor(folder: string, store: OpenStore) {
    this.#folder = folder;
    this.#url = `sqlite:${join(folder, "server.db")}`;
    this.#store = store;
    [this.#bus, this.#link] = this.#serve();
    this.agent = new ModelAgent(this.clock, () => {});
  }

  get db(): OpenStore["db"] {
    return this.#store.db;
  }

  async close(): Promise<void> {
    this.agent.stop();
    await this.#link.stop();
    await this.#store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async createJob(): Promise<void> {
    const actor = { kind: "system" as const, id: null, name: "test" };
    const parts = { clock: this.clock, nextId: this.#nextId };
    const job = await this.db
      .transaction()
      .execute((trx) => createJob(trx, parts, { kind: "init", input: {}, hostId: HOST, actor }));
    this.jobs.push(job.id);
    this.#bus.publish("job.queued", { jobId: job.id, hostId: HOST });
    await this.#link.settled();
  }

  async cancelJob(index: number): Promise<void> {
    const id = this.jobs[index % Math.max(1, this.jobs.length)];
    if (id === undefined) return;
    const asked = await this.db.transaction().execute(async (trx) => {
      if (await cancelUnsent(trx, id, this.clock.now())) return false;
      await setCancelRequested(trx, id, this.clock.now());
      return true;
    });
    if (asked) this.#bus.publish("job.cancel", { jobId: id, hostId: HOST, now: false });
  }

  /** Opens the agent's pipe when it waits to be opened, as a listening server would. */
  async answer(): Promise<void> {
    const { pipe } = this.agent;
    if (pipe === undefined || pipe.cut || pipe.opened) return;
    pipe.opened = true;
    const down: string[] = [];
    const socket = {
      send: (data: string) => {
        if (pipe.cut) return false;
        down.push(data);
        return true;
      },
      close: (code: number, reason: string) => {
        if (pipe.cut) return;
        pipe.cut = true;
        pipe.events.closed(code, reason);
      },
    };
    this.#ends.set(pipe, { connection: this.#link.opened(HOST, socket, null), down });
    pipe.events.opened();
    await this.#link.settled();
  }

  /** Brings `count` frames to the server. `twice`: the last one arrives again. */
  async up(count: number, twice = false): Promise<void> {
    const { pipe } = this.agent;
    const end = pipe === undefined ? undefined : this.#ends.get(pipe);
    if (pipe === undefined || end === undefined) return;
    const frames = pipe.up.splice(0, count);
    for (const frame of frames) this.#link.received(end.connection, frame);
    const last = frames.at(-1);
    if (twice && last !== undefined) this.#link.received(end.connection, last);
    await this.#link.settled();
  }

  /** Brings `count` frames to the agent. `twice`: the last command arrives again. */
  async down(count: number, twice = false): Promise<void> {
    const { pipe } = this.agent;
    const end = pipe === undefined ? undefined : this.#ends.get(pipe);
    if (pipe === undefined || end === undefined) return;
    for (const frame of end.down.splice(0, count)) {
      if (pipe.cut) return;
      pipe.events.message(frame);
      if (twice && frame.includes("command.run") && !pipe.cut) pipe.events.message(frame);
    }
    await this.#link.settled();
  }

  /** Connects if need be, and delivers everything that is under way in both directions. */
  async talk(): Promise<void> {
    if (this.agent.pipe?.cut !== false) await this.pass(61_000);
    await this.answer();
    await this.up(1_000);
    await this.down(1_000);
  }

  /** The network breaks: what is under way is lost, both ends notice. */
  async cut(): Promise<void> {
    const { pipe } = this.agent;
    if (pipe === undefined || pipe.cut) return;
    pipe.cut = true;
    pipe.events.closed(1006, "cut");
    const end = this.#ends.get(pipe);
    if (end !== undefined) await this.#link.closed(end.connection);
    this.#ends.delete(pipe);
  }

  /** kill -9 of the server and a new start: only the file is left. */
  async crashServer(): Promise<void> {
    await this.cut();
    for (const pipe of this.#ends.keys()) pipe.cut = true;
    this.#ends.clear();
    await this.#link.stop();
    await this.#store.close();
    this.#store = await openDatabase(this.#url);
    [this.#bus, this.#link] = this.#serve();
  }

  async crashAgent(): Promise<void> {
    await this.cut();
    this.agent.crash();
  }

  async rewindAgent(): Promise<void> {
    await this.cut();
    this.agent.goBack();
    this.memoryLost = true;
  }

  /** Lets time pass; a link that waits tries again. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.#link.settled();
  }

  /** Everything works again, and goes on until nothing is left to do. */
  async calm(): Promise<void> {
    for (let round = 0; round < 400; round += 1) {
      await this.pass(this.agent.pipe?.cut === false ? 20 : 61_000);
      await this.answer();
      await this.up(1_000);
      await this.down(1_000);
      this.agent.begin();
      this.agent.finish("succeeded");
      const { pipe } = this.agent;
      const quiet =
        pipe !== undefined && pipe.up.length === 0 && (this.#ends.get(pipe)?.down.length ?? 1) === 0;
      const idle = this.agent.running === undefined && this.agent.queue.length === 0;
      if (round > 3 && quiet && idle && this.agent.outbox.lowest > this.agent.outbox.highest) {
        await this.pass(31_000);
        if ((this.#ends.get(pipe)?.down.length ?? 1) === 0 && pipe.up.length <= 1) return;
      }
    }
    throw new Error("the two ends never came to rest");
  }

  #serve(): [Bus, Link] {
    const bus = localBus((error) => this.errors.push(error));
    const link = new Link({
      db: this.#store.db,
      clock: this.clock,
      bus,
      publicAddress: async () => "http://test",
      apply: receiveDurable,
      applyLogs: recordLogs,
      refreshHosts: async (trx, ids) => {
        for (const id of ids) await refreshHost(trx, id);
      },
      finishLost: async (trx, lost, touched) => {
        await finishLost(trx, lost, this.clock.now(), touched);
      },
      configFor: async () => undefined,
      adminFor: async () => undefined,
      schedulesFor: async () => undefined,
      progress: () => {},
      arrived: async () => {},
      isStoreTrouble: () => false,
      onError: (error) => this.errors.push(error),
    });
    link.start();
    return [bus, link];
  }
}

/** A server's file with its tables and one host, to be copied for each run. */
export async function worldTemplate(folder: string): Promise<string> {
  const file = join(folder, "template.db");
  const store = await openDatabase(`sqlite:${file}`);
  await store.db
    .insertInto("hosts")
    .values({
      id: HOST,
      name: "model",
      name_key: "model",
      bearer_hash: "x",
      created_at: 0,
      os: "linux",
      os_name: "",
      arch: "",
    })
    .execute();
  await store.db
    .insertInto("link_epochs")
    .values({ host_id: HOST, epoch: Epoch.parse("0".repeat(32)), last_seq: 0, started_at: 0 })
    .execute();
  // The file alone is copied, so all of it must be in there.
  await sql`pragma wal_checkpoint(truncate)`.execute(store.db);
  await store.close();
  return file;
}
