import { formatPercent } from "../format/numbers.ts";
import styles from "./progress-line.module.css";

interface ProgressLineProps {
  /** 0 to 1; null while the total is unknown. */
  fraction: number | null;
  /** What is progressing, for those who cannot see the bar. */
  label: string;
  phase?: "run" | "stalled" | "done";
  tall?: boolean;
}

/** A bar that eases to its value. When nothing moves it turns amber and says so. */
export function ProgressLine({ fraction, label, phase = "run", tall = false }: ProgressLineProps) {
  const percent = fraction === null ? null : formatPercent(fraction);
  return (
    <div className={styles.frame} data-phase={phase} data-tall={tall || undefined}>
      <div
        className={styles.track}
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        {...(percent === null ? {} : { "aria-valuenow": Number(percent) })}
      >
        <div
          className={percent === null ? styles.unknown : styles.fill}
          style={percent === null ? undefined : { width: `${(fraction ?? 0) * 100}%` }}
        />
      </div>
      {phase === "stalled" && <span className={styles.word}>Stalled</span>}
    </div>
  );
}
