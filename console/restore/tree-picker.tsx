import { Button } from "@mantine/core";
import { useEffect, useRef, useState, useSyncExternalStore, type KeyboardEvent } from "react";
import { EntryRow } from "./entry-row.tsx";
import { folderOf, within } from "./paths.ts";
import { tickOf, type Picked, type Picks } from "./picks.ts";
import { pickedOf, type TreeBook } from "./tree-book.ts";
import { treeMove } from "./tree-keys.ts";
import { countRows, indexOfRow, rowAt, type OpenFolder, type TreeRow } from "./tree-rows.ts";
import styles from "./tree.module.css";
import { useTreeWindow } from "./use-tree-window.ts";

export interface TreePickerProps {
  label: string;
  book: TreeBook;
  /** The folder whose things are the tree's first level. */
  root: string;
  picks: Picks;
  onToggle: (entry: Picked) => void;
  /** Goes into a folder, or out of one. */
  onRoot: (folder: string) => void;
  /** What has the focus, for what can be done with it. */
  onActive: (entry: Picked | undefined) => void;
}

/** A snapshot's folders, each loaded when it is opened, with boxes to tick. Rows out of sight do not exist. */
export function TreePicker({ label, book, root, picks, onToggle, onRoot, onActive }: TreePickerProps) {
  const box = useRef<HTMLDivElement>(null);
  const moved = useRef(false);
  const [active, setActive] = useState(0);
  useSyncExternalStore(book.subscribe, book.version);
  useEffect(() => {
    book.need(root, 0);
  }, [book, root]);
  const tree = book.rows(root);
  const count = countRows(tree);
  const current = Math.min(active, count - 1);
  const { rows, height } = useTreeWindow(box, count, current);
  const items = rows.getVirtualItems();
  const shown = items.map((item) => ({ item, row: rowAt(tree, item.index) }));

  useEffect(() => {
    for (const { row } of shown) if (row !== undefined) book.need(row.folder, row.at);
  });
  useEffect(() => {
    if (!moved.current) return;
    const row = box.current?.querySelector<HTMLElement>("[data-active]");
    row?.focus({ preventScroll: true });
    // A row that is still being loaded makes way for the real one, which then takes the focus over.
    moved.current = row?.dataset["words"] !== undefined;
  });

  const entryAt = (row: TreeRow | undefined) =>
    row === undefined ? undefined : book.folder(row.folder)?.items[row.at];
  const go = (index: number) => {
    const row = rowAt(tree, index);
    const entry = entryAt(row);
    moved.current = true;
    setActive(index);
    rows.scrollToIndex(index);
    onActive(row === undefined || entry === undefined ? undefined : pickedOf(row.folder, entry));
  };

  function press(event: KeyboardEvent) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = rowAt(tree, current);
    const entry = entryAt(row);
    if (row === undefined) return;
    const path = entry === undefined ? undefined : within(row.folder, entry.name);
    const folder = entry?.type === "dir";
    const open = folder && path !== undefined ? book.isOpen(path) : undefined;
    const move = treeMove(event.key, { index: current, count, open });
    if (move.kind === "none") return;
    event.preventDefault();
    if (move.kind === "to") go(move.index);
    if (move.kind === "up" && root !== "/") onRoot(folderOf(root));
    if (move.kind === "holder") {
      const at = holderIndex(tree, row);
      if (at !== undefined) go(at);
    }
    if (path === undefined || entry === undefined) return;
    if (move.kind === "toggle" || (move.kind === "enter" && !folder)) onToggle(pickedOf(row.folder, entry));
    if (move.kind === "enter" && folder) onRoot(path);
    if (move.kind === "open") book.open(path, row.at);
    if (move.kind === "close") book.close(path);
  }

  return (
    <div ref={box} className={styles.box_} data-rows={count}>
      <div
        role="tree"
        aria-label={label}
        aria-multiselectable="true"
        tabIndex={-1}
        className={styles.rows}
        style={{ height: rows.getTotalSize() }}
        onKeyDown={press}
        onBlur={({ relatedTarget, currentTarget }) => {
          if (relatedTarget !== null && !currentTarget.contains(relatedTarget)) moved.current = false;
        }}
      >
        {shown.map(({ item, row }) => {
          if (row === undefined) return null;
          const place = { top: item.start, height, level: row.level };
          const entry = entryAt(row);
          if (entry === undefined)
            return (
              <Words
                key={`${row.folder}\0${row.at}`}
                {...place}
                book={book}
                row={row}
                active={item.index === current}
              />
            );
          const path = within(row.folder, entry.name);
          return (
            <EntryRow
              key={`${row.folder}\0${row.at}`}
              id={`entry-${item.index}`}
              {...place}
              entry={entry}
              name={entry.name}
              place={row.at + 1}
              of={book.folder(row.folder)?.total ?? 1}
              tick={tickOf(picks, path)}
              {...(entry.type === "dir" ? { open: book.isOpen(path) } : {})}
              active={item.index === current}
              onToggle={() => {
                setActive(item.index);
                onActive(pickedOf(row.folder, entry));
                onToggle(pickedOf(row.folder, entry));
              }}
              onOpen={() => {
                setActive(item.index);
                if (book.isOpen(path)) book.close(path);
                else book.open(path, row.at);
              }}
              onFocus={() => {
                setActive(item.index);
                onActive(pickedOf(row.folder, entry));
              }}
            />
          );
        })}
      </div>
    </div>
  );
}

function holderIndex(tree: OpenFolder, row: TreeRow): number | undefined {
  const find = (folder: OpenFolder): number | undefined => {
    for (const { at, folder: inner } of folder.open) {
      if (inner.path === row.folder) return indexOfRow(tree, folder.path, at);
      const found = find(inner);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return find(tree);
}

interface WordsProps {
  book: TreeBook;
  row: TreeRow;
  active: boolean;
  top: number;
  height: number;
  level: number;
}

/** What stands where an entry is not there yet, cannot be read, or is none. */
function Words({ book, row, active, top, height, level }: WordsProps) {
  const folder = book.folder(row.folder);
  const problem = folder?.problem;
  const words =
    problem === undefined ? (folder?.total === 0 ? "This folder is empty" : "Loading…") : problem.message;
  return (
    <div
      role="treeitem"
      aria-level={level}
      aria-selected={false}
      aria-disabled="true"
      tabIndex={active ? 0 : -1}
      data-active={active || undefined}
      className={styles.row}
      data-words=""
      style={{ top, height, ["--level" as string]: level - 1 }}
    >
      <span className={styles.name}>
        <span className={styles.arrow} />
        <span className={styles.said}>{words}</span>
        {problem !== undefined && (
          <Button size="compact-sm" variant="default" onClick={() => book.retry(row.folder)}>
            Try again
          </Button>
        )}
      </span>
    </div>
  );
}
