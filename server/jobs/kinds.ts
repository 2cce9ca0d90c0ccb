import { SourceGroupId } from "@restic-manager/protocol/ids";
import { jobKinds, type JobKind } from "@restic-manager/protocol/jobs";

/** What the server must know of a kind beyond its shapes. */
interface KindHere {
  /** How many items a success left out; more than 0 is "succeeded with issues". */
  issues(result: Record<string, unknown>): number;
  /** The source group a job works on, read from its input. */
  sourceGroup(input: unknown): { id: SourceGroupId; name: string } | undefined;
}

const IssueCount = jobKinds.backup.result.pick({ issue_count: true });

/** One line per kind; a kind that is missing here does not compile. */
export const jobKindsHere: { [K in JobKind]: KindHere } = {
  init: { issues: () => 0, sourceGroup: () => undefined },
  restore: {
    issues: (result) => jobKinds.restore.result.pick({ issue_count: true }).parse(result).issue_count,
    sourceGroup: () => undefined,
  },
  diff: { issues: () => 0, sourceGroup: () => undefined },
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
