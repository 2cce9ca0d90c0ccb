import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { realRestic, startRestServer, type RestServer } from "@restic-manager/restic/testing/real";
import type { Casting } from "./stage.ts";

const ACCOUNT = { username: "machine", password: "the rest-server's password" } as const;
export const REPOSITORY_PASSWORD = "the repository's password";

/** A real rest-server with one account, and the real restic to look into what agents left there. */
export class RealRepository {
  readonly #server: RestServer;
  readonly #folder: string;

  static async start(folder: string): Promise<RealRepository> {
    const server = await startRestServer({ users: { [ACCOUNT.username]: ACCOUNT.password } });
    return new RealRepository(server, folder);
  }

  private constructor(server: RestServer, folder: string) {
    this.#server = server;
    this.#folder = folder;
  }

  get port(): number {
    return this.#server.port;
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** How to add a machine that backs up `includes` to the repository called `name`. */
  casting(name: string, includes: string[]): Casting {
    const repositoryUrl = `${this.#server.url}${name}/`;
    const secrets = { ...ACCOUNT, repositoryPassword: REPOSITORY_PASSWORD };
    return { name, restic: realRestic(), repositoryUrl, ...secrets, includes };
  }

  /** Runs the restic CLI by itself. Throws with its words when it fails. */
  async restic(name: string, args: string[], password: string = REPOSITORY_PASSWORD): Promise<string> {
    return await this.#run([realRestic(), ...args], {
      RESTIC_REPOSITORY: `${this.#server.url}${name}/`,
      RESTIC_PASSWORD: password,
    });
  }

  /** Runs a command that somebody pasted into a shell. It names the repository itself, as a person who knows the passwords would use it. */
  async shell(command: string): Promise<string> {
    return await this.#run(["/bin/sh", "-c", command], { RESTIC_PASSWORD: REPOSITORY_PASSWORD });
  }

  async #run(argv: string[], env: Record<string, string>): Promise<string> {
    const child = Bun.spawn(argv, {
      env: {
        RESTIC_REST_USERNAME: ACCOUNT.username,
        RESTIC_REST_PASSWORD: ACCOUNT.password,
        RESTIC_CACHE_DIR: join(this.#folder, "restic-cache"),
        HOME: this.#folder,
        PATH: `${dirname(realRestic())}:/usr/bin:/bin`,
        ...env,
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}: ${err}`);
    return out;
  }
}

/** Writes `count` small files below `folder` and answers the folder. */
export function smallFiles(folder: string, count: number): string {
  mkdirSync(folder, { recursive: true });
  for (let n = 0; n < count; n += 1) writeFileSync(join(folder, `file${n}`), `content of file ${n}\n`);
  return folder;
}

/** Writes content that neither compression nor deduplication makes smaller. */
export function incompressible(path: string, bytes: number): void {
  const content = new Uint8Array(bytes);
  for (let from = 0; from < bytes; from += 65_536)
    crypto.getRandomValues(content.subarray(from, Math.min(bytes, from + 65_536)));
  writeFileSync(path, content);
}
