import type { Hindrance, RepoMaintenanceInput, UpkeepKind } from "@restic-manager/protocol/api/maintenance";
import { parseCron } from "@restic-manager/protocol/cron";
import { nextFire, type Zone } from "@restic-manager/protocol/fire-times";

/** Without a run before, times that passed longer ago are not made up for. */
export const LOOK_BACK_MS = 24 * 3_600_000;

/** The newest run of a kind. Instants are milliseconds since 1970. */
export interface LatestRun {
  createdAt: number;
  /** Null while it waits or runs. */
  finishedAt: number | null;
}

/** All that follows whether a repository is looked after now. */
export interface UpkeepFacts {
  online: boolean;
  /** Maintenance mode: nothing of the host fires. */
  paused: boolean;
  repository: "ready" | "not_ready" | "no_credentials";
  /** The agent knows these kinds of jobs. */
  agentKnows: boolean;
  resticOk: boolean;
  /** There are credentials that may delete. */
  hasAdmin: boolean;
  /** At least one source group says what to keep. */
  hasRetention: boolean;
  /** The everyday credentials were refused a deletion when that was last tried. Not asked where there are others that may delete. */
  appendOnly: boolean;
  settings: RepoMaintenanceInput;
  zone: Zone;
  /** Times before this instant do not count: the settings were changed then. */
  countsFrom: number;
  latest: Record<UpkeepKind, LatestRun | null>;
}

/**
 * `off`: turned off, or its expression names no time. `active`: one waits or runs. `later`: its time has not come. `skip`: its time has come
 * and it cannot run; it is looked at again. `run`: now.
 */
export type Decision =
  | { verdict: "off" }
  | { verdict: "active" }
  | { verdict: "later"; at: number }
  | { verdict: "skip"; at: number; why: Hindrance["code"] }
  | { verdict: "run"; at: number };

/**
 * Says whether a kind is due: when the first time after the newest run of that kind has come. A run that takes longer than its period
 * counts until its end, so that the times it covered are not made up for. Hosts that are away are skipped, never queued.
 */
export function decide(kind: UpkeepKind, facts: UpkeepFacts, now: number): Decision {
  const { cron, enabled } = facts.settings[kind];
  const parsed = parseCron(cron);
  if (!enabled || !parsed.ok) return { verdict: "off" };
  const latest = facts.latest[kind];
  if (latest?.finishedAt === null) return { verdict: "active" };
  const ended = latest === null ? now - LOOK_BACK_MS : Math.max(latest.createdAt, latest.finishedAt);
  // A clock that was set back must not put off the next run until it has caught up.
  const at = nextFire(parsed.cron, facts.zone, Math.min(now, Math.max(ended, facts.countsFrom)));
  if (at === undefined) return { verdict: "off" };
  if (at > now) return { verdict: "later", at };
  const why = hindranceOf(kind, facts);
  return why === null ? { verdict: "run", at } : { verdict: "skip", at, why };
}

/** The first time of a kind after an instant: what is under way then, or has just been ordered, comes no sooner again. */
export function timeAfter(
  kind: UpkeepKind,
  { settings, zone }: Pick<UpkeepFacts, "settings" | "zone">,
  after: number,
): number | undefined {
  const parsed = parseCron(settings[kind].cron);
  return parsed.ok ? nextFire(parsed.cron, zone, after) : undefined;
}

/** Why a kind could not run even if its time had come; null when it could. */
export function hindranceOf(
  kind: UpkeepKind | "unlock",
  facts: Pick<
    UpkeepFacts,
    | "online"
    | "paused"
    | "repository"
    | "agentKnows"
    | "resticOk"
    | "hasAdmin"
    | "hasRetention"
    | "appendOnly"
  >,
): Hindrance["code"] | null {
  if (facts.repository === "no_credentials") return "no_credentials";
  if (facts.repository === "not_ready") return "repository_not_ready";
  // What somebody must see to comes before what passes by itself.
  if (kind === "forget" && !facts.hasRetention) return "missing_retention";
  if (kind === "prune" && !facts.hasAdmin) return "admin_creds_required";
  if (kind === "forget" && facts.appendOnly && !facts.hasAdmin) return "admin_creds_required";
  if (facts.paused) return "host_paused";
  if (!facts.online) return "host_offline";
  if (!facts.agentKnows) return "agent_outdated";
  if (!facts.resticOk) return "restic_missing";
  return null;
}

const WORDS: Record<Hindrance["code"], string> = {
  host_offline: "The machine is not connected.",
  host_paused: "The host is in maintenance mode.",
  no_credentials: "The host has no repository yet.",
  repository_not_ready: "The repository has not been opened yet.",
  agent_outdated: "The agent on this machine is too old for this: update it.",
  restic_missing: "restic is missing on this machine, or too old.",
  admin_creds_required: "There are no credentials that may delete in this repository.",
  missing_retention: "No source group says what to keep, and nothing may be forgotten without that.",
  already_active: "One is waiting or running already.",
};

export function hindrance(code: Hindrance["code"] | null): Hindrance | null {
  return code === null ? null : { code, message: WORDS[code] };
}
