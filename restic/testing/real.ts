import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The real restic for tests: `RM_TEST_RESTIC`, else the one that script/setup put into `.tools/`. */
export function realRestic(): string {
  return find("RM_TEST_RESTIC", "restic");
}

/** The real rest-server for tests: `RM_TEST_REST_SERVER`, else the one in `.tools/`. */
export function realRestServer(): string {
  return find("RM_TEST_REST_SERVER", "rest-server");
}

function find(variable: string, name: string): string {
  const path = process.env[variable] ?? join(import.meta.dirname, "../../.tools/restic", name);
  if (!existsSync(path))
    throw new Error(`there is no ${name} at ${path}; run script/setup or set ${variable}`);
  return path;
}

export type RestServerOptions = {
  /** User names and passwords; without it, anyone may do anything. */
  users?: Record<string, string>;
  appendOnly?: boolean;
  /** A user sees only what is below `/<user>/`. */
  privateRepos?: boolean;
  maxSizeBytes?: number;
  /** An existing folder, for two servers over one; by default one of its own that `stop` removes. */
  dataDir?: string;
  /** To come back at the same address; by default a free one. */
  port?: number;
};

export type RestServer = {
  /** For restic: `rest:http://127.0.0.1:PORT/`; append the repository's path. Carries no credentials. */
  url: string;
  port: number;
  pid: number;
  dataDir: string;
  stop: () => Promise<void>;
};

/** Starts a real rest-server on loopback and comes back when it listens. */
export async function startRestServer(options: RestServerOptions = {}): Promise<RestServer> {
  const dir = mkdtempSync(join(tmpdir(), "rm-rest-server-"));
  const dataDir = options.dataDir ?? join(dir, "data");
  mkdirSync(dataDir, { recursive: true });
  const server = Bun.spawn([realRestServer(), ...args(options, dir, dataDir)], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    env: { PATH: "/usr/bin:/bin" },
  });
  const stop = async (): Promise<void> => {
    server.kill("SIGKILL");
    await server.exited;
    rmSync(dir, { recursive: true, force: true });
  };
  const { port, text } = await listening(server.stderr);
  if (port === undefined) {
    await stop();
    throw new Error(`rest-server ended before it listened: ${text}`);
  }
  return { url: `rest:http://127.0.0.1:${port}/`, port, pid: server.pid, dataDir, stop };
}

/** A line of an htpasswd file that rest-server accepts (SHA-1, as `htpasswd -s` writes it; for tests only). */
export function htpasswdLine(user: string, password: string): string {
  return `${user}:{SHA}${createHash("sha1").update(password).digest("base64")}`;
}

function args(options: RestServerOptions, dir: string, dataDir: string): string[] {
  const { users, port, maxSizeBytes } = options;
  const list = ["--listen", `127.0.0.1:${port ?? 0}`, "--path", dataDir];
  if (users === undefined) list.push("--no-auth");
  else {
    const file = join(dir, "htpasswd");
    writeFileSync(
      file,
      `${Object.entries(users)
        .map(([user, password]) => htpasswdLine(user, password))
        .join("\n")}\n`,
    );
    list.push("--htpasswd-file", file);
  }
  if (options.appendOnly === true) list.push("--append-only");
  if (options.privateRepos === true) list.push("--private-repos");
  if (maxSizeBytes !== undefined) list.push("--max-size", String(maxSizeBytes));
  return list;
}

/** rest-server says where it listens once it does; the rest of its output is thrown away. */
async function listening(stderr: ReadableStream<Uint8Array>): Promise<{ port?: number; text: string }> {
  const reader = stderr.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text };
    text += decoder.decode(value, { stream: true });
    const port = /start server on \S*:(\d+)\n/.exec(text)?.[1];
    if (port === undefined) continue;
    void drain(reader);
    return { port: Number(port), text };
  }
}

async function drain(reader: { read: () => Promise<{ done: boolean }> }): Promise<void> {
  for (;;) if ((await reader.read()).done) return;
}
