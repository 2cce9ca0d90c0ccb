import { UPKEEP_KINDS, type UpkeepRun } from "@restic-manager/protocol/api/maintenance";
import { JobError } from "@restic-manager/protocol/job-error";
import { jobKinds } from "@restic-manager/protocol/jobs";
import { instant } from "../platform/clock.ts";
import type { JobRecord } from "../platform/db/schema.ts";

/** What a repository's page tells the outcome of; other kinds need not be named here. */
const SHOWN = [...UPKEEP_KINDS, "unlock"] as const;

/** A job of maintenance as the repository's page shows it. */
export function runView(job: JobRecord): UpkeepRun {
  const at = (ms: number | null) => (ms === null ? null : instant(ms));
  return {
    job_id: job.id,
    state: job.state,
    actor: { kind: job.actor_kind, name: job.actor_name },
    created_at: instant(job.created_at),
    started_at: at(job.started_at),
    finished_at: at(job.finished_at),
    error: job.error === null ? null : (JobError.safeParse(JSON.parse(job.error)).data ?? null),
    outcome: outcomeOf(job),
  };
}

function outcomeOf(job: JobRecord): UpkeepRun["outcome"] {
  if (job.state !== "succeeded" || job.result === null) return null;
  const result: unknown = JSON.parse(job.result);
  switch (SHOWN.find((kind) => kind === job.kind)) {
    case "forget": {
      const { groups } = jobKinds.forget.result.parse(result);
      const total = { kind: "forget" as const, removed_count: 0, kept_count: 0, not_removed_count: 0 };
      let skipped_groups = 0;
      for (const group of groups) {
        if (group.outcome === "skipped") {
          skipped_groups += 1;
          continue;
        }
        total.removed_count += group.removed_count;
        total.kept_count += group.kept_count;
        total.not_removed_count += group.not_removed_count;
      }
      return { ...total, skipped_groups };
    }
    case "prune": {
      const { freed_bytes, remaining_bytes, duration_seconds } = jobKinds.prune.result.parse(result);
      return {
        kind: "prune",
        freed_bytes: freed_bytes ?? null,
        remaining_bytes: remaining_bytes ?? null,
        duration_seconds,
      };
    }
    case "check": {
      const found = jobKinds.check.result.parse(result);
      const { read_data_percent, duration_seconds } = found;
      const damage =
        found.result === "ok"
          ? { error_count: 0, broken_pack_count: 0, missing_pack_count: 0, broken_packs: [], doubtful: false }
          : {
              error_count: found.error_count,
              broken_pack_count: found.broken_pack_count,
              missing_pack_count: found.missing_pack_count,
              broken_packs: found.broken_packs.slice(0, 10),
              doubtful: found.doubtful,
            };
      return { kind: "check", result: found.result, read_data_percent, duration_seconds, ...damage };
    }
    case "unlock": {
      const { removed_count, remaining, unreadable_count } = jobKinds.unlock.result.parse(result);
      return { kind: "unlock", removed_count, remaining_count: remaining.length + unreadable_count };
    }
    case undefined:
      return null;
  }
}
