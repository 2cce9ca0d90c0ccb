import { useInfiniteQuery } from "@tanstack/react-query";
import { formatBytes } from "../format/bytes.ts";
import { dayTime } from "../format/day-times.ts";
import { countOf } from "../format/numbers.ts";
import { snapshotsQuery } from "../queries.ts";
import { useTicker } from "../ui/ticker.ts";
import { BackupProgress } from "./backup-progress.tsx";
import { BackupResult } from "./backup-result.tsx";
import type { JobOf, KindWords } from "./kind-words.ts";

/** Saving the files of one source group as a snapshot. */
export const backupKind: KindWords<"backup"> = {
  name: "Backup",
  noun: "backup",
  title: "Backup of",
  again: "Back up again",
  resultInWords(result) {
    const left = result.issue_count > 0 ? `${countOf(result.issue_count, "file")} not read, ` : "";
    return `${left}${formatBytes(result.data_added_packed)} new`;
  },
  issuesOf: (result) => result.issue_count,
  Progress: BackupProgress,
  Result: BackupResult,
  left: "No snapshot was saved; what was uploaded is reused by the next run.",
  Survived,
};

/** Codes after which nobody saw restic's end, so that a snapshot may have been saved all the same. */
const UNSEEN_END = new Set(["agent_restarted", "agent_lost_job", "agent_state_lost"]);

/** Which snapshot there is to restore from, from the list that the agent last reported. */
function Survived({ job }: { job: Extract<JobOf<"backup">, { state: "failed" }> }) {
  const ticker = useTicker();
  const { data } = useInfiniteQuery(snapshotsQuery(job.host.id));
  const group = job.source_group?.name;
  const saved = UNSEEN_END.has(job.error.code) ? "" : "No snapshot was saved. ";
  const first = data?.pages[0];
  if (first === undefined || group === undefined) return saved;
  const newest = first.items.find((snapshot) => snapshot.tags.includes(group));
  if (newest !== undefined) {
    const when = dayTime(Date.parse(newest.time), ticker.now());
    return `${saved}The newest snapshot of ${group}, from ${when}, can be restored.`;
  }
  // Of a long list only the beginning is known here.
  return first.next_cursor === null ? `${saved}There is no snapshot of ${group} yet.` : saved;
}
