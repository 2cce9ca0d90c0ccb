import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { api } from "../api.ts";
import { dayTime } from "../format/day-times.ts";
import { useMay } from "../session/may.ts";
import { CallProblem } from "../ui/call-problem.tsx";
import { Notice } from "../ui/notice.tsx";
import { useTimeText } from "../ui/ticker.ts";
import { useAfterPause } from "./use-after-pause.ts";

/** Says that a host is in maintenance mode, why, since when and by whom. */
export function PausedNotice({ host }: { host: Host }) {
  const { operate } = useMay();
  const after = useAfterPause(host.id);
  const resume = useMutation({ mutationFn: () => api.resumeHost(host.id), onSuccess: after });
  const paused = host.paused ?? null;
  const since = useTimeText((now) => (paused === null ? "" : dayTime(Date.parse(paused.since), now)));
  if (paused === null) return null;
  return (
    <Notice
      state="warn"
      icon="paused"
      title={`${host.name} is paused: ${paused.reason}`}
      {...(operate
        ? {
            actions: (
              <Button size="xs" variant="default" loading={resume.isPending} onClick={() => resume.mutate()}>
                Resume {host.name}
              </Button>
            ),
          }
        : {})}
    >
      Since {since}, by {paused.by}. No schedule fires; backups started by hand still run.
      <CallProblem error={resume.error} />
    </Notice>
  );
}
