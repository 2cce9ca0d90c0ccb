import { Button } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { SourceGroup } from "@restic-manager/protocol/api/sources";
import { api } from "../api.ts";
import { hostQuery, sourceGroupsQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { CallProblem } from "../ui/call-problem.tsx";
import styles from "./host.module.css";
import { whyNot } from "./why-not.ts";

/** Backs up every source group now; when it cannot, the reason stands under the button. */
export function BackUpNow({ host }: { host: Host }) {
  const queryClient = useQueryClient();
  const { operate } = useMay();
  const { data: groups } = useQuery(sourceGroupsQuery(host.id));
  const start = useMutation({
    mutationFn: async (wanted: readonly SourceGroup[]) => {
      // One after the other, so that they run in the order in which they are listed.
      // oxlint-disable-next-line no-await-in-loop
      for (const group of wanted) await api.runGroup(host.id, group.id);
    },
    onSettled: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: hostQuery(host.id).queryKey }),
        queryClient.invalidateQueries({ queryKey: ["jobs"] }),
      ]),
  });
  const reason = whyNot(host, operate, groups?.items);
  return (
    <div className={styles.verb}>
      <Button
        leftSection={<IconPlayerPlay size={15} />}
        disabled={reason !== null || groups === undefined}
        loading={start.isPending}
        aria-describedby={reason === null ? undefined : "why-no-backup"}
        onClick={() => start.mutate(groups?.items ?? [])}
      >
        Back up now
      </Button>
      {reason !== null && (
        <span id="why-no-backup" className={styles.reason}>
          {reason}
        </span>
      )}
      {reason === null && !host.online && (
        <span className={styles.reason}>Waits until the machine returns</span>
      )}
      <CallProblem error={start.error} />
    </div>
  );
}
