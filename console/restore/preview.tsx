import { Button } from "@mantine/core";
import { IconEye } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState } from "react";
import type { JobResult } from "@restic-manager/protocol/jobs";
import { api } from "../api.ts";
import { formatBytes } from "../format/bytes.ts";
import { countOf, formatCount } from "../format/numbers.ts";
import { progressOf, resultOf } from "../jobs/kind-words.ts";
import { jobQuery } from "../queries.ts";
import { AppLink } from "../ui/app-link.tsx";
import { CallProblem } from "../ui/call-problem.tsx";
import { Notice } from "../ui/notice.tsx";
import { ProgressLine } from "../ui/progress-line.tsx";
import { requestOf } from "./draft.ts";
import type { StepProps } from "./step.ts";
import styles from "./wizard.module.css";

/** Tries the restore out: a job that writes nothing, and what it says. */
export function Preview({ host, snapshot, picks, draft, onDone }: StepProps & { onDone: () => void }) {
  const [jobId, setJobId] = useState<string | null>(null);
  const start = useMutation({
    mutationFn: () =>
      api.startRestore(host.id, requestOf({ snapshotId: snapshot.id, picks, draft, dryRun: true })),
    onSuccess: ({ job }) => setJobId(job.id),
  });
  const { data: job } = useQuery({ ...jobQuery(jobId ?? ""), enabled: jobId !== null });
  const done = useEffectEvent(onDone);
  const succeeded = job?.state === "succeeded";
  useEffect(() => {
    if (succeeded) done();
  }, [succeeded]);
  if (jobId === null) {
    return (
      <div className={styles.send}>
        <Button
          variant="default"
          leftSection={<IconEye size={15} />}
          loading={start.isPending}
          disabled={!host.online}
          onClick={() => start.mutate()}
        >
          Preview: try it without writing
        </Button>
        <span className="quiet">
          {host.online
            ? "Says what would be written, left alone and deleted, and whether there is room."
            : `Not possible while ${host.name} is offline.`}
        </span>
        <CallProblem error={start.error} />
      </div>
    );
  }
  const result = succeeded ? resultOf(job, "restore") : undefined;
  if (result !== undefined) return <Previewed result={result} jobId={jobId} />;
  if (job?.state === "failed")
    return (
      <Notice state="fail" title={`The preview failed: ${job.error.message}`}>
        {job.error.hint}
      </Notice>
    );
  if (job?.state === "cancelled") return <Notice state="idle" title="The preview was cancelled" />;
  const waits = job?.state !== "running";
  return (
    <Notice
      state="run"
      icon={waits ? "queued" : "running"}
      title={waits ? "The preview waits for its turn" : "Trying it out"}
      actions={
        <AppLink className="link" href={`/jobs/${jobId}`}>
          Open the job
        </AppLink>
      }
    >
      <ProgressLine fraction={progressOf(job, "restore")?.fraction ?? null} label="Progress of the preview" />
    </Notice>
  );
}

function Previewed({ result, jobId }: { result: JobResult<"restore">; jobId: string }) {
  const { space, files_deleted: deleted } = result;
  const tight = space !== undefined && !space.enough;
  return (
    <Notice
      state={tight ? "fail" : result.issue_count > 0 || deleted > 0 ? "warn" : "ok"}
      title={
        tight
          ? `Not enough room: ${formatBytes(space.needed)} needed, ${formatBytes(space.free)} free`
          : `Preview: ${countOf(result.files_restored, "file or folder", "files and folders")} would be written, ${formatBytes(result.bytes_restored)}`
      }
    >
      <p>
        {countOf(result.files_skipped, "is", "are")} left alone
        {deleted > 0 ? `, ${formatCount(deleted)} deleted` : ""}
        {space?.enough === true ? `. ${formatBytes(space.free)} are free` : ""}.
      </p>
      {result.issue_count > 0 && (
        <p>
          {`The preview had ${countOf(result.issue_count, "issue")}: things that could not be read or would not be restored. `}
          <AppLink className="link" href={`/jobs/${jobId}`}>
            Open the job
          </AppLink>
        </p>
      )}
      {result.deleted.length > 0 && (
        <>
          <p>Would be deleted:</p>
          <ul className={styles.list}>
            {result.deleted.map((path) => (
              <li key={path}>{path}</li>
            ))}
            {deleted > result.deleted.length && (
              <li>and {formatCount(deleted - result.deleted.length)} more</li>
            )}
          </ul>
        </>
      )}
    </Notice>
  );
}
