import type { RefObject } from "react";
import { useShortcuts } from "../keys.ts";

interface RowKeys {
  body: RefObject<HTMLElement | null>;
  count: number;
  scrollTo: (index: number) => void;
  onMark: (index: number) => void;
}

/** j and k walk the rows' links (Enter is the link's own), x selects. */
export function useRowKeys({ body, count, scrollTo, onMark }: RowKeys): void {
  const current = (): number => {
    const row = document.activeElement?.closest<HTMLElement>("[data-index]");
    return row && body.current?.contains(row) ? Number(row.dataset["index"]) : -1;
  };
  const focusRow = (index: number): boolean => {
    const row = body.current?.querySelector<HTMLElement>(`[data-index="${index}"] [data-row-link]`);
    row?.focus({ preventScroll: false });
    return row !== null && row !== undefined;
  };
  const walk = (step: number) => {
    const index = Math.min(count - 1, Math.max(0, current() + step));
    if (focusRow(index)) return;
    scrollTo(index);
    requestAnimationFrame(() => requestAnimationFrame(() => focusRow(index)));
  };
  useShortcuts({
    j: () => walk(1),
    k: () => walk(-1),
    x: () => onMark(current()),
  });
}
