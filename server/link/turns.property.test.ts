import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { Epoch, type HostId, type JobId } from "@restic-manager/protocol/ids";
import { EXCLUSIVE_KINDS } from "@restic-manager/protocol/jobs/exclusive";
import { cancelUnsent, setAccepted, setFinished } from "../jobs/store.ts";
import type { Database } from "../platform/db/schema.ts";
import { EPOCH } from "../testing/link.ts";
import { addHost, addJob, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { takeDeliverable } from "./store.ts";
import { claimTurns } from "./turns.ts";

setDefaultTimeout(240_000);

const SECOND = 1_000;
const AWAY_MS = 15 * 60 * SECOND;
/** Three share the first repository. */
const REPOSITORY_OF = [0, 0, 0, 1];
const HOSTS = REPOSITORY_OF.length;
const REPOSITORIES = ["a".repeat(64), "b".repeat(64)];
const NODES = ["one", "two"] as const;

type Step =
  | { do: "order"; host: number; kind: number }
  /** A server takes the turns for all hosts that are connected to it. */
  | { do: "claim"; node: number }
  /** A server delivers to all of them and hears of it, without anything between. */
  | { do: "deliver"; node: number }
  /** Jobs of a host are marked as sent, and are on their way. `resend`: also what was sent a moment ago. */
  | { do: "send"; host: number; resend: boolean }
  /** What is on its way arrives, and the server hears of it. */
  | { do: "accept"; host: number }
  | { do: "end"; host: number }
  | { do: "cancel"; host: number }
  /** The link breaks. `arrived`: what was on its way had arrived, and the server did not hear of it. */
  | { do: "leave"; host: number; arrived: boolean }
  | { do: "come"; host: number; node: number }
  | { do: "remove"; host: number }
  | { do: "wait"; ms: number };

const host = fc.nat(HOSTS - 1);
const node = fc.nat(NODES.length - 1);
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant("order" as const), host, kind: fc.nat(9) }) },
    { weight: 14, arbitrary: fc.record({ do: fc.constant("claim" as const), node }) },
    { weight: 12, arbitrary: fc.record({ do: fc.constant("deliver" as const), node }) },
    { weight: 16, arbitrary: fc.record({ do: fc.constant("send" as const), host, resend: fc.boolean() }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant("accept" as const), host }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant("end" as const), host }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("cancel" as const), host }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("leave" as const), host, arrived: fc.boolean() }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("come" as const), host, node }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), host }) },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant("wait" as const),
        ms: fc.constantFrom(SECOND, 31 * SECOND, 61 * SECOND, AWAY_MS + SECOND),
      }),
    },
  ),
  { minLength: 20, maxLength: 120, size: "max" },
);

/** A machine as it really is; the store knows what it was told. */
interface Machine {
  id: HostId;
  repository: string;
  /** Undefined while it is away. */
  at: { node: string; connection: number } | undefined;
  lastSeen: number;
  removed: boolean;
  /** Sent, not arrived. */
  wire: Set<JobId>;
  /** Taken and not over. */
  held: Set<JobId>;
}

/** Two servers, four machines, two repositories; each step does to the real store what the link would. */
class World {
  readonly #db: Database;
  readonly machines: Machine[];
  /** Sent, not taken as far as the servers know, and without the turn: its machine was away too long. */
  readonly #lost = new Set<JobId>();
  /** Whose machine was away too long when another got the turn: that one does not wait for it, also when it comes back. */
  readonly #passedOver = new Map<JobId, Set<JobId>>();
  #now = NOON;
  #connections = 0;

  static async make(db: Database): Promise<World> {
    const machines: Machine[] = [];
    for (let n = 0; n < HOSTS; n += 1) {
      const repository = REPOSITORIES[REPOSITORY_OF[n] ?? 0] ?? "";
      const id = await addHost(db, { repository_id: repository, online: 0 });
      machines.push({
        id,
        repository,
        at: undefined,
        lastSeen: NOON,
        removed: false,
        wire: new Set(),
        held: new Set(),
      });
    }
    const world = new World(db, machines);
    for (const [n, machine] of machines.entries())
      await world.come(machine, NODES[n % NODES.length] ?? "one");
    return world;
  }

  private constructor(db: Database, machines: Machine[]) {
    this.#db = db;
    this.machines = machines;
  }

  async clear(): Promise<void> {
    await this.#db.deleteFrom("repository_turns").execute();
    await this.#db.deleteFrom("jobs").execute();
    await this.#db.deleteFrom("hosts").execute();
  }

  async step(step: Step): Promise<void> {
    if (step.do === "wait") return void (this.#now += step.ms);
    if (step.do === "claim") return await this.claim(NODES[step.node] ?? "one");
    if (step.do === "deliver") return await this.deliver(NODES[step.node] ?? "one");
    const machine = this.machines[step.host];
    if (machine === undefined || machine.removed) return;
    switch (step.do) {
      case "order": {
        const kind = EXCLUSIVE_KINDS[step.kind % EXCLUSIVE_KINDS.length];
        await addJob(this.#db, machine.id, "queued", { kind: kind ?? "prune", created_at: this.#now });
        return;
      }
      case "send":
        return await this.send(machine, step.resend);
      case "accept":
        return await this.accept(machine);
      case "end":
        return await this.end(machine);
      case "cancel": {
        const waiting = (await this.#active()).find(
          (job) => job.host_id === machine.id && job.sent_at === null,
        );
        if (waiting !== undefined)
          await this.#db.transaction().execute((trx) => cancelUnsent(trx, waiting.id, this.#now));
        return;
      }
      case "leave":
        if (machine.at === undefined) return;
        machine.at = undefined;
        machine.lastSeen = this.#now;
        if (step.arrived) for (const id of machine.wire) machine.held.add(id);
        machine.wire.clear();
        await this.#write(machine);
        return;
      case "come":
        return await this.come(machine, NODES[step.node] ?? "one");
      case "remove":
        machine.removed = true;
        machine.at = undefined;
        await this.#db.deleteFrom("hosts").where("id", "=", machine.id).execute();
    }
  }

  /** Everybody comes back and works as it should: so many rounds, and everything is over. */
  async settle(): Promise<void> {
    const present = this.machines.filter((machine) => !machine.removed);
    for (const machine of present) if (machine.at === undefined) await this.come(machine, "one");
    const rounds = (await this.#active()).length + 3;
    for (let round = 0; round < rounds; round += 1) {
      this.#now += 61 * SECOND;
      for (const name of NODES) await this.claim(name);
      for (const machine of present) {
        await this.send(machine, false);
        await this.accept(machine);
        while (machine.held.size > 0) await this.end(machine);
      }
    }
    expect(await this.#active()).toEqual([]);
  }

  async deliver(name: string): Promise<void> {
    await this.claim(name);
    for (const machine of this.machines.filter(({ at }) => at?.node === name)) {
      await this.send(machine, false);
      await this.accept(machine);
    }
  }

  async claim(name: string): Promise<void> {
    const before = await this.#turns();
    const active = await this.#active();
    const connected = this.machines.filter((machine) => machine.at?.node === name);
    await claimTurns(
      this.#db,
      connected.map((machine) => machine.id),
      this.#now,
    );
    const after = await this.#turns();
    for (const [repository, former] of before) {
      const held = active.find((job) => job.id === former);
      if (held === undefined || after.get(repository) === former) continue;
      const machine = this.#machineOf(held.host_id);
      // Nobody who is there loses a turn, and nobody who has begun while it may still be at work.
      expect({ former, there: machine.at !== undefined }).toEqual({ former, there: false });
      if (held.sent_at !== null) expect(this.#seen(machine)).toBe(false);
      if (held.sent_at !== null && held.accepted_at === null) this.#lost.add(former);
    }
    for (const [repository, id] of after) {
      this.#lost.delete(id);
      if (before.get(repository) === id) continue;
      const away = active.filter((job) => {
        const machine = this.#machineOf(job.host_id);
        return machine.repository === repository && job.sent_at !== null && !this.#seen(machine);
      });
      this.#passedOver.set(id, new Set(away.map((job) => job.id)));
    }
  }

  async send(machine: Machine, resend: boolean): Promise<void> {
    if (machine.at === undefined) return;
    const link = { ...machine.at, epoch: Epoch.parse(EPOCH) };
    const times = { now: this.#now, resendBefore: resend ? this.#now : this.#now - 30 * SECOND };
    for (const { id } of await takeDeliverable(this.#db, machine.id, link, times)) {
      await this.#alone(id, machine.repository);
      machine.wire.add(id);
    }
  }

  async accept(machine: Machine): Promise<void> {
    if (machine.at === undefined) return;
    for (const id of machine.wire) machine.held.add(id);
    machine.wire.clear();
    await this.#tellHeld(machine);
  }

  async end(machine: Machine): Promise<void> {
    const [id] = machine.held;
    if (machine.at === undefined || id === undefined) return;
    machine.held.delete(id);
    await this.#db.transaction().execute((trx) =>
      setFinished(trx, id, this.#now, {
        state: "succeeded",
        started_at: this.#now,
        result: "{}",
        issue_count: 0,
      }),
    );
  }

  async come(machine: Machine, name: string): Promise<void> {
    machine.wire.clear();
    machine.at = { node: name, connection: (this.#connections += 1) };
    await this.#write(machine);
    await this.#tellHeld(machine);
  }

  /** When a job is sent, nobody else is at work on its repository who is there or was a moment ago. */
  async #alone(id: JobId, repository: string): Promise<void> {
    const others = (await this.#active()).filter((job) => {
      const machine = this.#machineOf(job.host_id);
      if (job.id === id || job.sent_at === null || machine.repository !== repository) return false;
      if (this.#passedOver.get(id)?.has(job.id) === true) return false;
      return this.#seen(machine) && !(job.accepted_at === null && this.#lost.has(job.id));
    });
    expect(others).toEqual([]);
  }

  async #tellHeld(machine: Machine): Promise<void> {
    for (const id of machine.held)
      await this.#db.transaction().execute((trx) => setAccepted(trx, id, this.#now));
  }

  async #write({ id, at, lastSeen }: Machine): Promise<void> {
    await this.#db
      .updateTable("hosts")
      .set(
        at === undefined
          ? { online: 0, last_seen_at: lastSeen }
          : { online: 1, last_seen_at: this.#now, link_node: at.node, link_connection: at.connection },
      )
      .where("id", "=", id)
      .execute();
  }

  #seen(machine: Machine): boolean {
    return machine.at !== undefined || machine.lastSeen > this.#now - AWAY_MS;
  }

  #machineOf(id: HostId): Machine {
    const found = this.machines.find((machine) => machine.id === id);
    if (found === undefined) throw new Error("a job of nobody's");
    return found;
  }

  async #turns(): Promise<Map<string, JobId>> {
    const rows = await this.#db.selectFrom("repository_turns").selectAll().execute();
    return new Map(rows.map((row) => [row.repository, row.job_id]));
  }

  async #active() {
    return await this.#db
      .selectFrom("jobs")
      .select(["id", "host_id", "state", "sent_at", "accepted_at"])
      .where("finished_at", "is", null)
      .orderBy("id")
      .execute();
  }
}

onEveryStore("turns on shared repositories", (open, kind) => {
  test("are one at a time among all who are there, and nobody waits for ever, in whatever order things happen", async () => {
    const db = await open();
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const world = await World.make(db);
        try {
          for (const step of all) await world.step(step);
          await world.settle();
        } finally {
          await world.clear();
        }
      }),
      { numRuns: kind === "sqlite" ? 150 : 15, seed: 4_711 },
    );
  });

  test("go to one of many that ask at the same moment, at two servers", async () => {
    const db = await open();
    const repository_id = REPOSITORIES[0];
    const hosts: { id: HostId; node: string }[] = [];
    for (let n = 0; n < 8; n += 1) {
      const name = NODES[n % NODES.length] ?? "one";
      const id = await addHost(db, { repository_id, link_node: name, link_connection: n });
      await addJob(db, id, "queued", { kind: "prune" });
      hosts.push({ id, node: name });
    }
    const work = async (name: string, now: number) => {
      const mine = hosts.filter((one) => one.node === name);
      await claimTurns(
        db,
        mine.map((one) => one.id),
        now,
      );
      const sent: JobId[] = [];
      for (const { id } of mine) {
        const link = {
          node: name,
          connection: hosts.findIndex((one) => one.id === id),
          epoch: Epoch.parse(EPOCH),
        };
        for (const job of await takeDeliverable(db, id, link, { now, resendBefore: now - 30 * SECOND }))
          sent.push(job.id);
      }
      return sent;
    };
    for (let round = 0; round < hosts.length; round += 1) {
      const now = NOON + round * SECOND;
      const sent = (await Promise.all(NODES.map((name) => work(name, now)))).flat();
      expect(sent).toHaveLength(1);
      const [id] = sent;
      if (id === undefined) return;
      await db.transaction().execute((trx) => setAccepted(trx, id, now));
      // While it works nobody else gets one.
      expect((await Promise.all(NODES.map((name) => work(name, now)))).flat()).toEqual([]);
      const ending = { state: "succeeded" as const, started_at: now, result: "{}", issue_count: 0 };
      await db.transaction().execute((trx) => setFinished(trx, id, now, ending));
    }
  });
});
