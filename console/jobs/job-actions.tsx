import { Button } from "@mantine/core";
import { IconPlayerStop, IconRefresh } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { useEffect, useState } from "react";
import type { z } from "zod";
import type { NewJob } from "@restic-manager/protocol/api/maintenance";
import { api } from "../api.ts";
import { CompareAgain } from "../compare/compared.tsx";
import { newerJob } from "../live-patches.ts";
import { hostQuery, jobQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { AppLink } from "../ui/app-link.tsx";
import { kindWords } from "./kinds.tsx";
import { RestoreAgain } from "./restore-of.tsx";
import { CallProblem } from "../ui/call-problem.tsx";
import styles from "./job.module.css";

/** How long an interrupt may take before killing is offered. */
const KILL_AFTER_MS = 5_000;

/** Kinds that work on what somebody chose: once more is chosen anew. */
const CHOSEN: ReadonlySet<Job["kind"]> = new Set(["restore", "diff", "tag", "forget_snapshots"]);

/** What can be done with a job; what was refused is said under the buttons. */
export function JobActions({ job }: { job: Job }) {
  const { operate } = useMay();
  const finished = "finished_at" in job;
  return (
    <div className={styles.buttons}>
      <Button variant="default" renderRoot={(root) => <AppLink {...root} href={`/hosts/${job.host.id}`} />}>
        Open host
      </Button>
      {operate && !finished && <CancelButtons job={job} />}
      {operate && finished && job.kind === "restore" && <RestoreAgain job={job} />}
      {operate && finished && job.kind === "diff" && <CompareAgain job={job} />}
      {operate && finished && !CHOSEN.has(job.kind) && <AgainButton job={job} />}
    </div>
  );
}

function CancelButtons({ job }: { job: Job }) {
  const queryClient = useQueryClient();
  const asked = job.cancel_requested_at !== null;
  const killable = useElapsed(asked, KILL_AFTER_MS) && job.state === "running";
  const cancel = useMutation({
    mutationFn: (now: boolean) => api.cancelJob(job.id, { now }),
    onSuccess: (answer) =>
      queryClient.setQueryData(jobQuery(job.id).queryKey, (known) => newerJob(known, answer)),
  });
  const { data: host } = useQuery(hostQuery(job.host.id));
  const lost = asked && host?.online === false;
  const giveUp = useMutation({
    mutationFn: () => api.giveUpJob(job.id),
    onSuccess: (answer) =>
      queryClient.setQueryData(jobQuery(job.id).queryKey, (known) => newerJob(known, answer)),
  });
  return (
    <>
      {lost && (
        <Button variant="danger" loading={giveUp.isPending} onClick={() => giveUp.mutate()}>
          Give up on it
        </Button>
      )}
      <CallProblem error={giveUp.error} />
      <Button
        variant="danger"
        leftSection={<IconPlayerStop size={15} />}
        disabled={asked || cancel.isPending}
        onClick={() => cancel.mutate(false)}
      >
        {asked || cancel.isPending ? "Cancelling…" : "Cancel"}
      </Button>
      {killable && (
        <Button variant="danger" loading={cancel.isPending} onClick={() => cancel.mutate(true)}>
          Kill now
        </Button>
      )}
      <CallProblem error={cancel.error} />
    </>
  );
}

/** Whether `since` has been true for `ms`, as far as this page has seen. */
function useElapsed(since: boolean, ms: number): boolean {
  const [elapsed, setElapsed] = useState(false);
  useEffect(() => {
    if (!since) return;
    const timer = setTimeout(() => setElapsed(true), ms);
    return () => {
      clearTimeout(timer);
      setElapsed(false);
    };
  }, [since, ms]);
  return elapsed;
}

/** An order for the same sort of job, as things are now. A preview stays one; living locks are never removed by a second click. */
function orderOf(job: Job): z.input<typeof NewJob> {
  switch (job.kind) {
    case "forget": {
      const preview = job.state === "succeeded" && "dry_run" in job.result && job.result.dry_run;
      return { kind: "forget", dry_run: preview };
    }
    case "prune":
    case "check":
    case "unlock":
      return { kind: job.kind };
    case "init":
    case "backup":
    case "restore":
    case "diff":
    case "tag":
    case "forget_snapshots":
      return { kind: "init" };
  }
}

function AgainButton({ job }: { job: Job }) {
  const router = useRouter();
  const group = job.source_group;
  const again = useMutation({
    mutationFn: () =>
      job.kind === "backup" && group !== null
        ? api.runGroup(job.host.id, group.id)
        : api.createJob(job.host.id, orderOf(job)),
    onSuccess: (answer) => router.history.push(`/jobs/${answer.job.id}`),
  });
  // A backup whose group is gone cannot be run once more.
  if (job.kind === "backup" && group === null) return null;
  // An opened repository needs no second opening.
  if (job.kind === "init" && job.state === "succeeded") return null;
  return (
    <>
      <Button
        leftSection={<IconRefresh size={15} />}
        loading={again.isPending}
        onClick={() => again.mutate()}
      >
        {kindWords[job.kind].again}
      </Button>
      <CallProblem error={again.error} />
    </>
  );
}
