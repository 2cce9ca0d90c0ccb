import type { AgentConfig, RepositoryCredentials } from "@restic-manager/protocol/config";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Database, Trx } from "../platform/db/schema.ts";
import { askInShapes } from "../platform/db/shapes.ts";
import type { Seal } from "../platform/seal.ts";
import { openCredentials, sealCredentials } from "./credentials.ts";
import { hostsWithoutInit, readCredentials, readHostName, writeCredentials } from "./store.ts";

/**
 * All that a host's agent is told, secrets in plain text: for its link or its enrolment and nothing else. Whoever sends it
 * records `credential.read_by_agent` when `repository` is not null.
 *
 * @returns undefined when there is no such host.
 * @throws SealError
 */
export async function agentConfig(
  db: Database,
  seal: Seal,
  hostId: HostId,
): Promise<AgentConfig | undefined> {
  const host = await readHostName(db, hostId);
  if (host === undefined) return undefined;
  const row = await readCredentials(db, hostId);
  return {
    version: host.config_version,
    // What it was enrolled as: under another name restic would find neither its parents nor its older snapshots.
    host_name: host.snapshot_host === "" ? host.name : host.snapshot_host,
    repository: row === undefined ? null : openCredentials(seal, row),
    bandwidth: {},
  };
}

/** Gives a new host the credentials that came with its enrolment. */
export async function storeCredentials(
  trx: Trx,
  seal: Seal,
  hostId: HostId,
  credentials: RepositoryCredentials,
  now: number,
): Promise<void> {
  await writeCredentials(trx, sealCredentials(seal, hostId, credentials, now));
}

/** True when the host can be told to back up. */
export async function hasCredentials(db: Database, hostId: HostId): Promise<boolean> {
  return (await readCredentials(db, hostId)) !== undefined;
}

/** Those hosts whose credentials nothing has tried yet and nothing is about to: make an `init` job for each. */
export async function needInit(db: Database, hostIds: readonly HostId[]): Promise<HostId[]> {
  return await askInShapes(hostIds, (part) => hostsWithoutInit(db, part));
}
