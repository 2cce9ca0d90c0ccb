import { Tooltip } from "@mantine/core";
import { absoluteTime, relativeTime } from "../format/times.ts";
import { useTimeText } from "./ticker.ts";

/** Differences between clocks that nobody should see. */
const SAME_MOMENT_MS = 5_000;

interface TimeAgoProps {
  /** Milliseconds since 1970. */
  at: number;
  /**
   * In a table row, which is one link: no stop for the keyboard and no bubble of its own; `DataTable` shows the exact
   * time as the row's title.
   */
  inRow?: boolean;
}

/** A time as its distance from now; the exact one with its zone on hover and focus. */
export function TimeAgo({ at, inRow = false }: TimeAgoProps) {
  // The server's clock and the page's are never quite the same: what has just happened is not in the future.
  const text = useTimeText((now) => relativeTime(at - now < SAME_MOMENT_MS ? Math.min(at, now) : at, now));
  const exact = absoluteTime(at);
  const iso = new Date(at).toISOString();
  if (inRow) {
    return (
      <time dateTime={iso} data-exact={exact} style={{ whiteSpace: "nowrap" }}>
        {text}
      </time>
    );
  }
  return (
    <Tooltip label={exact} events={{ hover: true, focus: true, touch: true }}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the exact time must be reachable by keyboard */}
      <time dateTime={iso} tabIndex={0} style={{ whiteSpace: "nowrap" }}>
        {text}
      </time>
    </Tooltip>
  );
}
