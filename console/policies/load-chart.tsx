import { useQuery } from "@tanstack/react-query";
import type { ScheduleLoad } from "@restic-manager/protocol/api/schedules";
import { countOf, formatCount } from "../format/numbers.ts";
import { hourAndMinute } from "../format/times.ts";
import { scheduleLoadQuery } from "../queries.ts";
import { Panel } from "../ui/panel.tsx";
import styles from "./policies.module.css";

const HIGH = 96;
const STEP = 10;
const WIDE = 8;

/** How many runs start when, in the next 24 hours: where they are, and outlined where they would be without any spread. */
export function LoadChart() {
  const { data: load } = useQuery(scheduleLoadQuery);
  if (load === undefined || load.schedules === 0) return null;
  const total = load.slots.reduce((sum, slot) => sum + slot.starts, 0);
  const peak = peakOf(load, "starts");
  const without = peakOf(load, "without_spread");
  const most = Math.max(4, peak.count, without.count);
  const spreadHelps = without.count > peak.count;
  const sentence =
    `${countOf(total, "start")} in the next 24 hours, at most ${formatCount(peak.count)} in a quarter of an hour, at ${hourAndMinute(Date.parse(peak.at))}` +
    (spreadHelps ? `; without spread it would be ${formatCount(without.count)}` : "");
  const heightOf = (count: number) => (count === 0 ? 0 : Math.max(2, (count / most) * HIGH));
  return (
    <Panel
      title="Load over a day"
      note={`${countOf(load.schedules, "schedule")} on${load.paused > 0 ? `, ${formatCount(load.paused)} more at hosts in maintenance mode` : ""}. Starts of runs by quarter of an hour, on this computer’s clock.`}
    >
      <figure className={styles.load}>
        <svg
          className={styles.bars}
          viewBox={`0 0 ${load.slots.length * STEP} ${HIGH + 1}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={sentence}
        >
          {load.slots.map((slot, index) => (
            <g key={slot.at}>
              {slot.without_spread > slot.starts && (
                <rect
                  className={styles.unspread}
                  x={index * STEP + 1}
                  y={HIGH - heightOf(slot.without_spread)}
                  width={WIDE}
                  height={heightOf(slot.without_spread)}
                  vectorEffect="non-scaling-stroke"
                />
              )}
              <rect
                className={styles.starts}
                x={index * STEP + 1}
                y={HIGH - heightOf(slot.starts)}
                width={WIDE}
                height={heightOf(slot.starts)}
              />
            </g>
          ))}
          <line
            className={styles.floor}
            x1="0"
            x2={load.slots.length * STEP}
            y1={HIGH + 0.5}
            y2={HIGH + 0.5}
            vectorEffect="non-scaling-stroke"
          />
        </svg>
        <div className={styles.scale} aria-hidden="true">
          {[0, 24, 48, 72].map((index) => {
            const slot = load.slots[index];
            return <span key={index}>{slot && hourAndMinute(Date.parse(slot.at))}</span>;
          })}
          <span>{hourAndMinute(Date.parse(load.from) + 24 * 3_600_000)}</span>
        </div>
        <figcaption>
          {countOf(total, "start")} in 24 hours; the busiest quarter of an hour has{" "}
          <b>{formatCount(peak.count)}</b>, at {hourAndMinute(Date.parse(peak.at))}.
          {spreadHelps && (
            <>
              {" "}
              Without spread (outlined) it would be {formatCount(without.count)}, at{" "}
              {hourAndMinute(Date.parse(without.at))}.
            </>
          )}
        </figcaption>
      </figure>
    </Panel>
  );
}

function peakOf({ slots, from }: ScheduleLoad, key: "starts" | "without_spread") {
  return slots.reduce((most, slot) => (slot[key] > most.count ? { at: slot.at, count: slot[key] } : most), {
    at: from,
    count: 0,
  });
}
