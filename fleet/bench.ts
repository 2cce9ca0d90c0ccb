import { join } from "node:path";
import { house } from "../script/files.ts";
import { benchAgent } from "./bench/agent.ts";
import { benchApi } from "./bench/api.ts";
import { benchBrowse } from "./bench/browse.ts";
import { benchConsole } from "./bench/console.ts";
import { benchGrowth } from "./bench/growth.ts";
import { benchTick } from "./bench/tick.ts";
import type { Bench } from "./bench/bench.ts";
import { benchDispatch } from "./bench/dispatch.ts";
import { describeFigures } from "./bench/figure.ts";
import { benchFootprint } from "./bench/footprint.ts";
import { benchLogs } from "./bench/logs.ts";
import { benchNodes } from "./bench/nodes.ts";
import { describeMachine } from "./bench/machine.ts";
import { replaceSection } from "./bench/performance-page.ts";
import { benchSchedules } from "./bench/schedules.ts";
import { benchStorm } from "./bench/storm.ts";
import { benchViewers } from "./bench/viewers.ts";

/** THE list of benchmarks. */
const benches = new Map<string, Bench>([
  ["footprint", benchFootprint],
  ["storm", benchStorm],
  ["dispatch", benchDispatch],
  ["logs", benchLogs],
  ["viewers", benchViewers],
  ["agent", benchAgent],
  ["nodes", benchNodes],
  ["api", benchApi],
  ["console", benchConsole],
  ["growth", benchGrowth],
  ["tick", benchTick],
  ["schedules", benchSchedules],
  ["browse", benchBrowse],
]);

/** Where the figures of full runs are kept. */
const page = join(house, "docs/performance.md");

async function main(words: string[]): Promise<number> {
  const say = (text: string) => console.error(text);
  const quick = words.includes("--quick");
  const named = words.filter((word) => word !== "--quick");
  const unknown = named.find((name) => !benches.has(name));
  if (unknown !== undefined) {
    say(
      `script/bench does not know ${unknown}. It takes --quick and any of: ${[...benches.keys()].join(", ")}`,
    );
    return 2;
  }
  const missed: string[] = [];
  for (const name of named.length === 0 ? benches.keys() : named) {
    say(`\n== ${name}`);
    const began = performance.now();
    const figures = (await benches.get(name)?.({ quick, say })) ?? [];
    for (const figure of figures) console.log(JSON.stringify(figure));
    say(`\n${describeFigures(figures)}\n${name} took ${((performance.now() - began) / 1000).toFixed(0)} s`);
    missed.push(...figures.filter(({ met }) => met === false).map((figure) => figure.name));
    if (!quick) await replaceSection(page, name, figures, await describeMachine());
  }
  if (missed.length > 0) say(`\nMissed: ${missed.join(", ")}`);
  return missed.length > 0 && !quick ? 1 : 0;
}

process.exit(await main(process.argv.slice(2)));
