import type { Role } from "@restic-manager/protocol/api/session";
import { UserId } from "@restic-manager/protocol/ids";
import { insertAccount } from "@restic-manager/server/auth/store";
import { startSession } from "@restic-manager/server/auth/sessions";
import { systemClock } from "@restic-manager/server/platform/clock";
import { openDatabase, type OpenStore } from "@restic-manager/server/platform/db/open";
import type { Database } from "@restic-manager/server/platform/db/schema";
import { createIds } from "@restic-manager/server/platform/ids";
import { openSeal, type Seal } from "@restic-manager/server/platform/seal";
import { hashToken } from "@restic-manager/server/platform/token";
import { sealCredentials } from "@restic-manager/server/repositories/credentials";
import { identityOf, SIMULATED_GROUP, simulatedRepository } from "./simulated/identity.ts";

/** Rows of one statement: SQLite takes 32,766 parameters. */
const ROWS_AT_ONCE = 500;
const HOUR_MS = 3_600_000;

export interface SeedOptions {
  /** As `RM_DATABASE_URL`. */
  databaseUrl: string;
  /** The server's; made when there is none. */
  secretKeyFile: string;
  /** As many hosts, which `startAgents` with the same seed connects as. */
  hosts: number;
  seed: number;
  /** Of the session; `operator` unless told. */
  role?: Role;
  /** Writes what else the store should hold. */
  more?: (db: Database) => Promise<void>;
}

/**
 * Makes a store as enrolment would have left it: hosts with credentials, one source group and an open repository each, and somebody
 * who is signed in. Rows are written directly, since enrolling 10,000 machines takes minutes. Answers the session's cookie.
 */
export async function seedStore(options: SeedOptions): Promise<{ cookie: string }> {
  const store = await openDatabase(options.databaseUrl);
  try {
    const seal = await openSeal(store.db, options.secretKeyFile);
    for (let from = 0; from < options.hosts; from += ROWS_AT_ONCE)
      await addHosts(store, seal, options.seed, from, Math.min(options.hosts, from + ROWS_AT_ONCE));
    await options.more?.(store.db);
    return { cookie: await signIn(store.db, options.role ?? "operator") };
  } finally {
    await store.close();
  }
}

async function addHosts(
  { db }: OpenStore,
  seal: Seal,
  seed: number,
  from: number,
  to: number,
): Promise<void> {
  const now = Date.now();
  const machines = Array.from({ length: to - from }, (_, at) => identityOf(seed, from + at));
  await db.transaction().execute(async (trx) => {
    await trx
      .insertInto("hosts")
      .values(
        machines.map(({ hostId, name, bearer, machineId, repositoryId }) => ({
          id: hostId,
          name,
          name_key: name,
          snapshot_host: name,
          bearer_hash: hashToken(bearer),
          created_at: now - 24 * HOUR_MS,
          os: "linux",
          os_name: "Debian GNU/Linux 12 (bookworm)",
          arch: "x64",
          machine_id: machineId,
          restic_state: "ok" as const,
          restic_version: "0.18.0",
          repository_id: repositoryId,
          config_applied_version: 1,
        })),
      )
      .execute();
    await trx
      .insertInto("repository_credentials")
      .values(
        machines.map((machine) => sealCredentials(seal, machine.hostId, simulatedRepository(machine), now)),
      )
      .execute();
    await trx
      .insertInto("source_groups")
      .values(
        machines.map(({ hostId, groupId }) => ({
          id: groupId,
          host_id: hostId,
          name: SIMULATED_GROUP.name,
          includes: JSON.stringify(SIMULATED_GROUP.includes),
          excludes: JSON.stringify(SIMULATED_GROUP.excludes),
          created_at: now - 24 * HOUR_MS,
        })),
      )
      .execute();
    await trx
      .insertInto("jobs")
      .values(
        machines.map(({ hostId, initJobId, repositoryId }) => ({
          id: initJobId,
          host_id: hostId,
          kind: "init" as const,
          state: "succeeded" as const,
          actor_kind: "system" as const,
          actor_name: "restic-manager",
          input: "{}",
          result: JSON.stringify({ repository_id: repositoryId, created: true }),
          created_at: now - 24 * HOUR_MS,
          started_at: now - 24 * HOUR_MS,
          finished_at: now - 24 * HOUR_MS,
        })),
      )
      .execute();
  });
}

async function signIn(db: Database, role: Role): Promise<string> {
  const clock = systemClock();
  const user = { id: createIds(clock).mint(UserId), username: `fleet-${role}`, role };
  const token = await db.transaction().execute(async (trx) => {
    await insertAccount(trx, { ...user, passwordHash: "none", createdAt: clock.now() });
    return startSession(trx, clock, user, { address: null, userAgent: null }, null);
  });
  return `rm_session=${token}`;
}
