import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { api } from "../api.ts";
import { hostQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { AppLink } from "../ui/app-link.tsx";
import { CallProblem } from "../ui/call-problem.tsx";
import { Facts, type Fact } from "../ui/facts.tsx";
import { Panel } from "../ui/panel.tsx";
import { Bytes } from "../ui/quantity.tsx";
import { StatusMark } from "../ui/status-mark.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import styles from "./host.module.css";

/** How the repository's opening stands, and what to do when it failed. */
export function RepositoryPanel({ host }: { host: Host }) {
  return (
    <Panel title="Repository">
      <div className={styles.stack}>
        <Opening host={host} />
        <RepositoryFacts host={host} />
      </div>
    </Panel>
  );
}

function Opening({ host }: { host: Host }) {
  const { repository } = host;
  switch (repository.state) {
    case "ready":
      return (
        <div>
          <StatusMark state="ok" icon="done" word="Ready" />
          <p className="quiet">
            {repository.created ? "Created" : "Opened"} <TimeAgo at={Date.parse(repository.since)} />.
          </p>
        </div>
      );
    case "waiting":
      return (
        <div>
          <StatusMark state="idle" icon="queued" word="Not opened yet" />
          <p className="quiet">
            {repository.job_id === null
              ? "The agent's first connection opens it, and creates it if there is none."
              : "A job is on its way to open it."}{" "}
            {repository.job_id !== null && (
              <AppLink className="link" href={`/jobs/${repository.job_id}`}>
                Open the job
              </AppLink>
            )}
          </p>
        </div>
      );
    case "failed":
      return (
        <div className={styles.stack}>
          <div>
            <StatusMark state="fail" icon="failed" word="It could not be opened" />
            <p className={styles.message}>{repository.error.message}</p>
            {repository.error.hint !== undefined && <p className="quiet">{repository.error.hint}</p>}
          </div>
          <OpenAgain hostId={host.id} jobId={repository.job_id} />
        </div>
      );
    case "no_credentials":
      return (
        <div>
          <StatusMark state="warn" icon="issues" word="No credentials" />
          <p className="quiet">
            Nothing can be backed up before it is known where to.{" "}
            <AppLink className="link" href={`/hosts/${host.id}?tab=settings`}>
              Enter them
            </AppLink>
          </p>
        </div>
      );
  }
}

function OpenAgain({ hostId, jobId }: { hostId: string; jobId: string }) {
  const router = useRouter();
  const queryClient = useQueryClient();
  const { operate } = useMay();
  const open = useMutation({
    mutationFn: () => api.createJob(hostId, { kind: "init" }),
    onSuccess: ({ job }) => {
      void queryClient.invalidateQueries({ queryKey: hostQuery(hostId).queryKey });
      router.history.push(`/jobs/${job.id}`);
    },
  });
  return (
    <div className={styles.verbs}>
      {operate && (
        <Button size="xs" loading={open.isPending} onClick={() => open.mutate()}>
          Open again
        </Button>
      )}
      <AppLink className="link" href={`/jobs/${jobId}`}>
        See the job
      </AppLink>
      <CallProblem error={open.error} />
    </div>
  );
}

function RepositoryFacts({ host: { credentials, repository, stats } }: { host: Host }) {
  const items: Fact[] = [];
  if (credentials !== null) items.push({ label: "URL", value: credentials.url, mono: true });
  if (credentials?.username) items.push({ label: "User", value: credentials.username, mono: true });
  if (repository.state === "ready")
    items.push({ label: "Repository ID", value: repository.repository_id.slice(0, 8), mono: true });
  if (stats !== null) {
    items.push({ label: "Size", value: <Bytes value={stats.total_size} /> });
    if (stats.total_uncompressed_size !== null)
      items.push({ label: "Uncompressed", value: <Bytes value={stats.total_uncompressed_size} /> });
    items.push({ label: "Measured", value: <TimeAgo at={Date.parse(stats.taken_at)} /> });
  }
  return items.length === 0 ? null : <Facts items={items} />;
}
