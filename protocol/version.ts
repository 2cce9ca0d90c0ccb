/**
 * The number both ends say in `hello`. It only ever grows, by one, with a line here that says what changed.
 *
 * | number | date       | what changed |
 * |--------|------------|--------------|
 * | 1      | 2026-11-21 | first release: hello, durable frames, `init` and `backup` |
 * | 2      | 2026-11-21 | `schedule.set`, `schedule.ack`, `schedule.fire`; hooks in the configuration; `timezone` in hello |
 * | 3      | 2026-11-21 | `forget`, `prune`, `check`, `unlock`; `admin` in a command, `commands_needed` in hello; `tree.list`, `tree.search`, `tree.versions`, `tree.cancel` and their answers; `download.*`, `diff.changes`; the kinds `restore`, `diff`, `tag`, `forget_snapshots`; `left` in outcomes |
 */
export const PROTOCOL_VERSION = 3;

/** Agents below this number are told to update; their backups go on meanwhile. */
export const OLDEST_AGENT_PROTOCOL = 1;

/** Where an operator reads what to do about `protocol_too_old` and `protocol_too_new`; a path on the server. */
export const PROTOCOL_HELP_PATH = "/api/docs#protocol";

export type ProtocolVerdict = "served" | "protocol_too_old" | "protocol_too_new";

/** Says whether a server of this release serves an agent that speaks `version`. */
export function judgeProtocol(version: number): ProtocolVerdict {
  if (version < OLDEST_AGENT_PROTOCOL) return "protocol_too_old";
  if (version > PROTOCOL_VERSION) return "protocol_too_new";
  return "served";
}

/** From this number on an agent answers questions about what is in a snapshot. */
export const BROWSING_SINCE = 3;
