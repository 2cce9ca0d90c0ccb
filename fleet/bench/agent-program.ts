import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeAgentFile } from "@restic-manager/agent/agent-file";
import { HostId } from "@restic-manager/protocol/ids";
import { Program } from "../../script/trial/program.ts";

/** Which job and host ids the benchmarks use does not matter; they are valid ones. */
const HOST = HostId.parse("01JD0000000000000000000000");

/** The arguments that keep an agent's files in `folder`. */
export function agentFolders(folder: string): string[] {
  return ["--config-dir", folder, "--state-dir", join(folder, "state")];
}

/** Makes a machine that is enrolled at a hub which asks no questions, with its files in `folder`. */
export function enrolledAt(url: string, folder: string, restic: string): void {
  mkdirSync(folder, { recursive: true });
  const sealing_key = crypto.getRandomValues(new Uint8Array(32)).toBase64();
  const path = join(folder, "agent.yaml");
  writeAgentFile(path, { server: url, host_id: HOST, bearer: "bench", sealing_key, restic_path: restic });
}

/** Starts the agent whose files are in `folder`. */
export function startAgent(agent: string, folder: string): Program {
  return new Program({
    name: "the agent",
    argv: [agent, "run", ...agentFolders(folder)],
    logFile: join(folder, "agent.log"),
  });
}
