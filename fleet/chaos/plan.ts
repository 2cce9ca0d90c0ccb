import { seeded, type Seeded } from "./seeded.ts";

/** Which end of an agent's link. */
export type End = "agent" | "server";

/** One thing done to the fleet. `at` and `for` in milliseconds; `host` counts from 0 within the cast. */
export type Action = { at: number } & (
  | { do: "kill_server" | "stop_server" | "kill_all"; for: number }
  | { do: "kill_agent" | "stop_agent" | "kill_restic"; host: number; for: number }
  | { do: "freeze_server"; for: number }
  | { do: "freeze_agent"; host: number; for: number }
  | { do: "cut"; host: number }
  | { do: "cut_mid_frame"; host: number; towards: End }
  | { do: "garble"; host: number; towards: End; seed: number }
  | { do: "stall"; host: number; for: number }
  | { do: "slow"; host: number; for: number; bytesPerSecond: number }
  | { do: "half_open"; host: number; alive: End; for: number }
  | { do: "twice"; host: number; for: number }
  | { do: "second_socket"; host: number }
  | { do: "fill_store"; for: number }
  | { do: "fill_outbox"; host: number; for: number }
  | { do: "slow_fsync"; host: number | "server"; for: number; ms: number }
  | { do: "clock"; host: number | "server"; jump: Jump }
  | { do: "restart_store"; how: "immediate" | "fast"; for: number }
  | { do: "restart_bus"; for: number }
  | { do: "revoke"; host: number; for: number }
  | { do: "fuzz"; bearer: boolean; frames: number; seed: number }
  | { do: "cancel"; host: number; now: boolean }
);
export type ActionKind = Action["do"];

/** `dst`: to a moment before the zone's clocks change. */
export type Jump = "+2h" | "-2h" | "dst" | "home";

/** Work that a round gives its hosts. */
export interface Dispatch {
  at: number;
  host: number;
}

export interface Plan {
  seed: number;
  round: number;
  /** Files (and so log lines) of each backup that begins in this round. */
  lines: number;
  /** When scripted backups that stand in their middle go on; 0: they never stand. */
  release: number;
  dispatches: Dispatch[];
  actions: Action[];
}

/** What there is to be broken. */
export interface Cast {
  /** Hosts with the scripted restic come first, then those with the real one. */
  scripted: number;
  real: number;
  /** Hosts, counted from 0, whose state lies on a disk that can be filled. */
  onSmallDisk: readonly number[];
  can: ReadonlySet<ActionKind>;
}

/** How often each kind is picked, relative to the others. */
const WEIGHTS: Record<ActionKind, number> = {
  kill_server: 5,
  stop_server: 2,
  kill_all: 2,
  kill_agent: 6,
  stop_agent: 2,
  kill_restic: 5,
  freeze_server: 2,
  freeze_agent: 2,
  cut: 5,
  cut_mid_frame: 6,
  garble: 2,
  stall: 4,
  slow: 4,
  half_open: 4,
  twice: 6,
  second_socket: 2,
  fill_store: 3,
  fill_outbox: 3,
  slow_fsync: 4,
  clock: 5,
  restart_store: 4,
  restart_bus: 4,
  revoke: 2,
  fuzz: 5,
  cancel: 4,
};
export const ACTION_KINDS = Object.keys(WEIGHTS) as ActionKind[];

/** After one of these a backup may fail. After anything else it must succeed: a network, a server and a clock are no part of it. */
export const HARMFUL: ReadonlySet<string> = new Set<ActionKind>([
  "kill_all",
  "kill_agent",
  "stop_agent",
  "kill_restic",
  "second_socket",
  "fill_outbox",
  "revoke",
  "cancel",
]);

/** Actions begin and work is given within so many milliseconds of a round's beginning. */
const SPAN_MS = 900;
/** Within so many milliseconds after an order it travels, is written down, and restic begins. */
const SOON_MS = 250;

/** The same seed, round and cast give the same plan, whatever happened before: a round can be had again by itself. */
export function planRound(seed: number, round: number, cast: Cast): Plan {
  const chance = seeded(seed, round);
  const kinds = ACTION_KINDS.filter((kind) => cast.can.has(kind));
  const dispatches = Array.from({ length: chance.whole(2, 4) }, () => ({
    at: chance.whole(0, SPAN_MS),
    host: chance.whole(0, cast.scripted + cast.real - 1),
  })).toSorted((a, b) => a.at - b.at);
  const lines = chance.pick([0, 1, 40, 255, 256, 257, 700, 1_500]);
  const release = chance.chance(0.6) ? chance.whole(300, 1_500) : 0;
  const many = chance.chance(0.25) ? chance.whole(5, 9) : chance.whole(1, 4);
  // Now and then a few kinds only, again and again: so they meet each other.
  const these = chance.chance(0.3) ? Array.from({ length: 3 }, () => weighted(kinds, chance)) : kinds;
  const actions = Array.from({ length: many }, () =>
    planAction(weighted(these, chance), chance, cast, dispatches),
  ).toSorted((a, b) => a.at - b.at);
  return { seed, round, lines, release, dispatches, actions };
}

function weighted(kinds: readonly ActionKind[], chance: Seeded): ActionKind {
  let left = chance.number() * kinds.reduce((sum, kind) => sum + WEIGHTS[kind], 0);
  for (const kind of kinds) if ((left -= WEIGHTS[kind]) < 0) return kind;
  return "cut";
}

function planAction(kind: ActionKind, chance: Seeded, cast: Cast, dispatches: readonly Dispatch[]): Action {
  const length = chance.whole(50, 900);
  // Mostly where there is work, and often right after it was given: a host that does nothing has nothing to lose.
  const work = chance.pick(dispatches);
  const host = chance.chance(0.8) ? work.host : chance.whole(0, cast.scripted + cast.real - 1);
  const at = chance.chance(0.5) ? work.at + chance.whole(0, SOON_MS) : chance.whole(0, SPAN_MS);
  const scripted = host < cast.scripted ? host : chance.whole(0, cast.scripted - 1);
  const end: End = chance.pick(["agent", "server"]);
  const seed = chance.whole(0, 2 ** 31 - 1);
  switch (kind) {
    case "kill_server":
    case "stop_server":
    case "kill_all":
    case "freeze_server":
    case "fill_store":
    case "restart_bus":
      return { do: kind, at, for: length };
    case "kill_agent":
    case "stop_agent":
    case "kill_restic":
    case "freeze_agent":
    case "stall":
    case "twice":
      return { do: kind, at, host, for: length };
    case "cut":
    case "second_socket":
      return { do: kind, at, host };
    case "cut_mid_frame":
      return { do: kind, at, host, towards: end };
    case "garble":
      return { do: kind, at, host, towards: end, seed };
    case "slow":
      return { do: kind, at, host, for: length, bytesPerSecond: chance.pick([500, 5_000, 50_000]) };
    case "half_open":
      return { do: kind, at, host, alive: end, for: length };
    case "fill_outbox":
      return { do: kind, at, host: chance.pick(cast.onSmallDisk), for: length };
    case "slow_fsync":
      return {
        do: kind,
        at,
        host: chance.chance(0.5) ? "server" : host,
        for: length,
        ms: chance.pick([20, 100, 400]),
      };
    case "clock":
      return {
        do: kind,
        at,
        host: chance.chance(0.4) ? "server" : host,
        jump: chance.pick(["+2h", "-2h", "dst", "home"]),
      };
    case "restart_store":
      return { do: kind, at, how: chance.pick(["immediate", "fast"]), for: length };
    case "revoke":
      // What a repository with real data is for is lost with its host: only scripted ones go.
      return { do: kind, at, host: scripted, for: length };
    case "fuzz":
      return { do: kind, at, bearer: chance.chance(0.7), frames: chance.whole(1, 40), seed };
    case "cancel":
      return { do: kind, at, host, now: chance.chance(0.5) };
  }
}

/** One line of a plan for people. */
export function describePlan({ round, lines, release, dispatches, actions }: Plan): string {
  const work = dispatches.map(({ at, host }) => `h${host}@${at}`).join(" ");
  const words = actions.map((action) => {
    const { do: kind, at, ...rest } = action;
    const more = Object.entries(rest).map(([name, value]) =>
      name === "host" ? (typeof value === "number" ? `h${value}` : String(value)) : `${name}=${value}`,
    );
    return `${kind}@${at}(${more.join(" ")})`;
  });
  return `round ${round}: ${lines} lines, ${release === 0 ? "no wait" : `wait until ${release}`}; backups ${work}; ${words.join(", ")}`;
}
