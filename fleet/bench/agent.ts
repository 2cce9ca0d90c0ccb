import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildAgent } from "../../script/build.ts";
import { house } from "../../script/files.ts";
import type { AgentBench } from "./agent-bench.ts";
import { measureBackups } from "./agent-backups.ts";
import { measureIdle } from "./agent-idle.ts";
import { measureSize } from "./agent-size.ts";
import { measureStart } from "./agent-start.ts";
import type { BenchOptions } from "./bench.ts";
import type { Figure } from "./figure.ts";

/** Memory, start, size and cost of the agent, each beside a baseline; takes about five minutes, with `--quick` one. */
export async function benchAgent(options: BenchOptions): Promise<Figure[]> {
  const restic = process.env["RM_TEST_RESTIC"];
  if (restic === undefined || restic === "") throw new Error("restic is missing: script/bench sets it up");
  const folder = mkdtempSync("/dev/shm/rm-bench-");
  // Not on tmpfs: where an agent is installed its code lies in a file, and is counted as such.
  const programs = mkdtempSync(join(tmpdir(), "rm-bench-"));
  const clear = () => {
    for (const made of [folder, programs]) rmSync(made, { recursive: true, force: true });
  };
  process.once("exit", clear);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  try {
    const bench: AgentBench = {
      ...options,
      folder,
      agent: join(programs, "restic-manager-agent"),
      floor: join(programs, "floor"),
      restic,
    };
    await buildAgent(house, bench.agent);
    await buildFloor(bench.floor);
    // Neither is a matter of time, so they may share the machine.
    const [idle, size] = await Promise.all([measureIdle(bench), measureSize(bench)]);
    const start = await measureStart(bench);
    const backups = await measureBackups(bench);
    return [...idle, ...start, ...size, ...backups];
  } finally {
    process.off("exit", clear);
    clear();
  }
}

async function buildFloor(outfile: string): Promise<void> {
  await Bun.build({
    entrypoints: [join(import.meta.dir, "floor-program.ts")],
    minify: true,
    bytecode: true,
    format: "esm",
    compile: { outfile, autoloadDotenv: false, autoloadBunfig: false },
  });
}
