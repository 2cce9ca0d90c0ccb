import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const state = z.object({ id: z.string().optional(), snapshots: z.array(z.record(z.string(), z.unknown())) });
const lock = z.object({
  time: z.string(),
  exclusive: z.boolean(),
  hostname: z.string(),
  username: z.string(),
  pid: z.number(),
});

export type FakeState = z.infer<typeof state>;
export type FakeLock = z.infer<typeof lock>;

/** The scripted repository: `state.json` and one file per lock, beside the program. */
export class FakeRepository {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(join(dir, "locks"), { recursive: true });
  }

  read(): FakeState {
    const path = join(this.#dir, "state.json");
    return existsSync(path) ? state.parse(JSON.parse(readFileSync(path, "utf8"))) : { snapshots: [] };
  }

  write(next: FakeState): void {
    const path = join(this.#dir, "state.json");
    writeFileSync(`${path}.${process.pid}`, JSON.stringify(next));
    renameSync(`${path}.${process.pid}`, path);
  }

  lock(hostname: string): () => void {
    const path = join(this.#dir, "locks", newId());
    const held = {
      time: new Date().toISOString(),
      exclusive: false,
      hostname,
      username: "root",
      pid: process.pid,
    };
    writeFileSync(path, JSON.stringify(held));
    return () => rmSync(path, { force: true });
  }

  locks(): Map<string, FakeLock> {
    const dir = join(this.#dir, "locks");
    return new Map(
      readdirSync(dir).map((id) => [id, lock.parse(JSON.parse(readFileSync(join(dir, id), "utf8")))]),
    );
  }

  unlock(): number {
    const stale = [...this.locks()].filter(([, { pid }]) => !existsSync(`/proc/${pid}`));
    for (const [id] of stale) rmSync(join(this.#dir, "locks", id), { force: true });
    return stale.length;
  }
}

/** 64 hexadecimal digits, as restic's ids are. */
export function newId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
}
