import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runRecord, type RunRecord, type Scenario } from "./scenario.ts";

export type FakeRestic = {
  /** The program to run, an absolute path. */
  path: string;
  dir: string;
  /** Changes what the next runs do. */
  play: (scenario: Scenario) => void;
  /** Creates a file that a `wait_for` waits for; `take` removes it again. */
  release: (file: string) => void;
  take: (file: string) => void;
  /** Whether a run stands at a `wait_for` (it stays true until `release`). */
  isWaiting: () => boolean;
  /** Every start and end so far; an end is missing when the run was killed. */
  runs: () => RunRecord[];
  /** The starts of one command, such as `backup` or `cat config`. */
  starts: (command: string) => Extract<RunRecord, { event: "start" }>[];
};

/**
 * Puts a scripted `restic` into a folder. It needs no PATH and no variable: what it shall do lies beside it, what it
 * did is in `runs.log` beside it. Its repository (snapshots, locks) is a file there too. Call it from a test run by Bun.
 */
export function installFakeRestic(dir: string, scenario: Scenario = {}): FakeRestic {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, "restic");
  const program = join(import.meta.dirname, "program.ts");
  // `exec` keeps the pid, so that signals meet the program and not a shell.
  writeFileSync(path, `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(program)} ${quote(dir)} "$@"\n`);
  chmodSync(path, 0o755);
  // In one step: a run that begins meanwhile reads the old or the new one, never half of it.
  const play = (next: Scenario): void => {
    writeFileSync(join(dir, "scenario.new"), JSON.stringify(next));
    renameSync(join(dir, "scenario.new"), join(dir, "scenario.json"));
  };
  const runs = (): RunRecord[] => {
    const log = join(dir, "runs.log");
    if (!existsSync(log)) return [];
    const lines = readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => line !== "");
    return lines.map((line) => runRecord.parse(JSON.parse(line)));
  };
  play(scenario);
  return {
    path,
    dir,
    play,
    release(file) {
      rmSync(join(dir, "waiting"), { force: true });
      writeFileSync(join(dir, file), "");
    },
    take: (file) => rmSync(join(dir, file), { force: true }),
    isWaiting: () => existsSync(join(dir, "waiting")),
    runs,
    starts: (command) =>
      runs()
        .filter((run) => run.event === "start")
        .filter((run) => run.argv.join(" ").startsWith(command)),
  };
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
