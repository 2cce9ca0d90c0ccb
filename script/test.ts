import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../server/testing/postgres-cluster.ts";
import { checks, describeChecks, runChecks } from "./check.ts";
import { house, ourFiles } from "./files.ts";
import { sumOf, type Sum } from "./junit.ts";

// `env: process.env` is not the default: a child gets the environment that this process was started with.

/** Test files that run in one process, one after the other. */
interface Group {
  name: string;
  files: string[];
  /** Longest time for one test, in milliseconds, where the test does not say. */
  timeout: number;
}

const work = mkdtempSync(join(tmpdir(), "rm-test-"));
const running = new Set<Bun.Subprocess>();

/**
 * `e2e/` starts whole programs. Those with a browser are the slowest and wait for real minutes, so they run beside all others. What uses the built
 * executables is among them, since the demo builds those anew.
 */
function groups(): Group[] {
  const files = ourFiles("*.test.{ts,tsx}");
  const whole = files.filter((file) => file.startsWith("e2e/"));
  const inBrowser = new Set(
    whole.filter((file) => /playwright|browser|script\/demo|house, "dist"/.test(file + textOf(file))),
  );
  return [
    { name: "rooms", files: files.filter((file) => !file.startsWith("e2e/")), timeout: 30_000 },
    { name: "end to end", files: whole.filter((file) => !inBrowser.has(file)), timeout: 180_000 },
    { name: "browser", files: [...inBrowser], timeout: 180_000 },
  ];
}

const textOf = (file: string) => readFileSync(join(house, file), "utf8");

function heading(text: string): void {
  console.log(`\n== ${text}`);
}

/** Runs a program to its end. Answers how it ended. */
async function runProgram(argv: string[], output: "inherit" | number): Promise<number> {
  const program = Bun.spawn(argv, {
    cwd: house,
    env: process.env,
    stdin: "ignore",
    stdout: output,
    stderr: output,
  });
  running.add(program);
  const code = await program.exited;
  running.delete(program);
  return code;
}

/** @param aside beside others: what it prints comes at its end, in one piece. */
async function runGroup({ name, files, timeout }: Group, aside = false): Promise<Sum> {
  const title = `${name}: ${files.length} files`;
  if (!aside) heading(title);
  if (files.length === 0) {
    console.log(`FAILED the group "${name}" has no tests`);
    return { passed: 0, failed: 1 };
  }
  const report = join(work, `${name.replaceAll(" ", "-")}.xml`);
  const bun = [process.execPath, "test", "--only-failures", "--no-orphans", `--timeout=${timeout}`];
  const argv = bun.concat(
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    files.map((file) => `./${file}`),
  );
  const printed = aside ? openSync(join(work, `${name}.txt`), "a") : undefined;
  const code = await runProgram(argv, printed ?? "inherit");
  if (printed !== undefined) {
    closeSync(printed);
    heading(title);
    console.log(readFileSync(join(work, `${name}.txt`), "utf8"));
  }
  const xml = (await Bun.file(report).exists()) ? await Bun.file(report).text() : "";
  const sum = sumOf(xml);
  // A crash, an error outside a test, a file that does not load: the report knows nothing of them.
  if (code !== 0 && sum.failed === 0) {
    console.log(`FAILED the runner of "${name}" ended with ${code} although no test of it failed`);
    return { ...sum, failed: 1 };
  }
  if (sum.passed + sum.failed === 0) {
    console.log(`FAILED the group "${name}" ran no tests`);
    return { passed: 0, failed: 1 };
  }
  return sum;
}

/** A step without tests of its own counts as one. */
async function runStep(name: string, step: () => Promise<unknown>): Promise<Sum> {
  try {
    await step();
    return { passed: 1, failed: 0 };
  } catch (error) {
    console.log(`FAILED ${name}: ${error instanceof Error ? error.message : String(error)}`);
    return { passed: 0, failed: 1 };
  }
}

async function build(): Promise<void> {
  const code = await runProgram([process.execPath, "script/build.ts", "--fast"], "inherit");
  if (code !== 0) throw new Error(`script/build --fast ended with ${code}`);
}

/** Everything: those with a browser beside the checks and all others, one group after the other. */
async function runAll(all: Group[]): Promise<Sum[]> {
  const browser = all.filter(({ name }) => name === "browser").map((group) => runGroup(group, true));
  const sums: Sum[] = [await runOurChecks()];
  for (const group of all) if (group.name !== "browser") sums.push(await runGroup(group));
  return [...sums, ...(await Promise.all(browser))];
}

async function runOurChecks(): Promise<Sum> {
  heading("checks");
  // The floors are a test among those of the rooms: counted there.
  const results = await runChecks(checks.filter(({ name }) => name !== "floors"));
  console.log(describeChecks(results));
  const failed = results.filter(({ passed }) => !passed).length;
  return { passed: results.length - failed, failed };
}

/** @param paths run only the tests below these, and no checks; empty: everything. */
async function main(paths: string[]): Promise<number> {
  const sums: Sum[] = [];
  const started = await runStep("PostgreSQL", async () => {
    process.env["RM_TEST_POSTGRES"] ||= (await startPostgres()).url;
  });
  // Only its failure is news: that it runs is no test.
  if (started.failed > 0) sums.push(started);

  const within = (file: string) => paths.some((path) => file === path || file.startsWith(`${path}/`));
  const wanted = groups()
    .map((group) => ({ ...group, files: paths.length === 0 ? group.files : group.files.filter(within) }))
    .filter(({ files }) => paths.length === 0 || files.length > 0);
  if (wanted.some(({ name }) => name !== "rooms")) sums.push(await runStep("build", build));
  if (paths.length > 0) for (const group of wanted) sums.push(await runGroup(group));
  else sums.push(...(await runAll(wanted)));
  if (sums.length === 0) {
    console.log(`FAILED no test lies below ${paths.join(", ")}`);
    sums.push({ passed: 0, failed: 1 });
  }

  const passed = sums.reduce((sum, one) => sum + one.passed, 0);
  const failed = sums.reduce((sum, one) => sum + one.failed, 0);
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

// PostgreSQL needs no ending here: it goes with this process, whichever way that ends.
function clearUp(): void {
  for (const program of running) program.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
}
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)
  process.on(signal, () => {
    clearUp();
    process.exit(code);
  });

const code = await main(process.argv.slice(2).map((path) => path.replace(/^\.\/|\/+$/g, "")));
clearUp();
process.exit(code);
