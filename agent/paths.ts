import { posix, win32 } from "node:path";

/** Where an agent keeps what. The configuration is small and precious; the state can be made anew. */
export interface AgentPaths {
  configDir: string;
  stateDir: string;
  /** Who this machine is, and the keys to say so. */
  agentFile: string;
  /** The last configuration from the server, sealed. */
  secretsFile: string;
  /** Outbox and jobs. */
  database: string;
  /** Held by the agent that runs. */
  lockFile: string;
  /** restic's cache. */
  cacheDir: string;
  /** restic's packs before they are sent: root's alone, and one of the few folders that the service's sandbox lets it write. */
  tmpDir: string;
  /** Indexes of snapshots that somebody looked into; can be made again. */
  browseDir: string;
  /** Where restores go that name no folder of their own. */
  restoreDir: string;
  /** The kept machine id of a machine that has none of its own. */
  machineIdFile: string;
}

export interface PathChoices {
  /** Replaces the configuration folder; relative paths count from the current folder. */
  configDir?: string | undefined;
  /** Replaces the state folder; relative paths count from the current folder. */
  stateDir?: string | undefined;
  platform?: NodeJS.Platform;
  /** `%ProgramData%`; read on Windows only. */
  programData?: string | undefined;
}

const NAME = "restic-manager-agent";

/** Says where an agent's files are: `/etc` and `/var/lib` (on Windows `ProgramData`), or where the choices say. */
export function agentPaths(choices: PathChoices = {}): AgentPaths {
  const windows = (choices.platform ?? process.platform) === "win32";
  const { join, resolve } = windows ? win32 : posix;
  const programData = join(choices.programData ?? "C:\\ProgramData", NAME);
  const configDir = resolve(choices.configDir ?? (windows ? programData : join("/etc", NAME)));
  const stateDir = resolve(
    choices.stateDir ?? (windows ? join(programData, "state") : join("/var/lib", NAME)),
  );
  return {
    configDir,
    stateDir,
    agentFile: join(configDir, "agent.yaml"),
    secretsFile: join(configDir, "secrets.enc"),
    database: join(stateDir, "agent.db"),
    lockFile: join(stateDir, "agent.lock"),
    cacheDir: join(stateDir, "cache"),
    tmpDir: join(stateDir, "tmp"),
    browseDir: join(stateDir, "browse"),
    restoreDir:
      choices.stateDir !== undefined || windows ? join(stateDir, "restored") : "/var/restic-restore",
    machineIdFile: join(stateDir, "machine-id"),
  };
}
