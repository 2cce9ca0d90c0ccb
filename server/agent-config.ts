import type { AgentConfig } from "@restic-manager/protocol/config";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Database } from "./platform/db/schema.ts";
import type { Seal } from "./platform/seal.ts";
import { agentConfig } from "./repositories/config.ts";
import { hostBandwidth } from "./sources/bandwidth.ts";
import { agentHooks } from "./sources/hooks.ts";

/**
 * All that a host's agent is told, put together from the rooms that know it; secrets in plain text, for its link or its enrolment
 * and nothing else. Whoever sends it records `credential.read_by_agent` when `repository` is not null.
 *
 * @returns undefined when there is no such host.
 * @throws SealError
 */
export async function wholeAgentConfig(
  db: Database,
  seal: Seal,
  hostId: HostId,
): Promise<AgentConfig | undefined> {
  const config = await agentConfig(db, seal, hostId);
  if (config === undefined) return undefined;
  const hooks = await agentHooks(db, seal, hostId);
  return {
    ...config,
    bandwidth: await hostBandwidth(db, hostId),
    ...(hooks === undefined ? {} : { hooks }),
  };
}
