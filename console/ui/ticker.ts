import { createContext, useContext, useSyncExternalStore } from "react";

/** The page's one clock: every "6 h 12 ago" follows it, and a test can hold it still. */
export interface Ticker {
  /** Milliseconds since 1970, as of the last tick. */
  now: () => number;
  /** Calls back after every tick; answers how to stop. */
  subscribe: (onTick: () => void) => () => void;
}

/** A clock that ticks every `everyMs` while anybody listens. `read` is the time's source. */
export function createTicker(read: () => number, everyMs = 1000): Ticker {
  const listeners = new Set<() => void>();
  let current = read();
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    now: () => (listeners.size === 0 ? read() : current),
    subscribe(onTick) {
      listeners.add(onTick);
      if (timer === undefined) {
        current = read();
        timer = setInterval(() => {
          current = read();
          for (const listener of listeners) listener();
        }, everyMs);
      }
      return () => {
        listeners.delete(onTick);
        if (listeners.size === 0) {
          clearInterval(timer);
          timer = undefined;
        }
      };
    },
  };
}

const TickerContext = createContext<Ticker | null>(null);
export const TickerProvider = TickerContext.Provider;

/** The page's clock. Throws outside a `TickerProvider`. */
export function useTicker(): Ticker {
  const ticker = useContext(TickerContext);
  if (ticker === null) throw new Error("useTicker needs a TickerProvider above it");
  return ticker;
}

/** A text made from the time; the component renders again only when the text changes. */
export function useTimeText(write: (now: number) => string): string {
  const ticker = useTicker();
  return useSyncExternalStore(ticker.subscribe, () => write(ticker.now()));
}
