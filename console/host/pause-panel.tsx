import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { useMay } from "../session/may.ts";
import { CallProblem } from "../ui/call-problem.tsx";
import { Panel } from "../ui/panel.tsx";
import styles from "./host.module.css";
import { useAfterPause } from "./use-after-pause.ts";

/** Maintenance mode: nothing of the host fires, and everybody sees why. While it holds, the notice above says so. */
export function PausePanel({ host }: { host: Host }) {
  const { operate } = useMay();
  const [reason, setReason] = useState("");
  const after = useAfterPause(host.id);
  const pause = useMutation({
    mutationFn: () => api.pauseHost(host.id, { reason: reason.trim() }),
    onSuccess: async (schedules) => {
      await after(schedules);
      setReason("");
    },
  });
  if (!operate || (host.paused ?? null) !== null) return null;
  const problem = pause.error === null ? null : asProblem(pause.error);
  const field = problem?.fields["reason"];
  return (
    <Panel
      title="Maintenance mode"
      note="Nothing fires until it ends. Backups started by hand still run, and times that pass meanwhile are not caught up with."
    >
      <form
        className={styles.beside}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          pause.mutate();
        }}
      >
        <TextInput
          className={styles.grow}
          label="Reason"
          description="Shown to everybody, here and in the fleet."
          value={reason}
          onChange={({ currentTarget }) => setReason(currentTarget.value)}
          error={field}
          autoComplete="off"
        />
        <Button type="submit" variant="default" loading={pause.isPending}>
          Pause {host.name}
        </Button>
        {field === undefined && <CallProblem error={pause.error} />}
      </form>
    </Panel>
  );
}
