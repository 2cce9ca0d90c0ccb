import { parseArgs } from "node:util";
import { runChaos, type ChaosOptions, type Summary } from "./chaos/run.ts";

const USAGE = `Usage: script/chaos [--rounds N] [--seed S] [--only ROUND] [--store sqlite|postgres] [--scripted N] [--real N]

Breaks a whole fleet in every way and looks after each round whether everything that must hold holds. The same seed makes the
same plan; --only plays one round of it. Ends with 1, and leaves the fleet's folder, at the first round that did not hold.`;

/** Reads the arguments and runs. Answers the exit code: 0 all held, 1 something did not, 2 the arguments are wrong. */
async function main(argv: string[]): Promise<number> {
  const whole = (text: string, name: string): number => {
    if (!/^\d{1,10}$/.test(text)) throw new Error(`--${name} takes a whole number, not ${text}`);
    return Number(text);
  };
  let options: Omit<ChaosOptions, "say">;
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        rounds: { type: "string", default: "20" },
        seed: { type: "string", default: String(Math.trunc(Math.random() * 1_000_000)) },
        only: { type: "string" },
        store: { type: "string", default: "sqlite" },
        scripted: { type: "string", default: "4" },
        real: { type: "string", default: "2" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const { store } = values;
    if (store !== "sqlite" && store !== "postgres") throw new Error(`--store takes sqlite or postgres`);
    const rounds = whole(values.rounds, "rounds");
    options = {
      store,
      seed: whole(values.seed, "seed"),
      rounds:
        values.only === undefined
          ? Array.from({ length: rounds }, (_, i) => i + 1)
          : [whole(values.only, "only")],
      scripted: whole(values.scripted, "scripted"),
      real: whole(values.real, "real"),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      if (!stop.signal.aborted) console.error("ending after this round");
      stop.abort();
    });
  console.log(`chaos: ${options.rounds.length} rounds on ${options.store}, seed ${options.seed}`);
  const summary = await runChaos({ ...options, say: (line) => console.log(line), signal: stop.signal });
  console.log(describe(summary, options));
  return summary.failure === undefined ? 0 : 1;
}

function describe(summary: Summary, { seed, store }: { seed: number; store: string }): string {
  const counted = (counts: Map<string, number>): string =>
    [...counts]
      .toSorted((a, b) => b[1] - a[1])
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  const sorted = summary.roundMs.toSorted((a, b) => a - b);
  const mean = sorted.reduce((sum, ms) => sum + ms, 0) / Math.max(1, sorted.length);
  const lines = [
    "",
    `${summary.rounds} rounds on ${store}, seed ${seed}; a round took ${Math.round(mean)} ms on average, ${sorted.at(-1) ?? 0} at most`,
    `actions: ${counted(summary.actions)}; ${summary.unable} could not be done when their turn came`,
    `${summary.orders} orders; jobs ended: ${counted(summary.outcomes)}`,
    ...summary.trends,
    ...summary.leftOut,
  ];
  const { failure } = summary;
  if (failure === undefined) return [...lines, "everything held"].join("\n");
  return [
    ...lines,
    "",
    `FAILED in ${failure.plan}`,
    ...failure.wrong.slice(0, 30).map((one) => `  ${one}`),
    `what is left lies in ${failure.folder}`,
    `again: script/chaos --store ${store} --seed ${seed} --rounds ${failure.round}, or only that round: --only ${failure.round}`,
  ].join("\n");
}

process.exit(await main(process.argv.slice(2)));
