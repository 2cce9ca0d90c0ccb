import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Program } from "./program.ts";

/** What a trial run has made and must take away again: a folder, and programs in the order in which they started. */
export interface Stage {
  folder: string;
  programs: Program[];
}

/**
 * Plays on a stage of its own and clears it, whatever happens, then ends this process: 0 if all went well, 130 if a signal cut
 * it short, 1 with the reason if anything failed.
 *
 * @param play what to do; a stage is kept until Ctrl-C, or until a program of it dies, if it answers `stay`.
 */
export async function perform(
  name: string,
  play: (stage: Stage) => Promise<"stay" | "done">,
): Promise<never> {
  const stage: Stage = {
    folder: mkdtempSync(join(tmpdir(), `rm-${name.replaceAll(" ", "-")}-`)),
    programs: [],
  };
  const interrupted = new Promise<"interrupted">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => resolve("interrupted"));
  });
  let code = 0;
  try {
    const outcome = await Promise.race([play(stage), interrupted]);
    if (outcome === "interrupted") code = 130;
    if (outcome === "stay") await Promise.race([interrupted, ...stage.programs.map(deathOf)]);
  } catch (error) {
    console.error(`\nThe ${name} failed: ${error instanceof Error ? error.message : String(error)}`);
    code = 1;
  }
  for (const program of stage.programs.toReversed()) await program.stop();
  rmSync(stage.folder, { recursive: true, force: true });
  process.exit(code);
}

async function deathOf(program: Program): Promise<void> {
  await program.exited;
  await program.mustRun();
}

/** Adds the end of a program's log to whatever fails meanwhile. */
export async function watching<T>(program: Program, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}${program.tail()}`, {
      cause: error,
    });
  }
}

/** Asks four times a second until there is an answer. */
export async function until<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  const late = Date.now() + seconds * 1000;
  while (Date.now() < late) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await Bun.sleep(250);
  }
  throw new Error(`waited ${seconds} s in vain until ${what}`);
}

/** The program that `script/env.bash` has found. */
export function found(variable: string, name: string): string {
  const path = process.env[variable];
  if (!path || !existsSync(path))
    throw new Error(`${name} is missing: start this by its command in script/, which sets it up`);
  return path;
}

/** The wanted port, or a free one, saying so, if another program has it. Port 0 is always a free one. */
export async function freePort(wanted: number): Promise<number> {
  const port = await portOf(wanted);
  if (port !== undefined) return port;
  const other = await portOf(0);
  if (other === undefined) throw new Error("this machine has no free port");
  console.log(`Port ${wanted} is taken by another program: using ${other}.`);
  return other;
}

async function portOf(wanted: number): Promise<number | undefined> {
  try {
    const server = Bun.serve({ hostname: "127.0.0.1", port: wanted, fetch: () => new Response() });
    const { port } = server;
    await server.stop(true);
    return port;
  } catch {
    return undefined;
  }
}
