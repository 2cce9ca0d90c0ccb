import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { realRestic, startRestServer, type RestServer } from "@restic-manager/restic/testing/real";
import { REPOSITORY_PASSWORD } from "./real-repository.ts";
import type { Casting } from "./stage.ts";
import { until } from "./until.ts";

/** Nothing that the agent keeps may hold one of these. */
export const BOSS = { username: "boss", password: "the-password-that-may-delete" } as const;
const MACHINE = { username: "machine", password: "the everyday password" } as const;

/** Two real rest-servers over one folder: one where a machine may only add, and one where the boss may delete. */
export class AppendOnlyRepository {
  readonly #everyday: RestServer;
  readonly #deleting: RestServer;
  readonly #folder: string;

  static async start(folder: string): Promise<AppendOnlyRepository> {
    const everyday = await startRestServer({
      users: { [MACHINE.username]: MACHINE.password },
      appendOnly: true,
    });
    const deleting = await startRestServer({
      users: { [BOSS.username]: BOSS.password },
      dataDir: everyday.dataDir,
    });
    return new AppendOnlyRepository(everyday, deleting, folder);
  }

  private constructor(everyday: RestServer, deleting: RestServer, folder: string) {
    this.#everyday = everyday;
    this.#deleting = deleting;
    this.#folder = folder;
  }

  /** Where the boss may delete in the repository called `name`. */
  deletingUrl(name: string): string {
    return `${this.#deleting.url}${name}/`;
  }

  async stop(): Promise<void> {
    await this.#deleting.stop();
    await this.#everyday.stop();
  }

  casting(name: string, repository: string, includes: string[]): Casting {
    const repositoryUrl = `${this.#everyday.url}${repository}/`;
    return {
      name,
      restic: realRestic(),
      repositoryUrl,
      ...MACHINE,
      repositoryPassword: REPOSITORY_PASSWORD,
      includes,
    };
  }

  /** A restic of the boss, by itself. */
  spawn(name: string, args: string[]) {
    return Bun.spawn([realRestic(), ...args], {
      env: {
        RESTIC_REPOSITORY: this.deletingUrl(name),
        RESTIC_PASSWORD: REPOSITORY_PASSWORD,
        RESTIC_REST_USERNAME: BOSS.username,
        RESTIC_REST_PASSWORD: BOSS.password,
        RESTIC_CACHE_DIR: join(this.#folder, "boss-cache"),
        HOME: this.#folder,
        PATH: "/usr/bin:/bin",
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
  }

  /** What the restic CLI says. Throws with its words when it fails. */
  async restic(name: string, args: string[]): Promise<string> {
    const child = this.spawn(name, args);
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (code !== 0) throw new Error(`restic ${args.join(" ")} ended with ${code}: ${err}`);
    return out;
  }

  /** A restic of somebody else, on this machine, that holds a lock: its backup has 20 KiB/s for megabytes. */
  async holdLock(name: string) {
    const many = join(this.#folder, "many");
    mkdirSync(many, { recursive: true });
    for (let n = 0; n < 40; n += 1)
      writeFileSync(join(many, String(n)), crypto.getRandomValues(new Uint8Array(65_536)));
    const child = this.spawn(name, ["backup", "--limit-upload", "20", "--host", "somebody", many]);
    await until("somebody has a lock", async () => (await this.locks(name)).length > 0);
    return child;
  }

  /** The locks there are, as the restic CLI lists them. */
  async locks(name: string): Promise<string[]> {
    const listed = await this.restic(name, ["list", "locks", "--no-lock"]);
    return listed.split("\n").filter((line) => line !== "");
  }

  /** How many bytes the packs of a repository take on the disk of its server. */
  packBytes(name: string): number {
    return filesBelow(join(this.#everyday.dataDir, name, "data")).reduce(
      (sum, path) => sum + statSync(path).size,
      0,
    );
  }

  /** Changes a byte in the middle of the largest pack, and gives its id and how to put it right again. */
  flipByte(name: string): { pack: string; mend: () => void } {
    const data = join(this.#everyday.dataDir, name, "data");
    const [largest] = filesBelow(data)
      // What an upload that was cut off left behind is no pack.
      .filter((path) => /\/[0-9a-f]{64}$/.test(path))
      .map((path) => ({ path, size: statSync(path).size }))
      .toSorted((a, b) => b.size - a.size);
    if (largest === undefined) throw new Error("there is no data");
    const flip = () => {
      const file = openSync(largest.path, "r+");
      const byte = new Uint8Array(1);
      const at = Math.floor(largest.size / 2);
      readSync(file, byte, 0, 1, at);
      writeSync(file, new Uint8Array([(byte[0] ?? 0) ^ 0xff]), 0, 1, at);
      closeSync(file);
    };
    flip();
    return { pack: largest.path.slice(-64), mend: flip };
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The files below a folder that hold a text, in plain or in base64. */
export function filesWith(folder: string, text: string): string[] {
  const wanted = [Buffer.from(text), Buffer.from(Buffer.from(text).toString("base64").replace(/=+$/, ""))];
  return filesBelow(folder).filter((path) => {
    const content = readFileSync(path);
    return wanted.some((one) => content.includes(one));
  });
}
