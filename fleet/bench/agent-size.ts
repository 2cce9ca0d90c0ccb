import { statSync } from "node:fs";
import type { AgentBench } from "./agent-bench.ts";
import { figure, type Figure } from "./figure.ts";

/** The agent's download: as it is served, and as a package would hold it (`xz -9`). Most of it is the runtime. */
export async function measureSize({ agent, floor, quick, say }: AgentBench): Promise<Figure[]> {
  say("download size…");
  const served = { value: megabytes(agent), unit: "MB" as const, baseline: megabytes(floor) };
  const level = quick ? "-1" : "-9";
  const [ours, least] = await Promise.all([compressed(agent, level), compressed(floor, level)]);
  return [
    figure("agent.download.served", served),
    figure(`agent.download.xz${level}`, { value: ours, unit: "MB", baseline: least }),
  ];
}

function megabytes(path: string): number {
  return statSync(path).size / 1e6;
}

async function compressed(path: string, level: string): Promise<number> {
  const xz = Bun.spawn(["xz", "--stdout", level, path], { stdout: "pipe", stderr: "inherit" });
  let bytes = 0;
  for await (const piece of xz.stdout) bytes += piece.byteLength;
  if ((await xz.exited) !== 0) throw new Error("xz could not compress the agent");
  return bytes / 1e6;
}
