import { IconLock } from "@tabler/icons-react";
import type { HooksView } from "@restic-manager/protocol/api/sources";
import { calendarDay } from "../format/times.ts";
import { limitWords } from "../format/durations.ts";
import styles from "./hooks.module.css";

interface HooksInWordsProps {
  own: HooksView | null;
  /** The host's, which stand for a group that has none; undefined for the host's own. */
  inherited?: HooksView | null;
}

/** Which hooks there are and since when; never what they say. */
export function HooksInWords({ own, inherited }: HooksInWordsProps) {
  const shown = own ?? inherited ?? null;
  if (shown === null) {
    return (
      <p className={styles.line}>
        <IconLock size={14} aria-hidden="true" />
        {inherited === undefined ? "None set" : "None of its own; the host has no default"}
      </p>
    );
  }
  const which = [shown.has_pre ? "before" : "", shown.has_post ? "after" : ""].filter((word) => word !== "");
  return (
    <p className={styles.line}>
      <IconLock size={14} aria-hidden="true" />
      <span>
        {own === null ? "The host’s: " : ""}
        {own === null ? which.join(" and ") : capital(which.join(" and "))}, set on{" "}
        {calendarDay(Date.parse(shown.updated_at))}, {limitWords(shown.timeout_seconds)} limit
      </span>
    </p>
  );
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
