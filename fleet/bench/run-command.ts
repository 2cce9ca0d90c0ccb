import { JobId } from "@restic-manager/protocol/ids";
import type { CommandRun } from "@restic-manager/protocol/server-message";
import { identityOf, SIMULATED_GROUP } from "../simulated/identity.ts";

/** What a server would tell that machine's agent to back it up, for the bare hub. `number` tells it from other commands of a run. */
export function runCommand(seed: number, machine: number, number: number): CommandRun {
  const now = Date.now();
  return {
    type: "command.run",
    job_id: JobId.parse(`01JDX${String((now % 1e9) * 1e6 + number).padStart(21, "0")}`),
    kind: "backup",
    input: {
      source_group_id: identityOf(seed, machine).groupId,
      source_group_name: SIMULATED_GROUP.name,
      includes: SIMULATED_GROUP.includes,
      excludes: SIMULATED_GROUP.excludes,
    },
    actor_kind: "user",
    created_at: new Date(now).toISOString(),
  };
}
