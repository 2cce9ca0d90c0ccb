import type { Counters } from "./counters.ts";
import type { HeardSchedules, Spawn } from "./agent.ts";
import type { Script } from "./script.ts";

/** What a simulator is told when it begins. */
export interface Beginning {
  seed: number;
  /** Numbers of its machines: `first`, `first + 1`, … */
  first: number;
  count: number;
  /** Where to connect to, with `http://`; machine n goes to the address n modulo their number. */
  servers: string[];
  script: Script;
  haste: number;
  /** Keeps each agent's state file there instead of in memory. */
  folder?: string | undefined;
}

/** What a simulator can be asked, and what it answers. */
export interface Orders {
  begin: { asks: Beginning; answers: null };
  /** Connects those that are not, `perSecond` a second or all at once; answers when all are, with the moment of the last. */
  connect: { asks: { perSecond?: number | undefined; withinMs: number }; answers: { at: number } };
  /** Other addresses, from the next connection on. */
  aim: { asks: string[]; answers: null };
  disconnect: { asks: Record<string, never>; answers: null };
  /** From the next job on. */
  script: { asks: Script; answers: null };
  look: { asks: Record<string, never>; answers: SimulatorState };
  /** Jobs that were spawned since this was asked last. */
  spawns: { asks: Record<string, never>; answers: Spawn[] };
  /** Schedules that came since this was asked last. */
  schedules: { asks: Record<string, never>; answers: HeardSchedules[] };
  /** Collects garbage now, so that its memory can be read without it. */
  collect: { asks: Record<string, never>; answers: null };
  stop: { asks: Record<string, never>; answers: null };
}

export interface SimulatorState {
  counters: Counters;
  /** Durable frames that no server has acknowledged, of all its agents. */
  waiting: number;
  openFiles: number;
  /** The last things its agents would have told a person. */
  said: string[];
}

export type OrderName = keyof Orders;

/** One order on its way to a simulator. */
export type Order = { [K in OrderName]: { id: number; name: K; asks: Orders[K]["asks"] } }[OrderName];
/** What comes back for it. */
export type Reply = { id: number; answer: unknown } | { id: number; error: string };
