import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A PostgreSQL server of the tests' own: reached by a socket only, in a temporary folder, with durability off unless told. */
export interface PostgresCluster {
  /** URL of its `postgres` database; every database of the cluster differs in the path only. */
  url: string;
  /** Of the process whose children do the work. */
  pid: number;
  /** Ends the server and removes its folder. Ending this process, even by `kill -9`, does the same. */
  stop(): Promise<void>;
}

/**
 * Becomes the server, and leaves a watcher behind that ends it and clears up once the process at the other end of
 * its standard input is gone.
 */
const guarded = `
  folder=$1; shift
  exec 3<&0
  (
    cat <&3 >/dev/null
    kill -INT $$
    for _ in $(seq 100); do kill -0 $$ || break; sleep 0.05; done
    rm -rf "$folder"
  ) </dev/null >/dev/null 2>&1 &
  exec "$@" 3<&- </dev/null
`;

/**
 * Starts a cluster as an unprivileged user (PostgreSQL refuses root).
 *
 * @param durable waits for the disk at each commit, as in production; for measuring.
 * @param env says where the server programs are (`RM_TEST_POSTGRES_BIN`); otherwise Debian's folders are searched.
 * @throws Error with what PostgreSQL printed, if it does not start.
 */
export async function startPostgres(
  env: Record<string, string | undefined> = process.env,
  { durable = false }: { durable?: boolean } = {},
): Promise<PostgresCluster> {
  const bin = env["RM_TEST_POSTGRES_BIN"] || serverPrograms();
  const owner = unprivilegedOwner();
  // Short on purpose: a socket's path may have 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), "rm-pg-"));
  if (owner) chownSync(folder, owner.uid, owner.gid);
  const how = { ...owner, cwd: folder, env: { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" } };

  const data = join(folder, "data");
  try {
    await initialise(bin, data, how);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }

  const hasty = durable ? [] : ["fsync=off", "full_page_writes=off"];
  const settings = ["listen_addresses=", "max_connections=200", ...hasty];
  const postgres = [
    join(bin, "postgres"),
    "-D",
    data,
    "-k",
    folder,
    ...settings.flatMap((one) => ["-c", one]),
  ];
  const server = Bun.spawn(["/bin/sh", "-c", guarded, "guarded", folder, ...postgres], {
    ...how,
    // A group of its own: a Ctrl-C in the terminal must not end it under the tests that still run.
    detached: true,
    stdin: "pipe",
    stdout: "ignore",
    stderr: "pipe",
  });
  const stop = async () => {
    await server.stdin.end();
    await server.exited;
  };
  const failure = await readUntilReady(server.stderr);
  if (failure !== undefined) {
    await stop();
    throw new Error(`PostgreSQL did not start: ${failure}`);
  }
  server.unref();
  return {
    pid: server.pid,
    url: `postgres://rm@localhost/postgres?host=${encodeURIComponent(folder)}`,
    stop,
  };
}

/** Makes the files of a new cluster in `data`; anyone who reaches its socket is `rm`, its superuser. */
export async function initialise(
  bin: string,
  data: string,
  how: Bun.SpawnOptions.BaseOptions<"ignore", "pipe", "pipe">,
) {
  const initdb = Bun.spawn(
    [join(bin, "initdb"), "-D", data, "-A", "trust", "-U", "rm", "-E", "UTF8", "--locale=C", "--no-sync"],
    { ...how, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  const [, complaint, code] = await Promise.all([
    new Response(initdb.stdout).text(),
    new Response(initdb.stderr).text(),
    initdb.exited,
  ]);
  if (code !== 0) throw new Error(`initdb failed with ${code}: ${complaint.trim()}`);
}

/** Resolves to nothing once the server accepts connections, or to what it said if it ended before. */
async function readUntilReady(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string | undefined> {
  const decoder = new TextDecoder();
  const reader = stderr.getReader();
  let said = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return said.trim();
    said += decoder.decode(value, { stream: true });
    if (said.includes("ready to accept connections")) break;
    if (/^.*FATAL: .*$/m.test(said)) return said.trim();
  }
  // An unread pipe would stop the server when it is full.
  void (async () => {
    while (!(await reader.read()).done);
  })();
  return undefined;
}

/** The folder of the newest PostgreSQL server programs. Throws when there are none. */
export function serverPrograms(): string {
  const root = "/usr/lib/postgresql";
  const newestFirst = existsSync(root) ? readdirSync(root).toSorted((a, b) => Number(b) - Number(a)) : [];
  for (const version of newestFirst) {
    const bin = join(root, version, "bin");
    if (existsSync(join(bin, "initdb"))) return bin;
  }
  throw new Error("PostgreSQL's server programs (initdb, postgres) are missing: run script/setup");
}

/** Who owns the cluster when the tests run as root; nothing to change otherwise. */
export function unprivilegedOwner(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const people = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = people.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(
    "PostgreSQL does not run as root, and this machine has neither a postgres nor a nobody user",
  );
}
