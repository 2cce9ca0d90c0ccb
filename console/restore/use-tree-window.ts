import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, type RefObject } from "react";
import { useAtLeast } from "../ui/at-least.ts";

const ROW = 30;
const PHONE_ROW = 44;

/** The rows in view of a list that scrolls in its own box; the one with the focus is always there. */
export function useTreeWindow(box: RefObject<HTMLElement | null>, count: number, active: number) {
  const wide = useAtLeast(901);
  const height = wide ? ROW : PHONE_ROW;
  const rows = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => height,
    overscan: 12,
    rangeExtractor(range) {
      const shown = defaultRangeExtractor(range);
      if (active < 0 || active >= count || shown.includes(active)) return shown;
      return [...shown, active].toSorted((a, b) => a - b);
    },
  });
  // Sizes that were estimated are kept until this is said.
  useLayoutEffect(() => rows.measure(), [rows, height]);
  return { rows, height };
}
