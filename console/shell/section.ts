import type { State } from "../theme/tokens.ts";

/** A place in the top bar and the bottom bar. */
export interface Section {
  id: "fleet" | "jobs" | "policies";
  title: string;
  href: string;
  /** How many things there need a look; none is not shown. */
  count?: number;
  countState?: State;
  /** What the count counts, for screen readers: "running". */
  countWord?: string;
}
