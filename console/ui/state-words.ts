import type { HostStatus } from "@restic-manager/protocol/api/hosts";
import type { JobState } from "@restic-manager/protocol/jobs";
import type { State } from "../theme/tokens.ts";

/** One shape per word, so that a state can be told without its colour. */
export const ICON_NAMES = [
  "done",
  "running",
  "issues",
  "failed",
  "offline",
  "queued",
  "cancelled",
  "new",
  "late",
  "paused",
] as const;
export type IconName = (typeof ICON_NAMES)[number];

export interface StateWord {
  state: State;
  word: string;
  icon: IconName;
}

/** How a host stands, in one word. */
export const hostWords: Record<HostStatus, StateWord> = {
  failed: { state: "fail", word: "Failed", icon: "failed" },
  restic: { state: "fail", word: "No restic", icon: "failed" },
  offline: { state: "idle", word: "Offline", icon: "offline" },
  issues: { state: "warn", word: "Issues", icon: "issues" },
  running: { state: "run", word: "Running", icon: "running" },
  queued: { state: "idle", word: "Queued", icon: "queued" },
  new: { state: "idle", word: "No backup yet", icon: "new" },
  protected: { state: "ok", word: "Protected", icon: "done" },
};

/** Worst first, as the protocol lists them; without its validators, which a page need not carry. */
export const hostStatuses = Object.keys(hostWords) as HostStatus[];

/** How a job stands, in one word; a success that left files out is not called a success. */
export function jobWord(state: JobState, issues = 0): StateWord {
  switch (state) {
    case "queued":
      return { state: "idle", word: "Queued", icon: "queued" };
    case "running":
      return { state: "run", word: "Running", icon: "running" };
    case "succeeded":
      return issues > 0
        ? { state: "warn", word: "Succeeded with issues", icon: "issues" }
        : { state: "ok", word: "Succeeded", icon: "done" };
    case "failed":
      return { state: "fail", word: "Failed", icon: "failed" };
    case "cancelled":
      return { state: "idle", word: "Cancelled", icon: "cancelled" };
  }
}
