import { join } from "node:path";
import { house } from "./files.ts";

/** A program that looks at the whole repository and must find nothing. */
export interface Check {
  name: string;
  command: string[];
}

export interface CheckResult {
  name: string;
  passed: boolean;
  /** What it printed: worth reading only if it failed. */
  output: string;
  milliseconds: number;
}

const tool = (name: string) => join(house, "node_modules/.bin", name);

export const checks: Check[] = [
  { name: "types", command: [tool("tsc"), "--noEmit", "-p", "tsconfig.json"] },
  { name: "types of the console", command: [tool("tsc"), "--noEmit", "-p", "console/tsconfig.json"] },
  { name: "lint", command: [tool("oxlint"), "--format=unix"] },
  { name: "format", command: [tool("oxfmt"), "--check"] },
  { name: "unused exports and packages", command: [tool("knip"), "--no-config-hints"] },
  { name: "floors", command: [process.execPath, "test", "--only-failures", "script/floors.test.ts"] },
];

/** Runs all of them at once. A program that cannot even start is a failed check. */
export function runChecks(which: Check[]): Promise<CheckResult[]> {
  return Promise.all(which.map(runCheck));
}

async function runCheck({ name, command }: Check): Promise<CheckResult> {
  const began = performance.now();
  const { passed, output } = await run(command);
  return { name, passed, output, milliseconds: performance.now() - began };
}

async function run(command: string[]): Promise<{ passed: boolean; output: string }> {
  try {
    const child = Bun.spawn(command, { cwd: house, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { passed: code === 0, output: `${out}${err}`.trim() };
  } catch (error) {
    return { passed: false, output: String(error) };
  }
}

/** One line for each check, and below it what a failed one has printed. */
export function describeChecks(results: CheckResult[]): string {
  return results
    .map(({ name, passed, output, milliseconds }) => {
      const line = `${passed ? "ok    " : "FAILED"} ${name} (${(milliseconds / 1000).toFixed(1)} s)`;
      return passed ? line : `${line}\n${output.replaceAll(/^/gm, "       ")}`;
    })
    .join("\n");
}

if (import.meta.main) {
  const results = await runChecks(checks);
  console.log(describeChecks(results));
  process.exit(results.every(({ passed }) => passed) ? 0 : 1);
}
