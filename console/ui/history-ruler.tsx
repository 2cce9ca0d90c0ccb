import { countOf } from "../format/numbers.ts";
import { calendarDay, relativeTime } from "../format/times.ts";
import styles from "./history-ruler.module.css";
import { RULER_MARKS, rulerPlace, rulerReach, rulerTicks } from "./history-scale.ts";

export interface HistoryGroup {
  name: string;
  /** When its snapshots were taken, in ms since 1970, in any order. */
  times: readonly number[];
}

interface HistoryRulerProps {
  groups: readonly HistoryGroup[];
  /** Milliseconds since 1970; the right end. */
  now: number;
}

/** Every snapshot on one ruler, dense today and thinner towards the past. */
export function HistoryRuler({ groups, now }: HistoryRulerProps) {
  const reach = rulerReach(groups.flatMap((group) => group.times.map((time) => now - time)));
  const marks = RULER_MARKS.filter((mark) => mark.age <= reach);
  return (
    <div className={styles.ruler}>
      <div className={styles.scale} aria-hidden="true">
        {marks.map((mark) => (
          <span key={mark.title} style={{ left: `${rulerPlace(mark.age, reach) * 100}%` }}>
            {mark.title}
          </span>
        ))}
        <span className={styles.now} style={{ left: "100%" }}>
          now
        </span>
      </div>
      {groups.map((group) => (
        <GroupLine key={group.name} group={group} now={now} reach={reach} />
      ))}
    </div>
  );
}

function GroupLine({ group, now, reach }: { group: HistoryGroup; now: number; reach: number }) {
  const ages = group.times.map((time) => now - time);
  const oldest = group.times.reduce((min, time) => Math.min(min, time), Infinity);
  const newest = group.times.reduce((max, time) => Math.max(max, time), -Infinity);
  const none = group.times.length === 0;
  const sentence = none
    ? `${group.name}: no snapshot yet`
    : `${group.name}: ${countOf(group.times.length, "snapshot")}, the newest ${relativeTime(newest, now)}, ` +
      `the oldest ${relativeTime(oldest, now)}`;
  return (
    <div className={styles.group}>
      <div className={styles.words}>
        <div className="mono">{group.name}</div>
        <div className={styles.note}>
          {none
            ? "no snapshot yet"
            : `${countOf(group.times.length, "snapshot")}, back to ${calendarDay(oldest)}`}
        </div>
      </div>
      <svg className={styles.line} role="img" aria-label={sentence}>
        <line className={styles.base} x1="0" x2="100%" y1="29.5" y2="29.5" />
        {rulerTicks(ages, reach).map((place, index) => (
          <line
            // oxlint-disable-next-line react/no-array-index-key -- two snapshots may share a place
            key={`${place}-${index}`}
            className={styles.tick}
            x1={`${place}%`}
            x2={`${place}%`}
            y1="10"
            y2="29"
          />
        ))}
        <line className={styles.end} x1="100%" x2="100%" y1="2" y2="30" />
      </svg>
    </div>
  );
}
