import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from "react";
import styles from "./live-log.module.css";
import { GapRow, LogLineRow, PendingLineRow } from "./log-line.tsx";
import type { LogRows } from "./log-rows.ts";
import type { LogSource, LogView } from "./log-source.ts";

const LINE_HEIGHT = 20;
/** Rows the scroller spans at most: beyond it a browser's tallest element would be too short for a million lines. */
const SPAN = 100_000;
/** Nearer to the end than this counts as being at the end. */
const NEAR_END_PX = 28;

interface LogLinesProps {
  label: string;
  source: LogSource;
  view: LogView;
  rows: LogRows;
  search: string;
  following: boolean;
  onFollowing: (following: boolean) => void;
  /** Number of the line the address points at, from 0. */
  target: number | null;
  /** Changes when another set of rows is shown. */
  listId: string;
}

/** The scrolling lines: only those in sight exist, and the scroller spans at most 100,000 rows around them. */
export function LogLines(props: LogLinesProps) {
  const { rows, source, following, target } = props;
  const box = useRef<HTMLDivElement>(null);
  const lastTop = useRef(0);
  const [start, setStart] = useState(0);
  const tailStart = Math.max(0, rows.count - SPAN);
  const base = Math.min(following ? tailStart : start, tailStart);
  const count = Math.min(SPAN, rows.count - base);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_HEIGHT,
    overscan: 20,
  });
  const items = virtual.getVirtualItems();
  const first = items[0];
  const last = items.at(-1);

  const firstRow = rows.at(base + (first?.index ?? 0));
  const lastRow = rows.at(base + (last?.index ?? 0));
  const firstLine = firstRow?.kind === "line" ? firstRow.n : (firstRow?.gap.first_line ?? 0);
  const lastLine = lastRow?.kind === "line" ? lastRow.n : (lastRow?.gap.first_line ?? 0);
  useEffect(() => source.need(firstLine, lastLine), [source, firstLine, lastLine, props.view.end]);

  const toEnd = () => {
    if (count > 0) virtual.scrollToIndex(count - 1, { align: "end" });
  };
  const pin = useEffectEvent(toEnd);
  useLayoutEffect(() => {
    if (following) pin();
  }, [following, count, base, props.listId]);

  /** Moves the span so that `row` lies inside, then scrolls to it. */
  const goTo = useEffectEvent((n: number) => {
    const row = rows.indexOf(n);
    const from = Math.max(0, Math.min(tailStart, row - SPAN / 2));
    props.onFollowing(false);
    setStart(from);
    requestAnimationFrame(() => virtual.scrollToIndex(row - from, { align: "center" }));
  });
  const known = target !== null && props.view.end > target;
  useEffect(() => {
    if (target !== null && known) goTo(target);
  }, [target, known, props.listId]);

  function onScroll() {
    const element = box.current;
    if (element === null) return;
    const { scrollTop, scrollHeight, clientHeight } = element;
    const up = scrollTop < lastTop.current - 1;
    lastTop.current = scrollTop;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (atEnd && base === tailStart) {
      if (!following && !up) props.onFollowing(true);
      return;
    }
    if (following && up) {
      setStart(base);
      props.onFollowing(false);
    }
    if (up && scrollTop < LINE_HEIGHT * 50 && base > 0) shift(-SPAN / 2);
    else if (!up && atEnd && base < tailStart) shift(SPAN / 2);
  }

  /** Slides the span by `by` rows and keeps the lines under the eye where they are. */
  function shift(by: number) {
    const next = Math.max(0, Math.min(tailStart, base + by));
    const top = (first?.index ?? 0) + base - next;
    setStart(next);
    requestAnimationFrame(() => virtual.scrollToIndex(top, { align: "start" }));
  }

  return (
    <div
      ref={box}
      className={styles.lines}
      role="log"
      aria-live="off"
      aria-label={props.label}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
      tabIndex={0}
      style={{ ["--digits" as string]: String(props.view.end).length }}
      onScroll={onScroll}
    >
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        <div style={{ transform: `translateY(${first?.start ?? 0}px)` }}>
          {items.map((item) => {
            const row = rows.at(base + item.index);
            const line = row?.kind === "line" ? source.line(row.n) : undefined;
            return (
              <div key={item.key} data-index={item.index} ref={virtual.measureElement}>
                {row?.kind === "gap" && <GapRow gap={row.gap} />}
                {row?.kind === "line" && line === undefined && <PendingLineRow n={row.n} />}
                {line !== undefined && (
                  <LogLineRow line={line} search={props.search} target={line.n === target} />
                )}
              </div>
            );
          })}
        </div>
      </div>
      {props.view.phase === "live" && following && (
        <div className={styles.line}>
          <span className={styles.number} />
          <span className={styles.time} />
          <span className={styles.stream} />
          <span className={styles.waiting}>
            <span className={styles.caret} />
            waiting for the next line
          </span>
        </div>
      )}
    </div>
  );
}
