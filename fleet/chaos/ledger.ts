import type { HostId, JobId } from "@restic-manager/protocol/ids";
import { CreatedJob } from "@restic-manager/protocol/api/jobs";
import type { ChaosHost } from "./host.ts";
import { markers } from "./marker.ts";
import type { World } from "./world.ts";

/** An order of a backup. */
export interface Order {
  marker: number;
  host: number;
  hostId: HostId;
  round: number;
  /** Files that the host's scripted restic was told to make up when this was ordered. */
  lines: number;
  /** Undefined while no answer said so: the server may have taken it nevertheless. */
  jobId: JobId | undefined;
  /** The host was touched by nothing in the order's round. Set when the round is over. */
  quiet: boolean;
}

/** What was ordered, and what came of it. */
export class Ledger {
  readonly orders = new Map<number, Order>();
  /** Outcomes as first seen, by job: none may change any more. */
  readonly outcomes = new Map<string, string>();
  readonly #removed = new Set<HostId>();
  readonly #next = markers();

  removed(id: HostId): void {
    this.#removed.add(id);
    for (const [marker, order] of this.orders) if (order.hostId === id) this.orders.delete(marker);
  }

  wasRemoved(id: HostId): boolean {
    return this.#removed.has(id);
  }

  newestOf(host: ChaosHost): JobId | undefined {
    return [...this.orders.values()].findLast((order) => order.hostId === host.id && order.jobId)?.jobId;
  }

  /** Orders a backup as the console's button does; asks once, and does not know what became of an order without an answer. */
  async order(world: World, host: ChaosHost, round: number, lines: number): Promise<Order | undefined> {
    const { id, groupId } = host;
    if (id === undefined) return undefined;
    const marker = this.#next();
    const order: Order = {
      marker,
      host: host.index,
      hostId: id,
      round,
      lines,
      jobId: undefined,
      quiet: false,
    };
    this.orders.set(marker, order);
    const path = `/api/hosts/${id}/source-groups/${groupId}/run`;
    const body = { bandwidth: { upload_kib_per_s: marker } };
    const { job } = await world.answer(world.server.api.call("POST", path, CreatedJob, body));
    order.jobId = job.id;
    return order;
  }
}
