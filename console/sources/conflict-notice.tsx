import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Schedule } from "@restic-manager/protocol/api/schedules";
import type { SourceGroup } from "@restic-manager/protocol/api/sources";
import { api } from "../api.ts";
import { sourceGroupsQuery } from "../queries.ts";
import { cronWords, list } from "../schedules/cron-words.ts";
import { useMay } from "../session/may.ts";
import { CallProblem } from "../ui/call-problem.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { Notice } from "../ui/notice.tsx";
import type { RetentionConflict } from "./retention-conflict.ts";

interface ConflictNoticeProps {
  hostId: string;
  group: SourceGroup;
  conflict: RetentionConflict;
  /** That are on and fire the group. */
  schedules: readonly Schedule[];
}

/** Says that a group keeps what nothing makes, why, and offers both ways out. */
export function ConflictNotice({ hostId, group, conflict, schedules }: ConflictNoticeProps) {
  const queryClient = useQueryClient();
  const { operate } = useMay();
  const { dimension, keep, atMostOncePer, same } = conflict;
  const drop = useMutation({
    mutationFn: () =>
      api.saveGroup(hostId, group.id, {
        name: group.name,
        includes: group.includes,
        excludes: group.excludes,
        retention_policy: { ...group.retention_policy, [dimension]: 0 },
        retry_max: group.retry_max,
        retry_backoff_seconds: group.retry_backoff_seconds,
      }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: sourceGroupsQuery(hostId).queryKey }),
  });
  const [first] = schedules;
  return (
    <Notice
      state="warn"
      title={`“${group.name}” keeps ${keep} ${dimension} snapshots, but nothing fires it more than once a ${atMostOncePer}`}
      {...(operate && first !== undefined
        ? {
            actions: (
              <>
                <Button
                  size="xs"
                  variant="default"
                  loading={drop.isPending}
                  onClick={() => drop.mutate()}
                >{`Set ${dimension} to 0`}</Button>
                <LinkButton
                  size="xs"
                  variant="default"
                  href={`/hosts/${hostId}?tab=schedules&schedule=${first.id}`}
                >
                  Open the schedule
                </LinkButton>
              </>
            ),
          }
        : {})}
    >
      They mean the same as {keep} {same} ones then.{" "}
      {schedules.length === 1 ? "Its only schedule that is on" : "Its schedules that are on"}:{" "}
      {list(schedules.map(({ cron }) => `“${cronWords(cron)}”`))}.
      <CallProblem error={drop.error} />
    </Notice>
  );
}
