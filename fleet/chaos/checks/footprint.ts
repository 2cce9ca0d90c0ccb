import { readdirSync, readFileSync } from "node:fs";

/** What a process holds. */
export interface Footprint {
  rssMb: number;
  files: number;
}

/** Undefined when there is no such process. */
export function footprintOf(pid: number): Footprint | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
    return { rssMb: kb / 1024, files: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

/** Rounds that only show where it stands: nothing is compared yet. */
const WARM_UP = 3;
/** Files that come and go with what happens to be under way: a request, a database's extra file. */
const FILES_MORE = 12;
/** The collector gives back in its own time; what grows without end crosses this all the same. */
const RSS_TIMES = 1.5;
const RSS_MORE_MB = 60;

/** Follows one end's footprint over the rounds, at rest each time. */
export class Trend {
  readonly name: string;
  readonly #all: (Footprint & { round: number })[] = [];

  constructor(name: string) {
    this.name = name;
  }

  note(round: number, footprint: Footprint): void {
    this.#all.push({ round, ...footprint });
  }

  /** What the newest one exceeds; empty when it is back where it was. */
  exceeded(): string[] {
    const first = this.#all.slice(0, WARM_UP);
    const now = this.#all.at(-1);
    if (now === undefined || this.#all.length <= WARM_UP) return [];
    const files = Math.max(...first.map((one) => one.files));
    const rss = Math.max(...first.map((one) => one.rssMb));
    const wrong: string[] = [];
    if (now.files > files + FILES_MORE)
      wrong.push(`${this.name} has ${now.files} open files and had ${files} in the first rounds`);
    if (now.rssMb > rss * RSS_TIMES + RSS_MORE_MB)
      wrong.push(
        `${this.name} takes ${now.rssMb.toFixed(0)} MB and took ${rss.toFixed(0)} in the first rounds`,
      );
    return wrong;
  }

  /** For the summary: where it began, where it ended, and the slope of a straight line through all rounds. */
  describe(): string {
    const [first, last] = [this.#all[0], this.#all.at(-1)];
    if (first === undefined || last === undefined) return `${this.name}: never seen at rest`;
    const slope = slopeOf(this.#all.map(({ round, rssMb }) => ({ x: round, y: rssMb })));
    return `${this.name}: ${first.rssMb.toFixed(0)} → ${last.rssMb.toFixed(0)} MB (${slope.toFixed(3)} MB a round), ${first.files} → ${last.files} open files`;
  }
}

/** Of the straight line with the least squares; 0 for fewer than two points. */
export function slopeOf(points: readonly { x: number; y: number }[]): number {
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  const over = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const under = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return under === 0 ? 0 : over / under;
}
