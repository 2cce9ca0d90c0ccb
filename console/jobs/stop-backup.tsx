import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { api } from "../api.ts";
import { useMay } from "../session/may.ts";
import { CallProblem } from "../ui/call-problem.tsx";

/** Ends the backup that a restore waits for. Nothing when none runs. */
export function StopBackup({ host }: { host: Host }) {
  const { operate } = useMay();
  const active = host.active_job;
  const stop = useMutation({ mutationFn: (id: string) => api.cancelJob(id) });
  if (!operate || active?.kind !== "backup" || active.state !== "running") return null;
  return (
    <>
      <Button
        variant="default"
        loading={stop.isPending}
        disabled={stop.isSuccess}
        onClick={() => stop.mutate(active.id)}
      >
        {stop.isSuccess ? "Stopping the backup…" : "Stop the backup and restore now"}
      </Button>
      <CallProblem error={stop.error} />
    </>
  );
}
