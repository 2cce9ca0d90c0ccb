import { splitBytes } from "../format/bytes.ts";
import { formatDuration } from "../format/durations.ts";
import styles from "./quantity.module.css";

/** A size in binary units with three digits; the unit is set quieter. `per` makes it a rate: `/s`. */
export function Bytes({ value, per = "" }: { value: number; per?: string }) {
  const { number, unit } = splitBytes(value);
  return (
    <span className={styles.quantity}>
      {number} <span className={styles.unit}>{unit + per}</span>
    </span>
  );
}

/** How long something took. `value` in milliseconds. */
export function Duration({ value }: { value: number }) {
  return <span className={styles.quantity}>{formatDuration(value)}</span>;
}
