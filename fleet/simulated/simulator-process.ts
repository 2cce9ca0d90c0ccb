import { join } from "node:path";
import type { Order, OrderName, Orders, Reply } from "./orders.ts";

const PROGRAM = join(import.meta.dirname, "program.ts");
/** A simulator that does not answer for so long is ended. */
const ANSWER_MS = 180_000;

/** A simulator in a process of its own, and the channel to it. */
export class SimulatorProcess {
  readonly #child: Bun.Subprocess<"ignore", "inherit", "inherit">;
  readonly #waiting = new Map<
    number,
    { resolve: (answer: unknown) => void; reject: (error: Error) => void }
  >();
  #orders = 0;

  constructor() {
    this.#child = Bun.spawn([process.execPath, PROGRAM], {
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
      ipc: (message) => {
        // The program writes `Reply`s and nothing else.
        const reply = message as Reply;
        const asked = this.#waiting.get(reply.id);
        this.#waiting.delete(reply.id);
        if ("error" in reply) asked?.reject(new Error(reply.error));
        else asked?.resolve(reply.answer);
      },
      onExit: (_child, code, signal) => {
        for (const { reject } of this.#waiting.values())
          reject(new Error(`a simulator ended with ${signal ?? code}`));
        this.#waiting.clear();
      },
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** @throws Error with the simulator's words, or when it has ended or is silent for three minutes. */
  async ask<K extends OrderName>(name: K, asks: Orders[K]["asks"]): Promise<Orders[K]["answers"]> {
    const id = (this.#orders += 1);
    // Name and question belong together by this method's types, which the compiler cannot carry into the union.
    const order = { id, name, asks } as Order;
    const timer = setTimeout(() => this.kill(), ANSWER_MS);
    try {
      const answer = await new Promise<unknown>((resolve, reject) => {
        if (this.#child.exitCode !== null || this.#child.killed)
          return reject(new Error("the simulator has ended"));
        this.#waiting.set(id, { resolve, reject });
        this.#child.send(order);
      });
      return answer as Orders[K]["answers"];
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends it as a power cut would. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async end(): Promise<void> {
    this.kill();
    await this.#child.exited;
  }
}
