import type { FleetSummary } from "@restic-manager/protocol/api/fleet";
import { countOf, formatCount } from "../format/numbers.ts";
import { hourAndMinute } from "../format/times.ts";
import { useTimeText } from "../ui/ticker.ts";
import styles from "./run-band.module.css";

type Half = FleetSummary["runs"][number];

/** Heights in the drawing's own units: the tallest bar, and the room above it for a failure's mark. */
const TALLEST = 38;
const MARK_ROOM = 9;
const FLOOR = TALLEST + MARK_ROOM;
const STEP = 10;
const WIDE = 8;

/** Backups that ended in the last 24 hours, by half hour. Failures are red and carry a mark on top. */
export function RunBand({ runs }: { runs: readonly Half[] }) {
  const clock = useTimeText((now) => hourAndMinute(now));
  const total = runs.reduce((sum, half) => sum + countIn(half), 0);
  const failed = runs.reduce((sum, half) => sum + half.failed, 0);
  const most = Math.max(4, ...runs.map(countIn));
  const first = runs[0];
  const middle = runs[Math.floor(runs.length / 2)];
  const sentence =
    `${countOf(total, "backup")} ended in the last 24 hours` +
    (total === 0 ? "" : failed === 0 ? ", none failed" : `, ${formatCount(failed)} failed`);
  return (
    <figure className={styles.band}>
      <figcaption className={styles.head}>
        <span>Runs</span>
        <span>
          {formatCount(total)} in 24 h{failed > 0 && `, ${formatCount(failed)} failed`}
        </span>
      </figcaption>
      <svg
        className={styles.bars}
        viewBox={`0 0 ${runs.length * STEP} ${FLOOR}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={sentence}
      >
        {runs.map((half, index) => (
          <HalfHour key={half.at} half={half} x={index * STEP} most={most} />
        ))}
        <line
          className={styles.floor}
          x1="0"
          x2={runs.length * STEP}
          y1={FLOOR - 0.5}
          y2={FLOOR - 0.5}
          vectorEffect="non-scaling-stroke"
        />
      </svg>
      <div className={styles.scale} aria-hidden="true">
        <span>{first && hourAndMinute(Date.parse(first.at))}</span>
        <span>{middle && hourAndMinute(Date.parse(middle.at))}</span>
        <span className={styles.now}>now {clock}</span>
      </div>
    </figure>
  );
}

function countIn(half: Half): number {
  return half.succeeded + half.issues + half.failed;
}

/** Outcomes from the bottom up. */
const PARTS = [
  ["succeeded", styles.ok],
  ["issues", styles.warn],
  ["failed", styles.fail],
] as const;

function HalfHour({ half, x, most }: { half: Half; x: number; most: number }) {
  const heightOf = (count: number) => (count === 0 ? 0 : Math.max(2, (count / most) * TALLEST));
  const heights = PARTS.map(([outcome]) => heightOf(half[outcome]));
  const topOf = (index: number) => FLOOR - heights.slice(0, index + 1).reduce((sum, each) => sum + each, 0);
  const top = topOf(PARTS.length - 1);
  return (
    <g>
      {PARTS.map(([outcome, name], index) => (
        <rect
          key={outcome}
          className={name}
          x={x + 1}
          y={topOf(index)}
          width={WIDE}
          height={heights[index] ?? 0}
        />
      ))}
      {half.failed > 0 && <path className={styles.fail} d={`M${x} ${top - 8} h${STEP} l${-STEP / 2} 6 z`} />}
    </g>
  );
}
