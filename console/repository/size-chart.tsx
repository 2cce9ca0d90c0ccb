import type { SizePoint } from "@restic-manager/protocol/api/repository-page";
import { formatBytes } from "../format/bytes.ts";
import { calendarDay } from "../format/times.ts";
import { Panel } from "../ui/panel.tsx";
import styles from "./repository.module.css";

const WIDE = 1_000;
const HIGH = 120;

/** What the repository takes, as agents measured it after their jobs. Two points make the first line. */
export function SizeChart({ sizes }: { sizes: readonly SizePoint[] }) {
  const [first] = sizes;
  const last = sizes.at(-1);
  if (first === undefined || last === undefined || sizes.length < 2) return null;
  const points = sizes.map((point) => ({ at: Date.parse(point.taken_at), size: point.total_size }));
  const [from, until] = [Date.parse(first.taken_at), Date.parse(last.taken_at)];
  const most = Math.max(1, ...points.map(({ size }) => size));
  // From nothing, so that a size twice as high is twice as much.
  const x = (at: number) => (until === from ? WIDE : ((at - from) / (until - from)) * WIDE);
  const y = (size: number) => HIGH - (size / most) * (HIGH - 4);
  const line = points.map(({ at, size }) => `${x(at).toFixed(1)} ${y(size).toFixed(1)}`).join(" L");
  const grown = last.total_size - first.total_size;
  const sentence = `From ${formatBytes(first.total_size)} on ${calendarDay(from)} to ${formatBytes(last.total_size)} on ${calendarDay(until)}, at most ${formatBytes(most)}`;
  return (
    <Panel
      title="Size over time"
      note={`${grown === 0 ? "Unchanged" : `${formatBytes(Math.abs(grown))} ${grown > 0 ? "more" : "less"}`} since ${calendarDay(from)}.`}
    >
      <figure className={styles.chart}>
        <div className={styles.axis} aria-hidden="true">
          <span>{formatBytes(most)}</span>
          <span>0</span>
        </div>
        <div>
          <svg
            className={styles.line}
            viewBox={`0 0 ${WIDE} ${HIGH}`}
            preserveAspectRatio="none"
            role="img"
            aria-label={sentence}
          >
            <path className={styles.under} d={`M${x(from)} ${HIGH} L${line} L${WIDE} ${HIGH} z`} />
            <path className={styles.over} d={`M${line}`} vectorEffect="non-scaling-stroke" />
          </svg>
          <div className={styles.scale} aria-hidden="true">
            <span>{calendarDay(from)}</span>
            <span>{calendarDay(until)}</span>
          </div>
        </div>
      </figure>
    </Panel>
  );
}
