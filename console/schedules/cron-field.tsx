import { TextInput } from "@mantine/core";
import { useId } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { useSettled } from "../ui/use-settled.ts";
import { cronInWords, list } from "./cron-words.ts";
import { NextTimes } from "./next-times.tsx";
import { QUICK_PICKS } from "./quick-picks.ts";
import type { Written } from "./schedule-form.ts";
import styles from "./schedules.module.css";

/** The server is asked for the next times once typing has rested so long. */
const TYPING_RESTS_MS = 250;

interface CronFieldProps {
  host: Host;
  written: Written;
  onChange: (change: Partial<Written>) => void;
  errors: Partial<Record<keyof Written, string>>;
}

/** When: quick picks, the expression, its zone, what that means and what comes next. */
export function CronField({ host, written, onChange, errors }: CronFieldProps) {
  const zones = useId();
  const { cron, timezone, spreadMinutes } = written;
  const read = cronInWords(cron);
  const settledCron = useSettled(cron.trim(), TYPING_RESTS_MS);
  const settledZone = useSettled(timezone.trim(), TYPING_RESTS_MS);
  const wrong = read.ok ? undefined : read.problem.slice(0, 1).toUpperCase() + read.problem.slice(1);
  return (
    <>
      <div>
        <p className={styles.label}>Quick picks</p>
        <div className={styles.picks}>
          {Object.entries(QUICK_PICKS).map(([title, pick]) => (
            <button
              key={title}
              type="button"
              className={styles.pick}
              aria-pressed={cron.trim() === pick}
              onClick={() => onChange({ cron: pick })}
            >
              {title}
            </button>
          ))}
        </div>
      </div>
      <div className={styles.pair}>
        <TextInput
          label="Cron expression"
          classNames={{ input: "mono" }}
          description="min hour day month weekday"
          autoComplete="off"
          spellCheck={false}
          value={cron}
          onChange={({ currentTarget }) => onChange({ cron: currentTarget.value })}
          error={errors.cron ?? wrong}
        />
        <TextInput
          label="Time zone"
          description={
            host.timezone ? `Empty: the machine’s own, ${host.timezone}` : "Empty: the machine’s own"
          }
          placeholder={host.timezone ?? "the machine’s own"}
          list={zones}
          autoComplete="off"
          spellCheck={false}
          value={timezone}
          onChange={({ currentTarget }) => onChange({ timezone: currentTarget.value })}
          error={errors.timezone}
        />
        <datalist id={zones}>
          {["UTC", ...Intl.supportedValuesOf("timeZone")].map((zone) => (
            <option key={zone} value={zone}>
              {zone}
            </option>
          ))}
        </datalist>
      </div>
      {read.ok && (
        <p className={styles.words} aria-live="polite">
          {read.words}
          {read.times.length > 0 && `: ${list(read.times)}`}
        </p>
      )}
      {cronInWords(settledCron).ok && (
        <NextTimes
          hostId={host.id}
          cron={settledCron}
          timezone={settledZone === "" ? null : settledZone}
          spreadSeconds={typeof spreadMinutes === "number" ? spreadMinutes * 60 : 0}
        />
      )}
    </>
  );
}
