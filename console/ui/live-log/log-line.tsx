import { clockTime } from "../../format/times.ts";
import { countOf, formatCount } from "../../format/numbers.ts";
import styles from "./live-log.module.css";
import type { LogGap, NumberedLine } from "./log-source.ts";

const WORDS: Record<NumberedLine["stream"], string> = {
  stdout: "",
  stderr: "stderr",
  hook_pre: "hook",
  hook_post: "hook",
  manager: "agent",
};

/** How a line is set: errors stand out, fatal ones more, the agent's own words less. */
function toneOf(line: NumberedLine): string {
  if (line.stream === "stderr") return /^fatal:/i.test(line.text) ? "fatal" : "stderr";
  if (line.stream === "hook_pre" || line.stream === "hook_post") return "hook";
  return line.stream === "manager" ? "agent" : "plain";
}

/** One line: number, time, where it comes from, the text with what was searched for marked. */
export function LogLineRow({
  line,
  search,
  target,
}: {
  line: NumberedLine;
  search: string;
  target: boolean;
}) {
  const shown = line.n + 1;
  return (
    <div id={`L${shown}`} className={styles.line} data-tone={toneOf(line)} data-target={target || undefined}>
      {/* The number is an address to send to a colleague, not a stop for the keyboard: there may be a million. */}
      <a href={`#L${shown}`} className={styles.number} tabIndex={-1}>
        {shown}
      </a>
      <span className={styles.time}>{clockTime(line.at)}</span>
      <span className={styles.stream}>{WORDS[line.stream]}</span>
      <span className={styles.text}>{marked(line.text, search)}</span>
    </div>
  );
}

/** A line that is on its way. */
export function PendingLineRow({ n }: { n: number }) {
  return (
    <div className={styles.line} data-tone="agent">
      <span className={styles.number}>{n + 1}</span>
      <span className={styles.time} />
      <span className={styles.stream} />
      <span className={styles.text}>loading…</span>
    </div>
  );
}

/** Where lines were dropped, and how many. */
export function GapRow({ gap }: { gap: LogGap }) {
  return (
    <div className={styles.gap}>
      {countOf(gap.count, "line")} {gap.count === 1 ? "was" : "were"} dropped here (
      {formatCount(gap.first_line + 1)} to {formatCount(gap.first_line + gap.count)}): there was no room left
      to keep them. The job itself was not touched.
    </div>
  );
}

function marked(text: string, search: string) {
  if (search === "") return text;
  const lower = text.toLowerCase();
  const wanted = search.toLowerCase();
  const parts = [];
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + wanted.length)}</mark>);
    from = at + wanted.length;
  }
  return [...parts, text.slice(from)];
}
