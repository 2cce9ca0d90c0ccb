import { appendFileSync } from "node:fs";

/** How many lines of a program's output a failure shows. */
const TAIL_LINES = 25;

export interface ProgramOptions {
  /** What the reader knows it by. */
  name: string;
  argv: string[];
  env?: Record<string, string>;
  cwd?: string;
  /** Where everything it prints is kept. */
  logFile: string;
}

/** Something went wrong with a program; the message ends with what it printed last. */
export class ProgramError extends Error {
  override name = "ProgramError";
}

/** A program that runs beside us: its output is kept, searched and shown when it fails. */
export class Program {
  readonly name: string;
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #logFile: string;
  readonly #read: Promise<unknown>;
  #text = "";
  #heard: () => void = () => undefined;
  #over = false;

  constructor({ name, argv, env, cwd, logFile }: ProgramOptions) {
    this.name = name;
    this.#logFile = logFile;
    const path = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };
    this.#child = Bun.spawn(argv, {
      env: { ...path, ...env },
      ...(cwd === undefined ? {} : { cwd }),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      // A group of its own: Ctrl-C is ours to pass on, in the right order.
      detached: true,
    });
    this.#read = Promise.all([this.#follow(this.#child.stdout), this.#follow(this.#child.stderr)]);
    void this.#child.exited
      .then(() => this.#read)
      .then(() => {
        this.#over = true;
        this.#heard();
      });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** How it ended: its exit code or the signal's name; undefined while it runs. */
  get end(): string | undefined {
    const { exitCode, signalCode } = this.#child;
    if (signalCode !== null && signalCode !== undefined) return String(signalCode);
    return exitCode === null ? undefined : `exit code ${exitCode}`;
  }

  /** The exit code, once it has ended. */
  get exited(): Promise<number> {
    return this.#child.exited;
  }

  /**
   * Waits until it has printed what matches, and answers the match.
   *
   * @throws ProgramError if it ends or `seconds` pass before.
   */
  async says(pattern: RegExp, seconds = 30): Promise<RegExpExecArray> {
    const late = Date.now() + seconds * 1000;
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match) return match;
      if (this.#over) throw new ProgramError(`${this.name} ended with ${await this.exited}.${this.tail()}`);
      const left = late - Date.now();
      if (left <= 0) throw new ProgramError(`${this.name} is not ready after ${seconds} s.${this.tail()}`);
      await this.#more(left);
    }
  }

  /** @throws ProgramError if it has ended. */
  async mustRun(): Promise<void> {
    if (this.#over) throw new ProgramError(`${this.name} ended with ${await this.exited}.${this.tail()}`);
  }

  /** What it printed last, for a person to read; begins with a line break. */
  tail(): string {
    const lines = this.#text.trimEnd().split("\n").slice(-TAIL_LINES);
    return `\n--- the end of ${this.#logFile}\n${lines.join("\n")}\n---`;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end, insists after `seconds`, and waits until its whole group is gone. */
  async stop(seconds = 10): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#killGroup(), seconds * 1000);
    await this.#child.exited;
    clearTimeout(timer);
    this.#killGroup();
    await this.#read; // ends when nobody of the group is left to print
  }

  #killGroup(): void {
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // Nobody is left in the group.
    }
  }

  async #follow(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const piece of stream) {
      appendFileSync(this.#logFile, piece);
      // The file has everything; here the end is enough.
      this.#text = (this.#text + decoder.decode(piece, { stream: true })).slice(-64 * 1024);
      this.#heard();
    }
  }

  /** Resolves when it has printed more or ended, or after `milliseconds`. */
  #more(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#heard = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
