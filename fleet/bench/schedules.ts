import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PausedHosts, Schedule } from "@restic-manager/protocol/api/schedules";
import { ScheduleId } from "@restic-manager/protocol/ids";
import type { Database } from "@restic-manager/server/platform/db/schema";
import { openDatabase } from "@restic-manager/server/platform/db/open";
import { scheduleLoad } from "@restic-manager/server/schedules/load";
import { templateHosts, viewTemplates } from "@restic-manager/server/templates/following";
import { startAgents, type Agents } from "../agents.ts";
import { FleetServer } from "../fleet-server.ts";
import { identityOf } from "../simulated/identity.ts";
import { moment } from "../simulated/moment.ts";
import { seeded } from "../simulated/random.ts";
import { INSTANT } from "../simulated/script.ts";
import { inBenchFolder } from "./bench-folder.ts";
import type { BenchOptions } from "./bench.ts";
import { costOf } from "./cost.ts";
import { figure, median, p99Of, type Figure } from "./figure.ts";
import { onBothStores } from "./stores.ts";
import { storePolicies, TEMPLATE } from "./stored-policies.ts";

const AGENTS = 10_000;
const CHANGES = 300;
const SEED = 11;
const PATIENCE_MS = 60_000;
const LOOK_MS = 25;
/** A change comes no closer to the last than this, so that each finds the server at rest. */
const PACE_MS = 12;
const SETTLE_MS = 1_000;
/** A page that compares the whole fleet may take so long, and nobody else waits longer for a turn than `MOST_BLOCKED_MS`. */
const MOST_PAGE_MS = 1_000;
const MOST_BLOCKED_MS = 100;
/** Fires on no day of the measurement. */
const SELDOM = "0 3 29 2 *";

/** A schedule of that machine; each has one. */
const scheduleOf = (machine: number): ScheduleId =>
  ScheduleId.parse(`01JDS${String(machine).padStart(21, "0")}`);

/**
 * Schedules of a whole fleet: how long a change takes to its agent while 10,000 are connected, and what the pages cost that look at
 * the schedules of everybody.
 */
export async function benchSchedules(options: BenchOptions): Promise<Figure[]> {
  return [...(await changes(options)), ...(await pages(options))];
}

async function changes({ quick, say }: BenchOptions): Promise<Figure[]> {
  const count = quick ? AGENTS / 5 : AGENTS;
  const requests = quick ? CHANGES / 5 : CHANGES;
  return await inBenchFolder(async (folder) => {
    const server = await FleetServer.start({
      folder: join(folder, "server"),
      hosts: count,
      seed: SEED,
      more: (db) => addSchedules(db, count),
    });
    const agents = await startAgents({ port: server.port, count, seed: SEED, script: INSTANT, processes: 2 });
    try {
      await agents.connect({ withinMs: PATIENCE_MS });
      await Bun.sleep(SETTLE_MS);
      const each = await changeOneByOne(server, agents, picks(count, requests));
      const all = await pauseAll(server, agents, count);
      say(
        `  a change reaches its agent: p50 ${median(each).toFixed(1)} ms, p99 ${p99Of(each).toFixed(1)} ms; ` +
          `one that concerns all ${count} has reached them in ${all.toFixed(2)} s`,
      );
      return [
        figure("schedules.change_to_agent.p50", { value: median(each), unit: "ms" }),
        figure(
          "schedules.change_to_agent.p99",
          { value: p99Of(each), unit: "ms" },
          { most: 1_000, of: "value" },
        ),
        figure("schedules.change_of_all", { value: all, unit: "s" }),
      ];
    } finally {
      await agents.kill();
      await server.stop();
    }
  });
}

async function addSchedules(db: Database, count: number): Promise<void> {
  const now = Date.now();
  for (let from = 0; from < count; from += 500) {
    const some = Array.from({ length: Math.min(500, count - from) }, (_, at) => identityOf(SEED, from + at));
    await db
      .insertInto("schedules")
      .values(
        some.map(({ number, hostId }) => ({
          id: scheduleOf(number),
          host_id: hostId,
          cron: SELDOM,
          timezone: "UTC",
          enabled: 1,
          spread_seconds: 0,
          created_at: now,
          counts_from: now,
        })),
      )
      .execute();
    await db
      .insertInto("schedule_groups")
      .values(
        some.map(({ number, groupId }) => ({
          schedule_id: scheduleOf(number),
          source_group_id: groupId,
          position: 0,
        })),
      )
      .execute();
  }
}

/** Milliseconds from each request to the moment when that machine's agent has what it asked for. */
async function changeOneByOne(
  server: FleetServer,
  agents: Agents,
  machines: readonly number[],
): Promise<number[]> {
  await agents.schedules();
  const began = new Map<number, number>();
  for (const machine of machines) {
    const { hostId, groupId } = identityOf(SEED, machine);
    const at = moment();
    began.set(machine, at);
    const body = { cron: SELDOM, timezone: "UTC", spread_seconds: 60, source_group_ids: [groupId] };
    const path = `/api/hosts/${hostId}/schedules/${scheduleOf(machine)}`;
    await server.call(path, Schedule, { method: "PUT", body });
    await Bun.sleep(Math.max(0, at + PACE_MS - moment()));
  }
  const arrived = await heardBy(agents, machines.length);
  return machines.map((machine) => (arrived.get(machine) ?? Number.NaN) - (began.get(machine) ?? Number.NaN));
}

/** Seconds from one request that puts all hosts into maintenance mode until the last agent has heard of it. */
async function pauseAll(server: FleetServer, agents: Agents, count: number): Promise<number> {
  const host_ids = Array.from({ length: count }, (_, machine) => identityOf(SEED, machine).hostId);
  const began = moment();
  const answer = server.call("/api/pauses", PausedHosts, {
    method: "POST",
    body: { host_ids, reason: "measured" },
  });
  const arrived = await heardBy(agents, count);
  const refused = (await answer).items.filter(({ outcome }) => outcome === "refused").length;
  if (refused > 0) throw new Error(`${refused} of ${count} hosts were refused`);
  return (Math.max(...arrived.values()) - began) / 1_000;
}

/** When each of so many machines heard of new schedules. */
async function heardBy(agents: Agents, machines: number): Promise<Map<number, number>> {
  const arrived = new Map<number, number>();
  const late = moment() + PATIENCE_MS;
  for (;;) {
    for (const { machine, at } of await agents.schedules()) arrived.set(machine, at);
    if (arrived.size >= machines) return arrived;
    if (moment() > late) throw new Error(`${machines - arrived.size} of ${machines} agents heard nothing`);
    await Bun.sleep(LOOK_MS);
  }
}

/** Different machines. */
function picks(count: number, requests: number): number[] {
  const random = seeded(SEED, "picks", 0);
  const found = new Set<number>();
  while (found.size < requests) found.add(Math.floor(random() * count));
  return [...found];
}

/** What looks at the schedules and groups of everybody, in this process. */
async function pages({ quick, say }: BenchOptions): Promise<Figure[]> {
  const hosts = quick ? AGENTS / 10 : AGENTS;
  const folder = mkdtempSync(join(tmpdir(), "rm-bench-schedules-"));
  try {
    return await onBothStores(folder, async (kind, urlOf) => {
      const store = await openDatabase(await urlOf("schedules"));
      try {
        const { db } = store;
        await storePolicies(store, hosts);
        const figures: Figure[] = [];
        for (const [what, work] of [
          ["load_over_a_day", () => scheduleLoad(db, Date.now())],
          ["templates_with_drift", () => viewTemplates(db)],
          ["hosts_of_a_template", () => templateHosts(db, TEMPLATE)],
        ] as const) {
          const costs = [];
          for (let round = 0; round < (quick ? 3 : 7); round += 1) costs.push(await costOf(work));
          const value = median(costs.map(({ wall }) => wall));
          const blocked = Math.max(...costs.map((cost) => cost.blocked));
          say(
            `  ${kind} ${what}: ${value.toFixed(1)} ms, at most ${blocked.toFixed(1)} ms without a turn for others`,
          );
          const name = `schedules.${kind}.${what}`;
          figures.push(figure(name, { value, unit: "ms" }, { most: MOST_PAGE_MS, of: "value" }));
          figures.push(
            figure(`${name}.blocks`, { value: blocked, unit: "ms" }, { most: MOST_BLOCKED_MS, of: "value" }),
          );
        }
        return figures;
      } finally {
        await store.close();
      }
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
