import { Button } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { api } from "../api.ts";
import { changesQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { AppLink } from "../ui/app-link.tsx";
import { CallProblem } from "../ui/call-problem.tsx";

/** Which two snapshots a comparison is of, for who may know; undefined while that is asked for. */
function useCompared(job: Job) {
  const { operate } = useMay();
  const { data } = useInfiniteQuery({ ...changesQuery(job.id, {}), enabled: operate });
  return data?.pages[0];
}

/** Which two snapshots are compared, each a link to it. */
export function Compared({ job }: { job: Job }) {
  const two = useCompared(job);
  if (two === undefined) return null;
  return (
    <>
      <span>
        from <SnapshotLink hostId={job.host.id} id={two.from} /> to{" "}
        <SnapshotLink hostId={job.host.id} id={two.to} />
      </span>
      <span aria-hidden="true">·</span>
    </>
  );
}

function SnapshotLink({ hostId, id }: { hostId: string; id: string }) {
  return (
    <AppLink className="link mono" href={`/hosts/${hostId}?tab=snapshots&snapshot=${id.slice(0, 8)}`}>
      {id.slice(0, 8)}
    </AppLink>
  );
}

/** Compares the same two once more. */
export function CompareAgain({ job }: { job: Job }) {
  const router = useRouter();
  const two = useCompared(job);
  const again = useMutation({
    mutationFn: ({ from, to }: NonNullable<typeof two>) =>
      api.compare(job.host.id, { from, to, when_offline: "wait" }),
    onSuccess: (answer) => router.history.push(`/jobs/${answer.job.id}`),
  });
  return (
    <>
      <Button
        leftSection={<IconRefresh size={15} />}
        disabled={two === undefined}
        loading={again.isPending}
        onClick={() => two !== undefined && again.mutate(two)}
      >
        Compare again
      </Button>
      <CallProblem error={again.error} />
    </>
  );
}
