import { roundRemaining } from "../format/durations.ts";
import { formatPercent } from "../format/numbers.ts";
import { hourAndMinute } from "../format/times.ts";
import { useTimeText } from "../ui/ticker.ts";
import styles from "./job.module.css";

/** How much of a job is done; a dash until that is known. */
export function Percentage({ fraction }: { fraction: number | undefined }) {
  return (
    <div className={styles.percentage}>
      {fraction === undefined ? "–" : formatPercent(fraction)}
      <span className={styles.unit}>%</span>
    </div>
  );
}

/** Seconds to the end, in round words; undefined while nobody knows. */
export function TimeLeft({ seconds }: { seconds: number | undefined }) {
  const end = useTimeText((now) => hourAndMinute(now + (seconds ?? 0) * 1000));
  return (
    <div className={styles.left}>
      <span className={styles.label}>Time left</span>
      <span className={styles.remaining}>
        {seconds === undefined ? "not known yet" : roundRemaining(seconds)}
      </span>
      <span className={styles.label}>{seconds === undefined ? " " : `done around ${end}`}</span>
    </div>
  );
}

/** A path in one line, cut at its beginning: the end says which file it is. */
export function PathLine({ path }: { path: string }) {
  return (
    <span className={styles.path} title={path}>
      <bdi>{path === "" ? " " : path}</bdi>
    </span>
  );
}
