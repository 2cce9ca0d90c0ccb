import { SQL } from "bun";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startNats, type NatsServer } from "@restic-manager/server/testing/nats";
import { startPostgres, type PostgresCluster } from "@restic-manager/server/testing/postgres-cluster";
import { FleetServer } from "../fleet-server.ts";
import { cpuSecondsOf } from "./process-figures.ts";

const BALANCER = join(import.meta.dirname, "balancer-program.ts");

/** Servers on one store, and a port behind which all of them are. */
export interface NodesWorld {
  servers: FleetServer[];
  port: number;
  /** Seconds of CPU so far: of the servers that live, of PostgreSQL and of NATS. */
  cpu(): { servers: number; postgres: number; nats: number };
  stop(): Promise<void>;
}

export interface NodesOptions {
  folder: string;
  hosts: number;
  seed: number;
}

/** One server on SQLite, as it comes. */
export async function aloneOnSqlite({ folder, hosts, seed }: NodesOptions): Promise<NodesWorld> {
  const server = await FleetServer.start({ folder, hosts, seed });
  const balancer = await startBalancerProgram([server.port]);
  return {
    servers: [server],
    port: balancer.port,
    cpu: () => ({ servers: cpuSecondsOf(server.pid).own, postgres: 0, nats: 0 }),
    async stop() {
      await balancer.stop();
      await server.stop();
    },
  };
}

/** Several servers on one PostgreSQL that waits for its disk, and one NATS. */
export async function manyServers(count: number, options: NodesOptions): Promise<NodesWorld> {
  const postgres = await startPostgres(process.env, { durable: true });
  const nats = await startNats();
  const servers: FleetServer[] = [];
  const gone = new Set<FleetServer>();
  let balancer: Awaited<ReturnType<typeof startBalancerProgram>> | undefined;
  const stop = async () => {
    await balancer?.stop();
    for (const server of servers) if (!gone.has(server)) await server.kill().catch(() => undefined);
    await nats.stop();
    await postgres.stop();
  };
  try {
    const env = { RM_NATS_URL: nats.url };
    const databaseUrl = await makeDatabase(postgres);
    const folder = (at: number) => join(options.folder, `server-${at}`);
    const first = await FleetServer.start({ ...options, folder: folder(0), databaseUrl, env });
    servers.push(first);
    for (let at = 1; at < count; at += 1)
      servers.push(await FleetServer.join(first, { folder: folder(at), env }));
    balancer = await startBalancerProgram(servers.map(({ port }) => port));
    return { servers, port: balancer.port, cpu: () => cpuOf(servers, postgres, nats), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function makeDatabase(postgres: PostgresCluster): Promise<string> {
  const sql = new SQL(postgres.url, { max: 1 });
  await sql`create database fleet`;
  await sql.close();
  const url = new URL(postgres.url);
  url.pathname = "/fleet";
  return url.href;
}

function cpuOf(servers: FleetServer[], postgres: PostgresCluster, nats: NatsServer) {
  const main = cpuSecondsOf(postgres.pid);
  const backends = childrenOf(postgres.pid).map((pid) => ownCpu(pid));
  return {
    servers: servers.reduce((sum, { pid }) => sum + ownCpu(pid), 0),
    postgres: main.own + main.children + backends.reduce((sum, one) => sum + one, 0),
    nats: ownCpu(nats.pid),
  };
}

/** 0 for one that has just ended. */
function ownCpu(pid: number): number {
  try {
    return cpuSecondsOf(pid).own;
  } catch {
    return 0;
  }
}

/** Processes whose parent is `pid`. */
function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((each) => {
      if (!Number.isInteger(each) || each <= 0) return false;
      try {
        const stat = readFileSync(`/proc/${each}/stat`, "latin1");
        return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === pid;
      } catch {
        return false;
      }
    });
}

async function startBalancerProgram(ports: number[]) {
  const child = Bun.spawn([process.execPath, BALANCER, ...ports.map(String)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  const port = Number(/balances on (\d+)/.exec(new TextDecoder().decode(value))?.[1]);
  return {
    port,
    async stop() {
      child.kill();
      await child.exited;
    },
  };
}
