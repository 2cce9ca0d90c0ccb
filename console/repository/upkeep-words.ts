import type { UpkeepKind, UpkeepRun } from "@restic-manager/protocol/api/maintenance";
import { formatBytes } from "../format/bytes.ts";
import { countOf, formatCount } from "../format/numbers.ts";
import type { StateWord } from "../ui/state-words.ts";

/** What each of these does, for somebody who meets it for the first time. */
export const UPKEEP_WORDS: Record<UpkeepKind, { name: string; does: string }> = {
  forget: { name: "Forget", does: "Removes snapshots that no retention policy keeps." },
  prune: { name: "Prune", does: "Frees the space of removed snapshots. Needs the admin credential." },
  check: { name: "Check", does: "Verifies the structure, and as much of the data as is set." },
};

/** How a run stands or what it came to, in a few words. */
export function runWords(run: UpkeepRun): StateWord {
  switch (run.state) {
    case "queued":
      return { state: "idle", icon: "queued", word: "Queued" };
    case "running":
      return { state: "run", icon: "running", word: "Running" };
    case "failed":
      return { state: "fail", icon: "failed", word: run.error?.message ?? "Failed" };
    case "cancelled":
      return { state: "idle", icon: "cancelled", word: "Cancelled" };
    case "succeeded":
      return outcomeWords(run.outcome);
  }
}

function outcomeWords(outcome: UpkeepRun["outcome"]): StateWord {
  const done = (word: string): StateWord => ({ state: "ok", icon: "done", word });
  switch (outcome?.kind) {
    case undefined:
      return done("Done");
    case "forget":
      return outcome.not_removed_count > 0
        ? {
            state: "warn",
            icon: "issues",
            word: `${countOf(outcome.not_removed_count, "snapshot")} did not go`,
          }
        : done(`${countOf(outcome.removed_count, "snapshot")} removed`);
    case "prune":
      return done(outcome.freed_bytes === null ? "Pruned" : `${formatBytes(outcome.freed_bytes)} freed`);
    case "check":
      if (outcome.result === "ok") return done("No errors");
      return {
        state: "fail",
        icon: "failed",
        word:
          outcome.broken_pack_count > 0
            ? countOf(outcome.broken_pack_count, "broken pack")
            : countOf(outcome.error_count, "error"),
      };
    case "unlock":
      return done(`${formatCount(outcome.removed_count)} removed`);
  }
}
