import type { HostId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";
import { askInShapes } from "../platform/db/shapes.ts";
import { turn } from "../platform/turn.ts";
import { FleetTotals, type HostBrief } from "./fleet-totals.ts";

const COLUMNS = [
  "id",
  "name",
  "name_key",
  "status",
  "status_rank",
  "online",
  "protected_bytes",
  "stored_bytes",
  "repository_id",
  "last_success_at",
  "cause_code",
  "cause_message",
  "cause_since",
] as const satisfies readonly (keyof HostBrief)[];

/** Hosts read at once; between two pages others get their turn. */
const PAGE = 1_000;
/** So many changed hosts are read one by one; for more it is cheaper to read all. */
const MOST_CHANGED = 1_000;

/**
 * The whole fleet in short, in memory: read once, and from then on only the hosts that changed. Ten thousand of them take about
 * 5 MB. Whoever owns it calls `read` one at a time.
 */
export class FleetBriefs {
  readonly #db: Database;
  #known = new Map<HostId, HostBrief>();
  #totals = new FleetTotals();
  readonly #changed = new Set<HostId>();
  #unknown = true;

  constructor(db: Database) {
    this.#db = db;
  }

  changed(hostId: HostId): void {
    this.#changed.add(hostId);
  }

  /** Anything may have changed: reads all of it next time. */
  forget(): void {
    this.#unknown = true;
  }

  /** Sums as the store has it now, with every change that was told before the call. They change with the next one. */
  async read(): Promise<FleetTotals> {
    const changed = [...this.#changed];
    this.#changed.clear();
    const all = this.#unknown || changed.length > MOST_CHANGED;
    // What is told from here on is for the next time.
    this.#unknown = false;
    try {
      if (all) await this.#readAll();
      else await this.#readChanged(changed);
    } catch (error) {
      this.#unknown = true;
      throw error;
    }
    return this.#totals;
  }

  /** How many hosts had a success at `since` or later, in milliseconds since 1970: as of the last `read`. */
  successesSince(since: number): number {
    let count = 0;
    for (const { last_success_at } of this.#known.values())
      if (last_success_at !== null && last_success_at >= since) count += 1;
    return count;
  }

  async #readAll(): Promise<void> {
    this.#known = new Map();
    this.#totals = new FleetTotals();
    let last: HostId | undefined;
    for (;;) {
      let query = this.#db.selectFrom("hosts").select(COLUMNS).orderBy("id").limit(PAGE);
      if (last !== undefined) query = query.where("id", ">", last);
      const rows = await query.execute();
      for (const row of rows) this.#set(row);
      last = rows.at(-1)?.id;
      if (rows.length < PAGE) return;
      await turn();
    }
  }

  async #readChanged(changed: readonly HostId[]): Promise<void> {
    const rows = await askInShapes(changed, (part) =>
      this.#db.selectFrom("hosts").select(COLUMNS).where("id", "in", part).execute(),
    );
    for (const id of changed) {
      const before = this.#known.get(id);
      if (before !== undefined) this.#totals.remove(before);
      this.#known.delete(id);
    }
    for (const row of rows) this.#set(row);
  }

  #set(host: HostBrief): void {
    this.#known.set(host.id, host);
    this.#totals.add(host);
  }
}
