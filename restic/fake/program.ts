// A scripted restic. Started by the small script that `installFakeRestic` writes: program.ts DIR ARGUMENTS…
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commands, type FakeRun } from "./commands.ts";
import { scenario, step, type Step } from "./scenario.ts";
import { FakeRepository } from "./state.ts";

if (import.meta.main) await main();

async function main(): Promise<void> {
  const [dir = ".", ...argv] = process.argv.slice(2);
  const played = scenario.parse(JSON.parse(readFileSync(join(dir, "scenario.json"), "utf8")));
  const record = (entry: unknown): void =>
    appendFileSync(join(dir, "runs.log"), `${JSON.stringify(entry)}\n`);
  record({
    event: "start",
    pid: process.pid,
    argv,
    environment: Object.keys(process.env).sort(),
    repository: process.env["RESTIC_REPOSITORY"],
    username: process.env["RESTIC_REST_USERNAME"],
  });
  // A reader that died ends restic too (Go dies of a broken pipe on standard output).
  process.stdout.on("error", () => process.exit(141));
  process.stderr.on("error", () => process.exit(141));

  let cleanUp = (): void => {};
  const exit = (code: number): never => {
    cleanUp();
    record({ event: "end", pid: process.pid, code });
    process.exit(code);
  };
  let deaf = false;
  const onSignal = (): void => {
    if (deaf) return;
    const message = JSON.stringify({
      message_type: "exit_error",
      code: 130,
      message: "Fatal: unable to save snapshot: context canceled",
    });
    void print("stderr", `signal terminated received, cleaning up\n${message}\n`).then(() => exit(130));
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);

  const run: FakeRun = {
    argv,
    scenario: played,
    repository: new FakeRepository(dir),
    print,
    onCleanUp: (action) => (cleanUp = action),
    waitFor: (file) => waitFor(dir, file),
    ignoreTerm: () => (deaf = true),
  };
  const name = argv.filter((argument) => !argument.startsWith("-"));
  const command = ["cat", "list"].includes(name[0] ?? "") ? name.slice(0, 2).join(" ") : (name[0] ?? "");
  const steps = played.commands[command];
  exit(await (steps === undefined ? (commands[command]?.(run) ?? 1) : play(steps, run)));
}

async function play(steps: readonly Step[], run: FakeRun): Promise<number> {
  for (const given of steps) {
    const now = step.parse(given);
    switch (now.do) {
      case "print":
        await print(now.stream, `${now.text}\n`);
        break;
      case "lines":
        for (let n = 1; n <= now.count; n++)
          await print(now.stream, `${now.text.replaceAll("{n}", String(n))}\n`);
        break;
      case "flood":
        for (let left = now.bytes; left > 0; left -= 65_536)
          await print(now.stream, "x".repeat(Math.min(left, 65_536)));
        break;
      case "wait_for":
        await run.waitFor(now.file);
        break;
      case "ignore_term":
        run.ignoreTerm();
        break;
      case "hold_pipe": {
        const argv = [...(now.own_session ? ["/usr/bin/setsid"] : []), "/bin/sleep", String(now.seconds)];
        Bun.spawn(argv, { stdin: "ignore", stdout: "inherit", stderr: "inherit" }).unref();
        break;
      }
      case "hang":
        await new Promise(() => setInterval(() => {}, 1 << 30));
        break;
      case "exit":
        return now.code;
      case "kill_self":
        process.kill(process.pid, "SIGKILL");
    }
  }
  return 0;
}

/** Writes and waits until the reader has taken it. */
function print(stream: "stdout" | "stderr", text: string): Promise<void> {
  return new Promise((resolve) => void process[stream].write(text, () => resolve()));
}

async function waitFor(dir: string, file: string): Promise<void> {
  if (existsSync(join(dir, file))) return;
  writeFileSync(join(dir, "waiting"), String(process.pid));
  // Looking is what a program without a name for its waiter can do.
  while (!existsSync(join(dir, file))) await Bun.sleep(20);
}
