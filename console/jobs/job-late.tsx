import type { Job } from "@restic-manager/protocol/api/jobs";
import { dayTime } from "../format/day-times.ts";
import { AppLink } from "../ui/app-link.tsx";
import { Notice } from "../ui/notice.tsx";
import { useTimeText } from "../ui/ticker.ts";
import { lateWords } from "./started-by.ts";

/** Says of a schedule's run that it catches up, or is tried again. */
export function JobLate({ job }: { job: Job }) {
  const { schedule } = job;
  const at = useTimeText((now) =>
    schedule === undefined ? "" : dayTime(Date.parse(schedule.scheduled_at), now),
  );
  const words = schedule === undefined ? null : lateWords(schedule, at);
  if (schedule === undefined || words === null) return null;
  return (
    <Notice
      state="idle"
      icon="late"
      title={words.title}
      actions={
        <AppLink className="link" href={`/hosts/${job.host.id}?tab=schedules&schedule=${schedule.id}`}>
          Open the schedule
        </AppLink>
      }
    >
      {words.text}
    </Notice>
  );
}
