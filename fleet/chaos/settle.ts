import { FleetSummary } from "@restic-manager/protocol/api/fleet";
import { Host } from "@restic-manager/protocol/api/hosts";
import type { ChaosHost } from "./host.ts";
import type { Ledger } from "./ledger.ts";
import { rejoin } from "./perform.ts";
import type { Plan } from "./plan.ts";
import type { World } from "./world.ts";

/** How long a fleet may take to come to rest: an agent that met a closed door several times waits up to a minute. */
const SETTLE_MS = 100_000;
const LOOK_MS = 60;
/** So often what keeps it is written into the run's own log. */
const SLOW_MS = 4_000;
/** A report that restic was killed under is due for a quarter of an hour; another backup brings it sooner. */
const NUDGE_MS = 2_500;

/** Takes away everything that was put in the way, and brings everything up that is down. */
export async function heal(world: World): Promise<void> {
  for (const host of world.hosts) {
    host.wire.heal();
    host.distortion?.slowFsync(0);
    host.disk?.relieve();
    host.release();
  }
  world.serverDistortion?.slowFsync(0);
  world.storeDisk?.relieve();
  await world.postgres?.start();
  await world.nats?.start();
  await Promise.all(world.keepers.map((keeper) => keeper.up()));
}

/** Waits until nothing is left to do anywhere. Throws with what is, when it takes too long. */
export async function settle(world: World, ledger: Ledger, { round, lines }: Plan): Promise<void> {
  const late = performance.now() + SETTLE_MS;
  const began = performance.now();
  let told = 0;
  let clean = 0;
  const nudged = new Set<ChaosHost>();
  let left: string[] = ["nothing was looked at"];
  while (performance.now() < late) {
    left = await whatIsLeft(world, ledger);
    // Twice in a row: one look sees the parts of the fleet at different moments.
    clean = left.length === 0 ? clean + 1 : 0;
    if (clean === 2) return;
    if (performance.now() - began > told + SLOW_MS) {
      told = performance.now() - began;
      world.note(`not at rest after ${Math.round(told)} ms: ${left.join("; ")}`);
    }
    if (
      performance.now() - began > NUDGE_MS &&
      left.length > 0 &&
      left.every((one) => one.endsWith(REPORT_DUE))
    )
      for (const host of world.hosts)
        if (!nudged.has(host) && left.includes(`h${host.index}: ${REPORT_DUE}`)) {
          nudged.add(host);
          await ledger.order(world, host, round, lines).catch(() => undefined);
        }
    for (const keeper of world.keepers) await keeper.up();
    await Bun.sleep(LOOK_MS);
  }
  throw new Error(`not at rest after ${SETTLE_MS / 1_000} s: ${left.join("; ")}`);
}

const REPORT_DUE = "a report of its repository is due";

async function whatIsLeft(world: World, ledger: Ledger): Promise<string[]> {
  const left: string[] = [];
  try {
    await removeSpare(world);
    for (const host of world.hosts) {
      if (host.id === undefined) await rejoin(world, host);
      left.push(...leftOf(host));
    }
    const summary = await world.answer(world.server.api.call("GET", "/api/fleet/summary", FleetSummary));
    if (summary.store.state !== "ok") left.push(`the store: ${summary.store.message}`);
    if (summary.running_jobs + summary.queued_jobs > 0)
      left.push(`${summary.queued_jobs} jobs queued, ${summary.running_jobs} running`);
    // Last, since it costs a request for each host; sooner for one that nobody lets in.
    for (const host of world.hosts)
      if (left.length === 0 || host.wire.lines === 0)
        left.push(...(await asTheServerSees(world, ledger, host)));
  } catch (error) {
    left.push(error instanceof Error ? error.message : String(error));
  }
  return left;
}

function leftOf(host: ChaosHost): string[] {
  const say = (text: string): string => `h${host.index}: ${text}`;
  if (!host.keeper.running) return [say("its agent is down")];
  if (host.wire.lines !== 1) return [say(`${host.wire.lines} connections`)];
  const waiting = host.agent.waiting();
  if (waiting > 0) return [say(`${waiting} frames wait`)];
  const held = host.jobs().filter(({ state }) => state !== "finished").length;
  if (held > 0) return [say(`${held} jobs held`)];
  return host.meta("report_due") === "1" ? [say(REPORT_DUE)] : [];
}

async function asTheServerSees(world: World, ledger: Ledger, host: ChaosHost): Promise<string[]> {
  const { id } = host;
  const answer = await world.answer(world.server.api.ask("GET", `/api/hosts/${id}`));
  if (answer.status === 404 && id !== undefined) {
    // Removed, although the answer that said so was lost.
    ledger.removed(id);
    host.id = undefined;
    return [`h${host.index}: is to be enrolled anew`];
  }
  return Host.parse(await answer.json()).online ? [] : [`h${host.index}: is offline`];
}

async function removeSpare(world: World): Promise<void> {
  for (const id of world.spare) {
    const { status } = await world.answer(world.server.api.ask("DELETE", `/api/hosts/${id}`));
    if (status !== 204 && status !== 200 && status !== 404) throw new Error(`removing ${id}: ${status}`);
    world.spare.delete(id);
  }
}
