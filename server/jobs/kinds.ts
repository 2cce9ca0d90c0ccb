import { SourceGroupId } from "@restic-manager/protocol/ids";
import { jobKinds, type JobKind } from "@restic-manager/protocol/jobs";

/** What the server must know of a kind beyond its shapes. */
interface KindHere {
  /** How many items a success left out; more than 0 is "succeeded with issues". */
  issues(result: Record<string, unknown>): number;
  /** The source group a job works on, read from its input. */
  sourceGroup(input: unknown): { id: SourceGroupId; name: string } | undefined;
  /** What of a result everybody may see who sees the job; all of it unless told. */
  shown?(result: Record<string, unknown>): Record<string, unknown>;
}

const IssueCount = jobKinds.backup.result.pick({ issue_count: true });

/** One line per kind; a kind that is missing here does not compile. */
export const jobKindsHere: { [K in JobKind]: KindHere } = {
  init: { issues: () => 0, sourceGroup: () => undefined },
  forget: {
    issues(result) {
      const { groups } = jobKinds.forget.result.pick({ groups: true }).parse(result);
      return groups.reduce((sum, one) => sum + (one.outcome === "done" ? one.not_removed_count : 0), 0);
    },
    sourceGroup: () => undefined,
  },
  prune: { issues: () => 0, sourceGroup: () => undefined },
  check: {
    issues(result) {
      const found = jobKinds.check.result.parse(result);
      return found.result === "ok" ? 0 : found.error_count;
    },
    sourceGroup: () => undefined,
  },
  unlock: { issues: () => 0, sourceGroup: () => undefined },
  restore: {
    issues: (result) => jobKinds.restore.result.pick({ issue_count: true }).parse(result).issue_count,
    sourceGroup: () => undefined,
  },
  diff: {
    issues: () => 0,
    sourceGroup: () => undefined,
    // Names in snapshots are for operators: they get them with the changes.
    shown: (result) => ({ ...result, folders: [] }),
  },
  tag: {
    issues: (result) => jobKinds.tag.result.pick({ not_found: true }).parse(result).not_found.length,
    sourceGroup: () => undefined,
  },
  forget_snapshots: {
    issues(result) {
      const { not_removed } = jobKinds.forget_snapshots.result.pick({ not_removed: true }).parse(result);
      return not_removed.length;
    },
    sourceGroup: () => undefined,
  },
  backup: {
    issues: (result) => IssueCount.parse(result).issue_count,
    sourceGroup(input) {
      const parsed = jobKinds.backup.input.safeParse(input).data;
      return parsed && { id: parsed.source_group_id, name: parsed.source_group_name };
    },
  },
};
