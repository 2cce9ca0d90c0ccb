import { describePlan, HARMFUL, planRound, type ActionKind, type Plan } from "./plan.ts";
import { checkCommandLines } from "./checks/traces.ts";
import { Inspector } from "./inspect.ts";
import { Ledger } from "./ledger.ts";
import { perform } from "./perform.ts";
import { heal, settle } from "./settle.ts";
import { World } from "./world.ts";

export interface ChaosOptions {
  store: "sqlite" | "postgres";
  seed: number;
  /** Which rounds of the seed's plan, in order. */
  rounds: readonly number[];
  scripted?: number;
  real?: number;
  say: (line: string) => void;
  /** Ends the run after the present round. */
  signal?: AbortSignal;
  /** For tests of the harness: done between a round's rest and the look at it. */
  tamper?: (world: World, round: number) => Promise<void>;
}

export interface Summary {
  rounds: number;
  actions: Map<ActionKind, number>;
  /** Actions that could not be done, such as an enrolment while the server is down. */
  unable: number;
  orders: number;
  /** Jobs by state and error, as they ended. */
  outcomes: Map<string, number>;
  roundMs: number[];
  failure: { round: number; plan: string; wrong: string[]; folder: string } | undefined;
  leftOut: string[];
  trends: string[];
}

/** Command lines are looked at so often while a round lasts. */
const LOOK_MS = 150;
/** Rounds between two searches of every file. */
const SEARCH_EVERY = 25;

/** Breaks a fleet, round by round, and looks after each whether everything that must hold holds. Stops at the first that does not. */
export async function runChaos(options: ChaosOptions): Promise<Summary> {
  const { store, seed, rounds, say, signal } = options;
  const leftOut: string[] = [];
  const world = await World.build({
    store,
    seed,
    scripted: options.scripted ?? 4,
    real: options.real ?? 2,
    say(line) {
      leftOut.push(line);
      say(line);
    },
  });
  const ledger = new Ledger();
  const inspector = new Inspector(world, ledger);
  const summary: Summary = {
    rounds: 0,
    actions: new Map(),
    unable: 0,
    orders: 0,
    outcomes: new Map(),
    roundMs: [],
    failure: undefined,
    leftOut,
    trends: [],
  };
  say(`the fleet lives in ${world.era.zone}, "${world.era.name}"; its folder is ${world.folder}`);
  try {
    for (const round of rounds) {
      if (signal?.aborted === true) break;
      const plan = planRound(seed, round, world.cast);
      world.note(describePlan(plan));
      say(describePlan(plan));
      const began = performance.now();
      const wrong = await playRound(world, ledger, inspector, plan, summary, options);
      summary.rounds += 1;
      const last = round === rounds.at(-1);
      if (wrong.length === 0 && (last || summary.rounds % SEARCH_EVERY === 0))
        wrong.push(...(await inspector.search()));
      const ms = Math.round(performance.now() - began);
      summary.roundMs.push(ms);
      say(`  ${wrong.length === 0 ? "held" : "FAILED"} after ${ms} ms`);
      if (wrong.length === 0) continue;
      summary.failure = { round, plan: describePlan(plan), wrong, folder: world.folder };
      for (const one of wrong.slice(0, 20)) world.note(`wrong: ${one}`);
      break;
    }
    summary.orders = ledger.orders.size;
    for (const outcome of ledger.outcomes.values()) {
      const [state, , error] = JSON.parse(outcome) as [string, unknown, string | null];
      const code = error === null ? state : `${state} ${(JSON.parse(error) as { code: string }).code}`;
      summary.outcomes.set(code, (summary.outcomes.get(code) ?? 0) + 1);
    }
    summary.trends = [...inspector.trends.values()].map((trend) => trend.describe());
    return summary;
  } finally {
    await world.end(summary.failure !== undefined);
  }
}

async function playRound(
  world: World,
  ledger: Ledger,
  inspector: Inspector,
  plan: Plan,
  summary: Summary,
  { tamper }: ChaosOptions,
): Promise<string[]> {
  const { round, lines, release } = plan;
  world.touched.clear();
  for (const host of world.hosts) {
    host.touched.clear();
    host.play(lines, release === 0 ? undefined : `go-${round}`);
    host.lay(round, Math.min(lines, 60));
  }
  const seen = new Set<string>();
  const looking = setInterval(() => {
    for (const one of checkCommandLines(world.secrets)) seen.add(one);
  }, LOOK_MS);
  try {
    const tasks: Promise<void>[] = plan.actions.map(async (action) => {
      await Bun.sleep(action.at);
      summary.actions.set(action.do, (summary.actions.get(action.do) ?? 0) + 1);
      try {
        await perform(world, ledger, action);
      } catch (error) {
        // In the middle of chaos an answer may not come: what it left is found by the look at the stores.
        summary.unable += 1;
        world.note(
          `${action.do} could not be done: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    });
    const orders = plan.dispatches.map(async ({ at, host }) => {
      await Bun.sleep(at);
      const machine = world.hosts[host];
      if (machine === undefined) return;
      try {
        await ledger.order(world, machine, round, lines);
      } catch (error) {
        world.note(`h${host} got no order: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
    const releasing = Bun.sleep(release).then(() => world.hosts.forEach((host) => host.release()));
    await Promise.all([...tasks, ...orders, releasing]);
    await heal(world);
    try {
      await settle(world, ledger, plan);
    } catch (error) {
      return [error instanceof Error ? error.message : String(error), ...(await inspector.look(round))];
    }
    for (const order of ledger.orders.values()) {
      if (order.round !== round) continue;
      const done = [...(world.hosts[order.host]?.touched ?? []), ...world.touched];
      order.quiet = !done.some((kind) => HARMFUL.has(kind));
    }
    await tamper?.(world, round);
    return [...(await inspector.look(round)), ...seen];
  } finally {
    clearInterval(looking);
  }
}
