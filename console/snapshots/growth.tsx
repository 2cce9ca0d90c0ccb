import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { useMemo } from "react";
import { formatBytes } from "../format/bytes.ts";
import { countOf } from "../format/numbers.ts";
import { calendarDay } from "../format/times.ts";
import { growthOf } from "./growth-points.ts";
import styles from "./snapshots.module.css";

const WIDTH = 600;
const HEIGHT = 96;

/** What the snapshots that are kept added to the repository, summed over time. */
export function Growth({ snapshots }: { snapshots: readonly Snapshot[] }) {
  const { count, points } = useMemo(() => growthOf(snapshots), [snapshots]);
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || points.length < 3) {
    return <p className="quiet">Three snapshots with a summary (restic 0.17 or newer) make a line.</p>;
  }
  const span = Math.max(1, last.at - first.at);
  const most = Math.max(1, last.sum);
  const x = (at: number) => (((at - first.at) / span) * WIDTH).toFixed(1);
  const y = (sum: number) => (HEIGHT - 2 - (sum / most) * (HEIGHT - 6)).toFixed(1);
  const line = points.map(({ at, sum }) => `${x(at)},${y(sum)}`).join(" ");
  const sentence = `${countOf(count, "snapshot")} from ${calendarDay(first.at)} to ${calendarDay(last.at)} added ${formatBytes(last.sum)}`;
  return (
    <div className={styles.chart}>
      <div className={styles.axis} aria-hidden="true">
        <span>{formatBytes(most)}</span>
        <span>0</span>
      </div>
      <div>
        <svg
          className={styles.growth}
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={sentence}
        >
          {[0.25, 0.5, 0.75].map((part) => (
            <line
              key={part}
              className={styles.grid}
              x1="0"
              x2={WIDTH}
              y1={HEIGHT * part}
              y2={HEIGHT * part}
            />
          ))}
          <polygon className={styles.area} points={`0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} />
          <polyline className={styles.line} points={line} />
        </svg>
        <div className={styles.scale} aria-hidden="true">
          <span>{calendarDay(first.at)}</span>
          <span>{calendarDay(last.at)}</span>
        </div>
      </div>
    </div>
  );
}
