import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { RetentionPolicy } from "@restic-manager/protocol/api/sources";
import { api } from "../api.ts";
import { ForgetTable } from "../jobs/forget-table.tsx";
import type { JobOf, SucceededJob } from "../jobs/kind-words.ts";
import { patch } from "../live.ts";
import { jobQuery } from "../queries.ts";
import { AppLink } from "../ui/app-link.tsx";
import { CallProblem } from "../ui/call-problem.tsx";
import styles from "./sources.module.css";

interface ForgetPreviewProps {
  host: Host;
  groupId: string;
  /** What is written in the form, saved or not. */
  policy: RetentionPolicy;
}

/** What the policy that is written would forget now, as the agent works it out; it removes nothing. */
export function ForgetPreview({ host, groupId, policy }: ForgetPreviewProps) {
  const queryClient = useQueryClient();
  const [asked, setAsked] = useState<{ jobId: string; policy: string } | null>(null);
  const preview = useMutation({
    mutationFn: () =>
      api.runForget(host.id, {
        dry_run: true,
        source_group_ids: [groupId],
        retention_policy: policy,
        when_offline: "refuse",
      }),
    onSuccess: ({ job }) => {
      patch(queryClient, { type: "job.changed", job }, Date.now());
      setAsked({ jobId: job.id, policy: JSON.stringify(policy) });
    },
  });
  const { data: job } = useQuery({ ...jobQuery(asked?.jobId ?? ""), enabled: asked !== null });
  const keepsNothing = Object.values(policy).every((count) => !count);
  const outdated = asked !== null && asked.policy !== JSON.stringify(policy);
  return (
    <div className={styles.preview}>
      <div className={styles.send}>
        <Button
          size="xs"
          variant="default"
          disabled={keepsNothing || !host.online}
          loading={preview.isPending}
          onClick={() => preview.mutate()}
        >
          Preview what would be forgotten
        </Button>
        <span className="quiet">
          {keepsNothing
            ? "A policy that keeps nothing forgets nothing."
            : host.online
              ? "Asks the agent; removes nothing, and saves nothing."
              : "The machine is offline: only its agent can tell."}
        </span>
      </div>
      <CallProblem error={preview.error} />
      {asked !== null && job?.kind === "forget" && <Answer job={job} outdated={outdated} />}
    </div>
  );
}

function Answer({ job, outdated }: { job: JobOf<"forget">; outdated: boolean }) {
  const link = (
    <AppLink className="link" href={`/jobs/${job.id}`}>
      Open the job
    </AppLink>
  );
  switch (job.state) {
    case "queued":
    case "running":
      return <p role="status">The agent is working it out… {link}</p>;
    case "failed":
      return (
        <p role="alert">
          It could not be worked out: {job.error.message}. {link}
        </p>
      );
    case "cancelled":
      return <p role="status">It was cancelled. {link}</p>;
    case "succeeded": {
      // The compiler knows the kind of the job, and of its result only that it is some kind's.
      const { result } = job as SucceededJob<"forget">;
      return (
        <>
          {outdated && <p role="status">The policy was changed since: this is of the one before.</p>}
          {result.groups.map((group) => (
            <ForgetTable key={group.source_group_id} group={group} preview />
          ))}
        </>
      );
    }
  }
}
