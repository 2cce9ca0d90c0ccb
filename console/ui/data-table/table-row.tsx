import { memo, type PointerEvent } from "react";
import { AppLink } from "../app-link.tsx";
import type { Column } from "./column.ts";
import styles from "./data-table.module.css";

interface TableRowProps<Row> {
  index: number;
  row: Row;
  columns: readonly Column<Row>[];
  name: string;
  href: string;
  current: boolean;
  selected?: boolean;
  onToggle?: (row: Row) => void;
}

/**
 * Drawn again only when something of it is another: scrolling shows other rows and leaves those in sight alone. All it is given
 * must therefore stay the same while it means the same.
 */
export const TableRow = memo(Drawn) as typeof Drawn;

/** One row: its name's link covers it, so any click anywhere opens it and a middle click opens a tab. */
function Drawn<Row>(props: TableRowProps<Row>) {
  const { row, columns, name, href, selected, onToggle } = props;
  const linked = columns.find((column) => column.phone === "name") ?? columns[0];
  return (
    <div
      role="row"
      data-index={props.index}
      aria-rowindex={props.index + 2}
      aria-selected={selected}
      className={styles.row}
      onPointerMove={showExactTime}
    >
      {onToggle !== undefined && (
        <div role="cell" className={styles.mark}>
          {/* The browser's own: one of Mantine's takes longer to make than the rest of the row. */}
          <input
            type="checkbox"
            className={styles.check}
            aria-label={`Select ${name}`}
            checked={selected === true}
            onChange={() => onToggle(row)}
          />
        </div>
      )}
      {columns.map((column) => (
        <div
          key={column.id}
          role="cell"
          className={styles.cell}
          data-align={column.align}
          data-place={column.phone}
          data-control={column.control || undefined}
        >
          {column === linked ? (
            <AppLink
              href={href}
              className={styles.link}
              data-row-link=""
              aria-current={props.current ? "true" : undefined}
            >
              {column.cell(row)}
            </AppLink>
          ) : (
            column.cell(row)
          )}
        </div>
      ))}
    </div>
  );
}

/** The link covers the row's times, so the row takes over showing the exact one under the pointer. */
function showExactTime(event: PointerEvent<HTMLElement>) {
  const link = event.currentTarget.querySelector<HTMLElement>("[data-row-link]");
  if (link === null) return;
  const time = document
    .elementsFromPoint(event.clientX, event.clientY)
    .find((element): element is HTMLElement => element instanceof HTMLElement && "exact" in element.dataset);
  const exact = time?.dataset["exact"] ?? "";
  if (link.title !== exact) link.title = exact;
}
