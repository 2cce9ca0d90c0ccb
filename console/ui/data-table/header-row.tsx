import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { Children, type ReactNode } from "react";
import type { Column, Sort } from "./column.ts";
import styles from "./data-table.module.css";

interface HeaderRowProps<Row> {
  columns: readonly Column<Row>[];
  sort: Sort | undefined;
  onSort: ((sort: Sort) => void) | undefined;
  /** The checkbox that selects all, if rows can be selected. */
  children: ReactNode;
}

/** Column titles; those the server can sort by are buttons. */
export function HeaderRow<Row>({ columns, sort, onSort, children }: HeaderRowProps<Row>) {
  return (
    <div role="rowgroup" className={styles.head}>
      <div role="row" aria-rowindex={1} className={styles.row}>
        {Children.toArray(children).length > 0 && (
          <div role="columnheader" className={styles.mark}>
            {children}
          </div>
        )}
        {columns.map((column) => {
          const active = sort !== undefined && sort.by === column.sort;
          const direction = active ? (sort.order === "asc" ? "ascending" : "descending") : undefined;
          return (
            <div
              key={column.id}
              role="columnheader"
              className={styles.cell}
              data-align={column.align}
              {...(direction === undefined ? {} : { "aria-sort": direction })}
            >
              {column.sort === undefined || onSort === undefined ? (
                <span className={column.silent ? "visually-hidden" : undefined}>{column.title}</span>
              ) : (
                <button
                  type="button"
                  className={styles.sort}
                  onClick={() =>
                    onSort({ by: column.sort ?? "", order: active && sort.order === "asc" ? "desc" : "asc" })
                  }
                >
                  {column.title}
                  {direction === "ascending" && <IconArrowDown size={13} aria-hidden="true" />}
                  {direction === "descending" && <IconArrowUp size={13} aria-hidden="true" />}
                </button>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}
