import { Button } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { CreatedJob } from "@restic-manager/protocol/api/jobs";
import type { Hindrance } from "@restic-manager/protocol/api/maintenance";
import { patch } from "../live.ts";
import { repositoryQuery } from "../queries.ts";
import { AppLink } from "../ui/app-link.tsx";
import { CallProblem } from "../ui/call-problem.tsx";
import styles from "./repository.module.css";

interface RunUpkeepProps {
  hostId: string;
  /** On the button, and what of for screen readers: `Run`, `Check now`. */
  label: string;
  what: string;
  /** Why it does not run now. A machine that is away may be waited for. */
  hindrance: Hindrance | null;
  run: (whenOffline: "wait" | "refuse") => Promise<CreatedJob>;
  quiet?: boolean;
  /** The reason stands elsewhere already. */
  silent?: boolean;
}

/** Starts a job on the repository; when it cannot, the reason stands under the button. */
export function RunUpkeep({
  hostId,
  label,
  what,
  hindrance,
  run,
  quiet = false,
  silent = false,
}: RunUpkeepProps) {
  const queryClient = useQueryClient();
  const start = useMutation({
    mutationFn: run,
    onSuccess: ({ job }) => {
      patch(queryClient, { type: "job.changed", job }, Date.now());
      return queryClient.invalidateQueries({ queryKey: repositoryQuery(hostId).queryKey });
    },
  });
  const later = hindrance?.code === "host_offline";
  const reason = hindrance === null || later ? null : hindrance.message;
  return (
    <span className={styles.offer}>
      <Button
        size="xs"
        variant={quiet ? "subtle" : "default"}
        leftSection={<IconPlayerPlay size={15} />}
        disabled={reason !== null}
        loading={start.isPending}
        aria-label={`${later ? `${label} when it is back` : label}: ${what}`}
        onClick={() => start.mutate(later ? "wait" : "refuse")}
      >
        {later ? `${label} when it is back` : label}
      </Button>
      {start.data !== undefined && (
        <span role="status" className={styles.small}>
          Queued:{" "}
          <AppLink className="link" href={`/jobs/${start.data.job.id}`}>
            open the job
          </AppLink>
        </span>
      )}
      {reason !== null && !silent && start.data === undefined && (
        <span className={styles.reason}>{sentence(reason)}</span>
      )}
      <CallProblem error={start.error} />
    </span>
  );
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
