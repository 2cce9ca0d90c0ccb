import { useQuery } from "@tanstack/react-query";
import type { FireTime } from "@restic-manager/protocol/api/schedules";
import { asProblem } from "../api-problem.ts";
import { relativeTime } from "../format/times.ts";
import { schedulePreviewQuery } from "../queries.ts";
import { useTimeText } from "../ui/ticker.ts";
import styles from "./schedules.module.css";

interface NextTimesProps {
  hostId: string;
  cron: string;
  /** Null: the machine's own. */
  timezone: string | null;
  spreadSeconds: number;
}

/** The next five times, on the machine's clock and on the reader's, as the server counts them. */
export function NextTimes({ hostId, cron, timezone, spreadSeconds }: NextTimesProps) {
  const { data, error } = useQuery(schedulePreviewQuery(hostId, cron, timezone));
  if (error !== null && data === undefined) {
    // What is wrong with the field itself is said at the field.
    return asProblem(error).status === 422 ? null : (
      <p className={styles.error}>{asProblem(error).message}</p>
    );
  }
  if (data === undefined) return <p className="quiet">Asking for the next times…</p>;
  const here = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const both = data.next.some(({ at, local }) => wallClock(at, here) !== wallClockOf(local));
  return (
    <div>
      <p className={styles.label}>Next five</p>
      <table className={styles.times}>
        <thead>
          <tr>
            <th scope="col">{data.effective_timezone}</th>
            {both && <th scope="col">Here, {here}</th>}
            <th scope="col">
              <span className="visually-hidden">From now</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {data.next.map((time) => (
            <Row key={time.at} time={time} here={both ? here : null} />
          ))}
        </tbody>
      </table>
      {spreadSeconds > 0 && (
        <p className="quiet">
          Each up to {Math.round(spreadSeconds / 60)} min later: every host has its own moment.
        </p>
      )}
    </div>
  );
}

function Row({ time: { at, local }, here }: { time: FireTime; here: string | null }) {
  const ms = Date.parse(at);
  const from = useTimeText((now) => relativeTime(ms, now));
  return (
    <tr>
      <td>
        <DayAndTime text={wallClockOf(local)} />
      </td>
      {here !== null && (
        <td>
          <DayAndTime text={wallClock(at, here)} />
        </td>
      )}
      <td className="quiet">{from}</td>
    </tr>
  );
}

function DayAndTime({ text }: { text: string }) {
  const [time = "", ...day] = text.split(" ").toReversed();
  return (
    <>
      {day.toReversed().join(" ")} <b>{time}</b>
    </>
  );
}

/** `Sun 22 Nov 03:30` of `2026-11-22T03:30:00+01:00`: that clock's own words, whatever zone the browser knows. */
function wallClockOf(local: string): string {
  return wallClock(`${local.slice(0, 19)}Z`, "UTC");
}

function wallClock(at: string, timeZone: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    timeZone,
  })
    .format(Date.parse(at))
    .replaceAll(",", "");
}
