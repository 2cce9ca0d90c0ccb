import { IconSortAscending, IconSortDescending } from "@tabler/icons-react";
import { useId } from "react";
import type { Column, Sort } from "./column.ts";
import styles from "./data-table.module.css";

interface PhoneSortProps<Row> {
  columns: readonly Column<Row>[];
  sort: Sort | undefined;
  onSort: (sort: Sort) => void;
}

/** What the column titles are for on a wide screen: a phone has no columns, so all that can be sorted by stands in one field. */
export function PhoneSort<Row>({ columns, sort, onSort }: PhoneSortProps<Row>) {
  const label = useId();
  const choices = columns.filter((column) => column.sort !== undefined);
  const { by, order } = sort ?? { by: choices[0]?.sort ?? "", order: "asc" };
  if (choices.length === 0) return null;
  const Icon = order === "asc" ? IconSortAscending : IconSortDescending;
  return (
    <div className={styles.phoneSort}>
      <label htmlFor={label}>Sort by</label>
      <select
        id={label}
        className="select"
        value={by}
        onChange={({ currentTarget }) => onSort({ by: currentTarget.value, order })}
      >
        {choices.map(({ id, title, sort: name }) => (
          <option key={id} value={name}>
            {title}
          </option>
        ))}
      </select>
      <button
        type="button"
        className={styles.turn}
        aria-label={order === "asc" ? "Ascending, reverse it" : "Descending, reverse it"}
        onClick={() => onSort({ by, order: order === "asc" ? "desc" : "asc" })}
      >
        <Icon size={18} aria-hidden="true" />
      </button>
    </div>
  );
}
