import { Checkbox } from "@mantine/core";
import { useCallback, useMemo, useRef, useState, type ReactNode } from "react";
import { countOf, formatCount } from "../../format/numbers.ts";
import { useWidthClass } from "../at-least.ts";
import type { Column, Sort } from "./column.ts";
import styles from "./data-table.module.css";
import { useFrozenOrder } from "./frozen-order.ts";
import { HeaderRow } from "./header-row.tsx";
import { PhoneSort } from "./phone-sort.tsx";
import { useRowKeys } from "./row-keys.ts";
import { TableRow } from "./table-row.tsx";
import { useRowWindow } from "./row-window.ts";

export interface Selection {
  ids: ReadonlySet<string>;
  onChange: (ids: ReadonlySet<string>) => void;
}

interface DataTableProps<Row> {
  /** What the table lists, for screen readers. */
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  idOf: (row: Row) => string;
  /** What a row is called, in its link and its checkbox. */
  nameOf: (row: Row) => string;
  /** The page a row opens. */
  hrefOf: (row: Row) => string;
  /** Rows that match at the server; more than `rows` while pages are still to come. `more`: some, nobody counted them. */
  total: number | "more";
  /** Names what is listed, filter and sort: another list is shown as it comes, the same one keeps its order under the pointer. */
  listId: string;
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  selection?: Selection;
  /** The row whose page is open beside the table. */
  current?: string;
  /** Called when the last loaded row comes into view and more exist. */
  onMore?: () => void;
  /** Said instead of rows. */
  empty: ReactNode;
}

/**
 * The one table. A row is one real link stretched over its cells; controls lie above it. Past 100 rows only those in view
 * exist. At 900 px and less a row becomes two lines. While pointer or focus is in it, its order stands still.
 */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { columns, idOf, selection, sort, onSort } = props;
  const body = useRef<HTMLDivElement>(null);
  const [inside, setInside] = useState(false);
  const width = useWidthClass();
  const phone = width === 0;
  const { rows, changed, release } = useFrozenOrder(props.rows, idOf, inside, props.listId);
  const shown = useMemo(
    () => columns.filter((column) => (phone ? column.phone !== undefined : width >= (column.from ?? 0))),
    [columns, phone, width],
  );
  const view = useRowWindow(
    body,
    rows.length,
    phone,
    props.total === "more" || props.total > rows.length ? props.onMore : undefined,
  );

  const toggle = useCallback(
    (row: Row | undefined) => {
      if (row === undefined || selection === undefined) return;
      const ids = new Set(selection.ids);
      if (!ids.delete(idOf(row))) ids.add(idOf(row));
      selection.onChange(ids);
    },
    [selection, idOf],
  );

  useRowKeys({ body, count: rows.length, scrollTo: view.scrollTo, onMark: (index) => toggle(rows[index]) });
  const tracks =
    (selection === undefined || phone ? "" : "36px ") + shown.map((column) => column.width).join(" ");
  const marked = selection === undefined ? 0 : rows.filter((row) => selection.ids.has(idOf(row))).length;
  return (
    <div
      className={styles.frame}
      onPointerEnter={() => setInside(true)}
      onPointerLeave={() => setInside(false)}
      onFocus={() => setInside(true)}
      onBlur={(event) => setInside(event.currentTarget.contains(event.relatedTarget))}
    >
      {phone && onSort !== undefined && rows.length > 1 && (
        <PhoneSort columns={columns} sort={sort} onSort={onSort} />
      )}
      <div
        role="table"
        aria-label={props.label}
        aria-rowcount={props.total === "more" ? -1 : props.total + 1}
        aria-colcount={shown.length + (selection === undefined ? 0 : 1)}
        data-phone={phone || undefined}
        data-selects={selection !== undefined || undefined}
        className={styles.table}
        style={{ ["--tracks" as string]: tracks }}
      >
        <HeaderRow columns={shown} sort={sort} onSort={phone ? undefined : onSort}>
          {selection !== undefined && (
            <Checkbox
              aria-label="Select all rows that are loaded"
              checked={marked > 0 && marked === rows.length}
              indeterminate={marked > 0 && marked < rows.length}
              onChange={() => selection.onChange(new Set(marked === rows.length ? [] : rows.map(idOf)))}
            />
          )}
        </HeaderRow>
        <div role="rowgroup" ref={body} style={{ paddingTop: view.before, paddingBottom: view.after }}>
          {view.items.map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <TableRow
                key={idOf(row)}
                index={item.index}
                row={row}
                columns={shown}
                name={props.nameOf(row)}
                href={props.hrefOf(row)}
                current={props.current === idOf(row)}
                {...(selection === undefined
                  ? {}
                  : { selected: selection.ids.has(idOf(row)), onToggle: toggle })}
              />
            );
          })}
        </div>
      </div>
      {rows.length === 0 && props.empty}
      {rows.length > 0 && (
        <div className={styles.foot}>
          <span>{footWords(rows.length, props.total)}</span>
          {changed > 0 && (
            <span role="status">
              {countOf(changed, "row")} changed ·{" "}
              <button type="button" className={styles.update} onClick={release}>
                Update
              </button>
            </span>
          )}
        </div>
      )}
    </div>
  );
}

function footWords(shown: number, total: number | "more"): string {
  if (total === "more") return `${countOf(shown, "row")}, more below`;
  return shown < total ? `${countOf(shown, "row")} of ${formatCount(total)}` : countOf(total, "row");
}
