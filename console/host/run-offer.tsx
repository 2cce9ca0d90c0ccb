import { Button } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { asProblem } from "../api-problem.ts";
import { countOf } from "../format/numbers.ts";
import { patch } from "../live.ts";
import { AppLink } from "../ui/app-link.tsx";
import { CallProblem } from "../ui/call-problem.tsx";
import styles from "./run-offer.module.css";
import { whyNot } from "./why-not.ts";

interface RunOfferProps {
  host: Host;
  /** What is run, for screen readers: `databases`. */
  what: string;
  run: (whenOffline: "wait" | "refuse") => Promise<readonly Job[]>;
}

/**
 * Runs something now. When the machine is away it says so and offers to wait for it; whoever asked for now is not given later without
 * being asked. Nothing is shown as queued before the server says so.
 */
export function RunOffer({ host, what, run }: RunOfferProps) {
  const queryClient = useQueryClient();
  const start = useMutation({
    mutationFn: run,
    onSuccess: (jobs) => {
      for (const job of jobs) patch(queryClient, { type: "job.changed", job }, Date.now());
    },
  });
  // That something runs already is no hindrance: a machine takes one after the other.
  const reason = whyNot({ ...host, active_job: null }, true, undefined);
  const refused = start.error !== null && asProblem(start.error).code === "host_offline";
  const later = !host.online || refused;
  return (
    <span className={styles.offer}>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPlayerPlay size={15} />}
        disabled={reason !== null}
        loading={start.isPending}
        aria-label={`${later ? "Back up when it is back" : "Back up"}: ${what}`}
        aria-describedby={reason === null ? undefined : "why-no-backup"}
        onClick={() => start.mutate(later ? "wait" : "refuse")}
      >
        {later ? "Back up when it is back" : "Back up"}
      </Button>
      {start.data !== undefined && <Started jobs={start.data} />}
      <CallProblem error={start.error} />
    </span>
  );
}

function Started({ jobs }: { jobs: readonly Job[] }) {
  const [first] = jobs;
  if (first === undefined) return null;
  const href = jobs.length === 1 ? `/jobs/${first.id}` : `/hosts/${first.host.id}?tab=jobs`;
  return (
    <span role="status">
      Queued:{" "}
      <AppLink className="link" href={href}>
        {jobs.length === 1 ? "open the job" : `open the ${countOf(jobs.length, "job")}`}
      </AppLink>
    </span>
  );
}
