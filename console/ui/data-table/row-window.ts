import { useVirtualizer, useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useEffectEvent, useLayoutEffect, useState, type RefObject } from "react";

/** Up to here every row exists, so that the browser's own search finds them all. */
const VIRTUAL_FROM = 100;
const ROW_HEIGHT = 36;
const PHONE_ROW_HEIGHT = 58;
/** The top bar covers this much of the window. */
const TOP_BAR = 52;

export interface RowWindow {
  items: readonly { index: number }[];
  /** Space that the rows before and after the window would take, in px. */
  before: number;
  after: number;
  measure: (element: HTMLElement | null) => void;
  scrollTo: (index: number) => void;
}

/** Which rows exist right now: all of a short list, those near the window of a long one. */
export function useRowWindow(
  body: RefObject<HTMLElement | null>,
  count: number,
  phone: boolean,
  onMore: (() => void) | undefined,
): RowWindow {
  const virtual = count > VIRTUAL_FROM;
  const [offset, setOffset] = useState(0);
  // After every render, because what stands above the table may have grown; it settles at the same number.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  useLayoutEffect(() => {
    const top = body.current ? Math.round(topInScroller(body.current, phone)) : 0;
    if (Math.abs(top - offset) > 1) setOffset(top);
  });
  const common = { count, overscan: 12, scrollMargin: offset };
  const inWindow = useWindowVirtualizer({
    ...common,
    enabled: virtual && !phone,
    estimateSize: () => ROW_HEIGHT,
    scrollPaddingStart: TOP_BAR,
  });
  const inContent = useVirtualizer({
    ...common,
    enabled: virtual && phone,
    estimateSize: () => PHONE_ROW_HEIGHT,
    getScrollElement: () => body.current?.closest("main") ?? null,
  });
  const rows = phone ? inContent : inWindow;
  const found = rows.getVirtualItems();
  const items = virtual ? found : Array.from({ length: count }, (_, index) => ({ index }));
  const lastShown = items.at(-1)?.index ?? -1;
  const more = useEffectEvent(() => onMore?.());
  useEffect(() => {
    if (lastShown === count - 1 && count > 0) more();
  }, [lastShown, count]);
  const first = found[0];
  const last = found.at(-1);
  return {
    items,
    before: virtual && first ? first.start - offset : 0,
    after: virtual && last ? Math.max(0, rows.getTotalSize() - (last.end - offset)) : 0,
    measure: rows.measureElement,
    scrollTo: (index) => {
      if (virtual) rows.scrollToIndex(index);
    },
  };
}

/** How far down the rows begin in what scrolls: the page, or on a phone the content between the bars. */
function topInScroller(body: HTMLElement, phone: boolean): number {
  const top = body.getBoundingClientRect().top;
  const content = phone ? body.closest("main") : null;
  return content ? top - content.getBoundingClientRect().top + content.scrollTop : top + scrollY;
}
