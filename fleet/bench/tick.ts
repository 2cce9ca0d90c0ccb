import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Core } from "@restic-manager/server/core";
import { sweepEnrollments } from "@restic-manager/server/enrolment/steps";
import { refreshHost } from "@restic-manager/server/hosts/refresh";
import { createAudit } from "@restic-manager/server/audit/record";
import { UPKEEP_MS, upkeepTick } from "@restic-manager/server/maintenance/tick";
import { localBus } from "@restic-manager/server/platform/bus";
import { createIds } from "@restic-manager/server/platform/ids";
import { PROTOCOL_VERSION } from "@restic-manager/protocol/version";
import { openDatabase, type OpenStore } from "@restic-manager/server/platform/db/open";
import { testClock, type TestClock } from "@restic-manager/server/testing/clock";
import type { BenchOptions } from "./bench.ts";
import { costOf, type Cost } from "./cost.ts";
import { figure, median, type Figure } from "./figure.ts";
import { fail, shippedBrooms, startCore } from "./paper-core.ts";
import { onBothStores } from "./stores.ts";
import { finishUpkeep, makeDue, storeSlots } from "./stored-upkeep.ts";
import { storeFleet, storedHostId, type FleetSize } from "./stored-fleet.ts";

const FULL: FleetSize = { hosts: 10_000, jobs: 1_000_000, lines: 10_000_000 };
const QUICK: FleetSize = { hosts: 1_000, jobs: 50_000, lines: 300_000 };
const MOST_MS = 100;
const RESEND_MS = 30_000;
const SWEEP_MS = 10_000;
const SEEN_MS = 5 * 60_000;
/** 10,000 hosts forget every night and prune and check once a week, each at a minute of its own within four hours. */
const DUE_IN_A_MINUTE = 54;

/**
 * What the server decides by itself, again and again, over all its hosts. All are connected (their sockets only take what is said),
 * and nothing is due but what always is.
 */
export async function benchTick(options: BenchOptions): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "rm-bench-tick-"));
  try {
    return await onBothStores(folder, async (kind, urlOf) => {
      const store = await openDatabase(await urlOf("tick"));
      try {
        return await measureTicks(`tick.${kind}`, store, options);
      } finally {
        await store.close();
      }
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureTicks(name: string, store: OpenStore, { quick, say }: BenchOptions): Promise<Figure[]> {
  const size = quick ? QUICK : FULL;
  const clock = testClock(Date.now());
  await storeFleet(store, size, clock.now());
  const core = startCore(store.db, clock);
  const { db } = store;
  const rounds = quick ? 3 : 9;
  const figures: Figure[] = [];
  const measure: Measure = async (what, tick, between, mayTakeLong = false) => {
    const costs: Cost[] = [];
    for (let round = 0; round < rounds; round++) {
      await between?.();
      costs.push(await costOf(tick));
    }
    const value = median(costs.map((cost) => cost.wall));
    const blocked = Math.max(...costs.map((cost) => cost.blocked));
    say(`  ${what}: ${value.toFixed(1)} ms, at most ${blocked.toFixed(1)} ms without a turn for others`);
    const most = { most: MOST_MS, of: "value" as const };
    figures.push(figure(`${name}.${what}`, { value, unit: "ms" }, mayTakeLong ? undefined : most));
    figures.push(
      figure(`${name}.${what}.blocks`, { value: blocked, unit: "ms" }, { most: MOST_MS, of: "value" }),
    );
  };
  const passes = async (ms: number) => {
    clock.jump(ms);
    await core.link.settled();
  };
  try {
    await connectAll(core, size);
    await measure(
      "silent",
      () => passes(SWEEP_MS),
      async () => speakUp(core, clock),
    );
    await measure(
      "deliver",
      () => passes(RESEND_MS),
      async () => speakUp(core, clock),
    );
    // Writes a row of every host, which is no decision.
    await measure(
      "last_seen",
      () => passes(SEEN_MS),
      async () => speakUp(core, clock),
      true,
    );
    await measure("status_of_a_hundred", () =>
      db.transaction().execute(async (trx) => {
        for (let n = 0; n < 100; n++) await refreshHost(trx, storedHostId(n));
      }),
    );
    // What looks for what may go: everything is younger than the limits, save what is always looked at.
    for (const at of shippedBrooms(db).keys()) {
      const name = shippedBrooms(db)[at]?.what.replaceAll(/[^a-z]+/g, "_");
      let broom = shippedBrooms(db)[at];
      await measure(
        `retention.${name}`,
        async () => broom?.sweep(clock.now()),
        // A new one: one that has looked rests.
        async () => void (broom = shippedBrooms(db)[at]),
      );
    }
    const bus = localBus(fail);
    await measure("enrolments", () => sweepEnrollments({ db, clock, bus }));
    await measureUpkeep(store, core, clock, measure);
    const there = core.link.hub.all().length;
    if (there !== size.hosts) throw new Error(`only ${there} of ${size.hosts} were there to the end`);
    return figures;
  } finally {
    await core.link.stop();
  }
}

type Measure = (
  what: string,
  tick: () => Promise<unknown>,
  between?: () => Promise<unknown>,
  /** Only how long it keeps others waiting is judged. */
  mayTakeLong?: boolean,
) => Promise<void>;

/** What is due in the repositories of all hosts: each is looked at within the hour, a sixtieth of them in one tick, and nothing is due. */
async function measureUpkeep(
  store: OpenStore,
  core: Core,
  clock: TestClock,
  measure: Measure,
): Promise<void> {
  const { db } = store;
  const upkeep = () =>
    upkeepTick({
      db,
      clock,
      bus: localBus(fail),
      audit: createAudit(clock, createIds(clock)),
      createJob: core.createJob,
      onError: (error) => fail(error),
    });
  await storeSlots(store, clock.now());
  // Rows for all hosts, and everybody's first look.
  for (let n = 0; n < 25; n++) {
    await upkeep();
    speakUp(core, clock);
    clock.jump(UPKEEP_MS);
  }
  await measure("upkeep", upkeep, async () => {
    speakUp(core, clock);
    clock.jump(UPKEEP_MS);
  });
  let made = 0;
  await measure(
    "upkeep_with_orders",
    async () => void (made = await upkeep()),
    async () => {
      // What the last round ordered is over, and as many more are due as in any minute of the night.
      await finishUpkeep(db, clock.now());
      speakUp(core, clock);
      clock.jump(UPKEEP_MS);
      await makeDue(db, DUE_IN_A_MINUTE, clock.now());
    },
  );
  if (made !== DUE_IN_A_MINUTE) throw new Error(`${made} jobs were ordered, not ${DUE_IN_A_MINUTE}`);
  // After a restart, or at three in the morning: as many as one tick looks at.
  const everybody = async () => {
    await db.updateTable("repo_maintenance").set({ next_look_at: 0 }).execute();
  };
  await measure("upkeep_of_all", upkeep, everybody, true);
}

async function connectAll({ link }: Core, size: FleetSize): Promise<void> {
  for (let n = 0; n < size.hosts; n++) {
    const connection = link.opened(
      storedHostId(n),
      { send: () => true, close: () => undefined },
      "192.0.2.7",
    );
    link.received(
      connection,
      JSON.stringify({
        type: "hello",
        protocol_version: PROTOCOL_VERSION,
        restic: { state: "ok", version: "0.18.0" },
        machine_id: String(n),
        epoch: "0123456789abcdef0123456789abcdef",
        outbox: { lowest: 1, highest: 0 },
        jobs: [],
        config_version: 1,
      }),
    );
    if (n % 200 === 199) await link.settled();
  }
  await link.settled();
}

/** A heartbeat of everybody, as late as the next look wants it, or they would count as gone. */
function speakUp({ link }: Core, clock: TestClock): void {
  for (const connection of link.hub.all()) {
    connection.lastFrameAt = clock.now() + SEEN_MS;
    connection.heardAt = clock.elapsed() + SEEN_MS;
  }
}
