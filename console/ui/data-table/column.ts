import type { ReactNode } from "react";

export interface Column<Row> {
  id: string;
  title: string;
  /** The title is for screen readers only, as above a column of buttons. */
  silent?: boolean;
  /** A grid track: `140px`, `minmax(160px, 2fr)`. */
  width: string;
  align?: "end";
  /** The server's name for sorting by it; without one the column cannot be sorted. */
  sort?: string;
  /** Shown from this window width on. */
  from?: 1080 | 1240 | 1360;
  /** Where it goes at 900 px and less, where a row has two lines. Columns without a place are left out there. */
  phone?: "name" | "state" | "detail" | "action";
  /** What is in it can be pressed, so it lies above the row's link. */
  control?: boolean;
  cell: (row: Row) => ReactNode;
}

export interface Sort {
  by: string;
  order: "asc" | "desc";
}
