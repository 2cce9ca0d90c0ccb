import type { Figure } from "./figure.ts";

export interface BenchOptions {
  /** Smaller work and fewer rounds: to see that it runs, not to believe the figures. */
  quick: boolean;
  /** Tells a person what goes on. */
  say: (text: string) => void;
}

/** Measures one part of the product. Cleans up after itself, whichever way it ends. */
export type Bench = (options: BenchOptions) => Promise<Figure[]>;
