import { useVirtualizer, useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useEffectEvent, useLayoutEffect, useState, type RefObject } from "react";

/** Up to here every row exists, so that the browser's own search finds them all. */
const VIRTUAL_FROM = 100;
/** What a row takes until one has been measured. */
const ROW_HEIGHT = 36;
const PHONE_ROW_HEIGHT = 58;
/** The top bar covers this much of the window. */
const TOP_BAR = 52;
/** So many rows before the last loaded one the next page is asked for, so that a reader who scrolls seldom waits. */
const MORE_BEFORE = 80;

export interface RowWindow {
  items: readonly { index: number }[];
  /** Space that the rows before and after the window would take, in px. */
  before: number;
  after: number;
  scrollTo: (index: number) => void;
}

/**
 * Which rows exist right now: all of a short list, those near the window of a long one. Nothing is measured while somebody scrolls:
 * reading the layout in every frame makes the browser lay out twice. All rows are as high as the first.
 */
export function useRowWindow(
  body: RefObject<HTMLElement | null>,
  count: number,
  phone: boolean,
  onMore: (() => void) | undefined,
): RowWindow {
  const virtual = count > VIRTUAL_FROM;
  const { offset, height } = usePlace(body, phone);
  const common = { count, overscan: 12, scrollMargin: offset, estimateSize: () => height };
  const inWindow = useWindowVirtualizer({
    ...common,
    enabled: virtual && !phone,
    scrollPaddingStart: TOP_BAR,
  });
  const inContent = useVirtualizer({
    ...common,
    enabled: virtual && phone,
    getScrollElement: () => body.current?.closest("main") ?? null,
  });
  const rows = phone ? inContent : inWindow;
  // Sizes that were estimated are kept until this is said.
  useLayoutEffect(() => rows.measure(), [rows, height]);
  const found = rows.getVirtualItems();
  const items = virtual ? found : Array.from({ length: count }, (_, index) => ({ index }));
  const lastShown = items.at(-1)?.index ?? -1;
  const near = count > 0 && lastShown >= count - 1 - (virtual ? MORE_BEFORE : 0);
  const more = useEffectEvent(() => onMore?.());
  const mayAsk = onMore !== undefined;
  useEffect(() => {
    if (near && mayAsk) more();
  }, [near, mayAsk, count]);
  const first = found[0];
  const last = found.at(-1);
  return {
    items,
    before: virtual && first ? first.start - offset : 0,
    after: virtual && last ? Math.max(0, rows.getTotalSize() - (last.end - offset)) : 0,
    scrollTo: (index) => {
      if (virtual) rows.scrollToIndex(index);
    },
  };
}

/** Where the rows begin in what scrolls, and how high one is; looked at whenever the page's own size changes. */
function usePlace(body: RefObject<HTMLElement | null>, phone: boolean): { offset: number; height: number } {
  const [offset, setOffset] = useState(0);
  const [height, setHeight] = useState(phone ? PHONE_ROW_HEIGHT : ROW_HEIGHT);
  useLayoutEffect(() => {
    const element = body.current;
    if (element === null) return;
    const look = () => {
      const top = Math.round(topInScroller(element, phone));
      setOffset((known) => (Math.abs(top - known) > 1 ? top : known));
      const row = element.querySelector("[data-index]")?.getBoundingClientRect().height ?? 0;
      if (row > 0) setHeight((known) => (Math.abs(row - known) > 0.1 ? row : known));
    };
    look();
    const observer = new ResizeObserver(look);
    // What stands above the table may grow: then the page does.
    const content = element.closest("main");
    for (const watched of [element, content, content?.firstElementChild])
      if (watched !== null && watched !== undefined) observer.observe(watched);
    return () => observer.disconnect();
  }, [body, phone]);
  return { offset, height };
}

/** How far down the rows begin in what scrolls: the page, or on a phone the content between the bars. */
function topInScroller(body: HTMLElement, phone: boolean): number {
  const top = body.getBoundingClientRect().top;
  const content = phone ? body.closest("main") : null;
  return content ? top - content.getBoundingClientRect().top + content.scrollTop : top + scrollY;
}
