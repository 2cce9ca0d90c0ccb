import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { asProblem } from "../api-problem.ts";
import { foundQuery } from "../queries.ts";
import { Notice } from "../ui/notice.tsx";
import { EntryRow } from "./entry-row.tsx";
import { folderOf } from "./paths.ts";
import { tickOf, type Picked, type Picks } from "./picks.ts";
import { pickedOf } from "./tree-book.ts";
import { treeMove } from "./tree-keys.ts";
import styles from "./tree.module.css";
import { useTreeWindow } from "./use-tree-window.ts";

interface FoundListProps {
  hostId: string;
  snapshotId: string;
  q: string;
  picks: Picks;
  onToggle: (entry: Picked) => void;
  onActive: (entry: Picked | undefined) => void;
  onRoot: (folder: string) => void;
}

/** What a search found in the whole snapshot, with the same boxes as the tree. */
export function FoundList({ hostId, snapshotId, q, picks, onToggle, onActive, onRoot }: FoundListProps) {
  const box = useRef<HTMLDivElement>(null);
  const moved = useRef(false);
  const [active, setActive] = useState(0);
  const found = useInfiniteQuery(foundQuery(hostId, snapshotId, q));
  const { data, error, hasNextPage, isFetching, failureCount, fetchNextPage, refetch } = found;
  const entries = data?.pages.flatMap((page) => page.items) ?? [];
  const count = entries.length;
  const current = Math.min(active, count - 1);
  const { rows, height } = useTreeWindow(box, count, current);
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  // A page may be empty and not the last.
  const wantsMore = hasNextPage && !isFetching && error === null && last >= count - 40;
  useEffect(() => {
    if (wantsMore) void fetchNextPage();
  }, [wantsMore, fetchNextPage]);
  useEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    box.current?.querySelector<HTMLElement>("[data-active]")?.focus({ preventScroll: true });
  });
  const pickAt = (index: number): Picked | undefined => {
    const entry = entries[index];
    return entry === undefined ? undefined : pickedOf(folderOf(entry.path), entry);
  };

  function press(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = treeMove(event.key, { index: current, count, open: undefined });
    const pick = pickAt(current);
    if (move.kind === "none" || move.kind === "up" || pick === undefined) return;
    event.preventDefault();
    if (move.kind === "to") {
      moved.current = true;
      setActive(move.index);
      rows.scrollToIndex(move.index);
      onActive(pickAt(move.index));
    }
    if (move.kind === "toggle") onToggle(pick);
    if (move.kind === "enter") onRoot(pick.folder ? pick.path : folderOf(pick.path));
  }

  if (error !== null && data === undefined) {
    const problem = asProblem(error);
    return (
      <div className={styles.problem}>
        <Notice
          state="fail"
          title={problem.message}
          actions={
            <Button size="xs" variant="default" onClick={() => void refetch()}>
              Try again
            </Button>
          }
        >
          {problem.hint}
        </Notice>
      </div>
    );
  }
  if (count === 0)
    return (
      <p className={styles.empty} role="status">
        {isFetching || hasNextPage
          ? failureCount > 0
            ? "The agent is reading the snapshot for the first search. This takes seconds, with a million files some twenty."
            : "Searching…"
          : `Nothing in this snapshot is called ${q}. Part of a name is enough; * and ? stand for whole names, a slash searches paths.`}
      </p>
    );
  return (
    <div ref={box} className={styles.box_} data-rows={count}>
      <div
        role="tree"
        aria-label={`What was found for ${q}`}
        aria-multiselectable="true"
        tabIndex={-1}
        className={styles.rows}
        style={{ height: rows.getTotalSize() }}
        onKeyDown={press}
      >
        {items.map((item) => {
          const entry = entries[item.index];
          const pick = pickAt(item.index);
          if (entry === undefined || pick === undefined) return null;
          return (
            <EntryRow
              key={item.index}
              id={`found-${item.index}`}
              entry={entry}
              name={entry.path}
              level={1}
              place={item.index + 1}
              of={hasNextPage ? -1 : count}
              tick={tickOf(picks, entry.path)}
              active={item.index === current}
              top={item.start}
              height={height}
              onToggle={() => {
                setActive(item.index);
                onActive(pick);
                onToggle(pick);
              }}
              onFocus={() => {
                setActive(item.index);
                onActive(pick);
              }}
            />
          );
        })}
      </div>
    </div>
  );
}
