import { monotonicFactory } from "ulid";
import { z } from "zod";
import type { Clock } from "./clock.ts";

/** Mints ids of the protocol's kinds, rising even within one millisecond. */
export interface Ids {
  /** `ids.mint(HostId)` */
  mint<Id extends z.ZodType>(kind: Id): z.output<Id>;
}

export function createIds(clock: Clock): Ids {
  const next = monotonicFactory();
  return { mint: (kind) => kind.parse(next(clock.now())) };
}
