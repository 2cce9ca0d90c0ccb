import { Button } from "@mantine/core";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { api } from "../api.ts";
import { countOf } from "../format/numbers.ts";
import { shortDateTime } from "../format/times.ts";
import { ConfirmByTyping } from "../ui/confirm-by-typing.tsx";
import { Notice } from "../ui/notice.tsx";
import styles from "./snapshots.module.css";

interface ForgetFormProps {
  host: Host;
  chosen: readonly Snapshot[];
  onDone: (jobId: string) => void;
  onCancel: () => void;
}

/** Removes chosen snapshots, once the host's name was typed. */
export function ForgetForm({ host, chosen, onDone, onCancel }: ForgetFormProps) {
  const what = countOf(chosen.length, "snapshot");
  const times = chosen.map(({ time }) => Date.parse(time)).toSorted((a, b) => a - b);
  const [oldest = 0] = times;
  const newest = times.at(-1) ?? oldest;
  const when =
    oldest === newest
      ? `It was taken ${shortDateTime(oldest)}.`
      : `They were taken from ${shortDateTime(oldest)} to ${shortDateTime(newest)}.`;
  return (
    <div className={styles.acts}>
      <Notice
        state="fail"
        title={`${what} of ${host.name} will be gone for good`}
        actions={
          <Button size="xs" variant="default" onClick={onCancel}>
            Keep {chosen.length === 1 ? "it" : "them"}
          </Button>
        }
      >
        {when} There is no way back. The space is freed by the next prune. An append-only repository refuses
        this unless admin credentials are stored on the Repository tab.
      </Notice>
      <ConfirmByTyping
        word={host.name}
        action={`Forget ${what}`}
        onConfirm={async () => {
          const { job } = await api.forgetSnapshots(host.id, {
            snapshot_ids: chosen.map(({ id }) => id),
            confirm_host: host.name,
          });
          onDone(job.id);
        }}
      />
    </div>
  );
}
