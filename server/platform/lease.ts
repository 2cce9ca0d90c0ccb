import type { Cancel, Clock } from "./clock.ts";
import type { Database } from "./db/schema.ts";
import type { StoreTime } from "./db/store-time.ts";
import { beat, forgetNodes, leave, liveNodes, take } from "./lease-store.ts";

/** A server that has not renewed for so long is dead to the others. */
export const LEASE_MS = 6_000;
/** How often a server renews. */
const RENEW_MS = 2_000;
/** A server that fell silent stays on the list for so long: its agents get this time to come to another one. */
export const NODE_GRACE_MS = 90_000;

/**
 * What one server holds among many: its own place on the list, and work that only one of them does.
 *
 * A lease is no lock: a server that the machine froze may finish a piece of work after another took over. So work under a
 * lease must come out the same when it is done twice.
 */
export interface Leases {
  /** What this server is called, as others know it. */
  readonly node: string;
  /** Calls `work` every `ms` milliseconds while this server holds `name`. A tick while `work` still runs is left out. */
  every(name: string, ms: number, work: () => Promise<void>): Cancel;
  /** Servers that live, this one included, by the last look. */
  live(): readonly string[];
  /** Gives up everything held, for others to take at once, and holds nothing again. */
  release(): Promise<void>;
  /** Resolves when no renewal and no work is under way. */
  settled(): Promise<void>;
  /** Ends renewing, and waits for work under way. */
  stop(): Promise<void>;
}

export interface LeaseParts {
  db: Database;
  clock: Clock;
  /** By whose clock leases end. */
  time: StoreTime;
  node: string;
  /** For people: which machine it is. */
  name: string;
  onError: (error: unknown, doing: string) => void;
  /** Another server came, left or fell silent. */
  changed: (change: { gone: string[] }) => void;
  /** The others may have taken this server for dead: the store was out of reach for longer than its lease. */
  lapsed: () => void;
}

/** With one server there is nobody to share with: nothing is written, and every piece of work is its own. */
export function soleLeases(
  clock: Clock,
  node: string,
  onError: (error: unknown, doing: string) => void,
): Leases {
  const ticks = ticker(clock, onError, () => true);
  return {
    node,
    live: () => [node],
    release: () => Promise.resolve(),
    settled: () => ticks.settled(),
    stop: () => ticks.stop(),
    every: (name, ms, work) => ticks.every(name, ms, work),
  };
}

/** Leases in the database. Resolves once this server is on the list. */
export async function sharedLeases(parts: LeaseParts): Promise<Leases> {
  const { db, clock, time, node, name, onError } = parts;
  const names = new Set<string>();
  const self = { id: node, name, startedAt: clock.now() };
  let held = new Set<string>();
  let endLapse: Cancel = () => undefined;
  let live: readonly string[] = [node];
  let renewing: Promise<void> | null = null;
  let over = false;

  /** Counts from before the statements, by a timer that no change of the time of day moves: a lease ends here before there. */
  const hold = async (): Promise<boolean> => {
    let late = false;
    const endThis = clock.after(LEASE_MS - RENEW_MS / 2, () => {
      late = true;
      held.clear();
    });
    try {
      const listed = await beat(db, time, self, LEASE_MS);
      const mine = await take(db, time, [...names], node, LEASE_MS);
      if (late || over) return listed;
      endLapse();
      endLapse = endThis;
      held = new Set(mine);
      return listed;
    } catch (error) {
      endThis();
      throw error;
    }
  };
  /** False when the others may have taken this server for dead meanwhile. */
  const renew = async (): Promise<boolean> => {
    const listed = await hold();
    const before = live;
    live = await liveNodes(db, time);
    const gone = before.filter((id) => id !== node && !live.includes(id));
    if (gone.length > 0 || live.some((id) => !before.includes(id))) parts.changed({ gone });
    if (gone.length > 0 || !listed) await forgetNodes(db, time, NODE_GRACE_MS);
    return listed;
  };
  await renew();

  let renewedAt = clock.now();
  const endRenewing = clock.every(RENEW_MS, () => {
    if (over) return;
    renewing ??= renew()
      .then((listed) => {
        if (!listed || clock.now() - renewedAt > LEASE_MS) parts.lapsed();
        renewedAt = clock.now();
      })
      .catch((error: unknown) => onError(error, "renew this server's lease"))
      .finally(() => (renewing = null));
  });
  const ticks = ticker(clock, onError, (lease) => held.has(lease));
  const release = async () => {
    over = true;
    endRenewing();
    await renewing;
    held.clear();
    endLapse();
    await leave(db, time, node);
  };
  return {
    node,
    live: () => live,
    release,
    async settled() {
      await renewing;
      await ticks.settled();
    },
    every(lease, ms, work) {
      names.add(lease);
      return ticks.every(lease, ms, work);
    },
    async stop() {
      over = true;
      endRenewing();
      endLapse();
      await renewing;
      await ticks.stop();
    },
  };
}

function ticker(
  clock: Clock,
  onError: (error: unknown, doing: string) => void,
  holds: (lease: string) => boolean,
) {
  const underWay = new Set<Promise<void>>();
  const ends = new Set<Cancel>();
  return {
    every(lease: string, ms: number, work: () => Promise<void>): Cancel {
      let running = false;
      const end = clock.every(ms, () => {
        if (running || !holds(lease)) return;
        running = true;
        const done = work()
          .catch((error: unknown) => onError(error, lease))
          .finally(() => {
            running = false;
            underWay.delete(done);
          });
        underWay.add(done);
      });
      ends.add(end);
      return end;
    },
    async settled() {
      await Promise.all(underWay);
    },
    async stop() {
      for (const end of ends) end();
      await Promise.all(underWay);
    },
  };
}
