import type { StoreTime } from "../platform/db/store-time.ts";

/** This server among others. */
export interface NodeParts {
  /** What it is called. */
  node: string;
  /** No other server ever has this store. */
  alone: boolean;
  /** All that live, itself included. */
  live: () => readonly string[];
  /** By whose clock their leases end. */
  time: StoreTime;
}
