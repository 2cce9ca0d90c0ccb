import { useMemo } from "react";
import { countOf } from "../format/numbers.ts";
import { calendarDay } from "../format/times.ts";
import { useTicker } from "../ui/ticker.ts";
import { useAtLeast } from "../ui/at-least.ts";
import { calendarWeeks, type CalendarDay } from "./calendar.ts";
import styles from "./snapshots.module.css";

/** Weeks that fit side by side. */
const WEEKS = 26;
const PHONE_WEEKS = 13;

interface CalendarProps {
  /** Of snapshots, in ms since 1970. */
  times: readonly number[];
  day: string | undefined;
  onDay: (day: string | undefined) => void;
}

/** The last half year as a square for each day, darker with more snapshots; a day narrows the list. */
export function Calendar({ times, day, onDay }: CalendarProps) {
  const ticker = useTicker();
  const wide = useAtLeast(901);
  const weeks = useMemo(
    () => calendarWeeks(times, ticker.now(), wide ? WEEKS : PHONE_WEEKS),
    [times, ticker, wide],
  );
  const days = weeks.flat().filter(({ future }) => !future);
  const without = days.filter(({ count }) => count === 0).length;
  const sentence = `${countOf(days.length, "day")}: snapshots on ${days.length - without} of them, the stronger the more`;
  return (
    <div>
      <div className={styles.calendar} role="group" aria-label={sentence}>
        {weeks.map((week) => (
          <div key={week[0]?.date} className={styles.week}>
            {week.map((one) => (
              <Square
                key={one.date}
                day={one}
                chosen={one.date === day}
                onChoose={() => onDay(one.date === day ? undefined : one.date)}
              />
            ))}
          </div>
        ))}
      </div>
      <p className={styles.caption}>{sentence}. Press a day to see only its snapshots.</p>
    </div>
  );
}

function Square({ day, chosen, onChoose }: { day: CalendarDay; chosen: boolean; onChoose: () => void }) {
  if (day.future) return <span className={styles.square} data-level="none" />;
  const words = `${calendarDay(Date.parse(`${day.date}T12:00:00Z`), "UTC")}: ${day.count === 0 ? "none" : countOf(day.count, "snapshot")}`;
  if (day.count === 0) return <span className={styles.square} data-level={0} title={words} />;
  return (
    <button
      type="button"
      className={styles.square}
      data-level={day.level}
      aria-pressed={chosen}
      aria-label={words}
      title={words}
      onClick={onChoose}
    />
  );
}
