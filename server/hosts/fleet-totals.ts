import { HOST_STATUSES, type HostStatus } from "@restic-manager/protocol/api/hosts";
import type { HostId } from "@restic-manager/protocol/ids";
import type { HostRecord } from "../platform/db/schema.ts";

/** What the summary needs of one host. */
export type HostBrief = Pick<
  HostRecord,
  | "id"
  | "name"
  | "name_key"
  | "status"
  | "status_rank"
  | "online"
  | "protected_bytes"
  | "stored_bytes"
  | "repository_id"
  | "last_success_at"
  | "cause_code"
  | "cause_message"
  | "cause_since"
>;

/** Hosts that stand badly for one cause. */
export interface Trouble {
  rank: number;
  status: HostStatus;
  code: string;
  /** What all of them say, or null when they say different things. */
  message: string | null;
  since: number | null;
  count: number;
  /** The first by name. */
  named: { id: HostId; name: string }[];
}

/** So many hosts of a cause are named. */
const HOSTS_NAMED = 5;

/**
 * Sums over the fleet that follow each host as it comes, changes and goes, at a cost that does not depend on how many there are.
 */
export class FleetTotals {
  /** Hosts by their place in `HOST_STATUSES`. */
  readonly ranks = new Map<number, number>();
  hosts = 0;
  online = 0;
  protectedBytes = 0;
  storedBytes = 0;
  readonly #repositories = new Map<string, Sizes>();
  readonly #causes = new Map<string, { members: Map<HostId, HostBrief>; told: Trouble | undefined }>();

  add(host: HostBrief): void {
    this.#count(host, 1);
    this.#store(host, 1);
    if (host.cause_code === null) return;
    const key = causeKey(host);
    const cause = this.#causes.get(key) ?? { members: new Map<HostId, HostBrief>(), told: undefined };
    cause.members.set(host.id, host);
    cause.told = undefined;
    this.#causes.set(key, cause);
  }

  /** `host` as it was added. */
  remove(host: HostBrief): void {
    this.#count(host, -1);
    this.#store(host, -1);
    const cause = host.cause_code === null ? undefined : this.#causes.get(causeKey(host));
    if (cause === undefined) return;
    cause.members.delete(host.id);
    cause.told = undefined;
    if (cause.members.size === 0) this.#causes.delete(causeKey(host));
  }

  /** Every cause there is, in no order. */
  troubles(): Trouble[] {
    return [...this.#causes.values()].map((cause) => (cause.told ??= troubleOf([...cause.members.values()])));
  }

  #count(host: HostBrief, by: 1 | -1): void {
    this.hosts += by;
    this.ranks.set(host.status_rank, (this.ranks.get(host.status_rank) ?? 0) + by);
    this.online += by * host.online;
    this.protectedBytes += by * (host.protected_bytes ?? 0);
  }

  #store(host: HostBrief, by: 1 | -1): void {
    if (host.stored_bytes === null) return;
    // One that does not know its repository yet counts as having its own.
    const key = host.repository_id ?? host.id;
    const sizes = this.#repositories.get(key) ?? new Sizes();
    const before = sizes.largest;
    sizes.count(host.stored_bytes, by);
    this.storedBytes += sizes.largest - before;
    if (sizes.empty) this.#repositories.delete(key);
    else this.#repositories.set(key, sizes);
  }
}

/** Sizes that the hosts of one repository report: each tells the whole, so the largest is its size. Thousands may share one. */
class Sizes {
  largest = 0;
  /** How many hosts report it, by size. */
  readonly #reports = new Map<number, number>();

  get empty(): boolean {
    return this.#reports.size === 0;
  }

  count(bytes: number, by: 1 | -1): void {
    const reports = (this.#reports.get(bytes) ?? 0) + by;
    if (reports > 0) {
      this.#reports.set(bytes, reports);
      this.largest = Math.max(this.largest, bytes);
      return;
    }
    this.#reports.delete(bytes);
    if (bytes < this.largest) return;
    this.largest = 0;
    for (const size of this.#reports.keys()) this.largest = Math.max(this.largest, size);
  }
}

function causeKey(host: HostBrief): string {
  return `${host.status_rank} ${host.cause_code}`;
}

/** Of at least one host, all of one cause. */
function troubleOf(hosts: readonly HostBrief[]): Trouble {
  const [first] = hosts;
  const sinces = hosts.flatMap(({ cause_since }) => (cause_since === null ? [] : [cause_since]));
  const message = first?.cause_message ?? null;
  return {
    rank: first?.status_rank ?? 0,
    status: HOST_STATUSES[first?.status_rank ?? 0] ?? "failed",
    code: first?.cause_code ?? "failed",
    message: hosts.every((host) => host.cause_message === message) ? message : null,
    since: sinces.length === 0 ? null : sinces.reduce((a, b) => Math.min(a, b)),
    count: hosts.length,
    named: firstByName(hosts).map(({ id, name }) => ({ id, name })),
  };
}

/** Without sorting thousands for the sake of five. */
function firstByName(hosts: readonly HostBrief[]): HostBrief[] {
  const named: HostBrief[] = [];
  for (const host of hosts) {
    const last = named.at(-1);
    if (named.length === HOSTS_NAMED && last !== undefined && last.name_key <= host.name_key) continue;
    const at = named.findIndex((one) => one.name_key > host.name_key);
    named.splice(at === -1 ? named.length : at, 0, host);
    named.splice(HOSTS_NAMED);
  }
  return named;
}
