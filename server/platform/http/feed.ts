/** A bounded queue between whoever publishes and one stream. */
export interface Feed<T> {
  /** Never waits. When the reader has fallen `limit` behind, the feed ends: it must start again from the store. */
  push(item: T): void;
  end(): void;
  /** The items in order; for one reader. Ends after `end`, an overflow, or the signal. */
  read(signal: AbortSignal): AsyncGenerator<T, void, void>;
}

/** @param limit most items that wait for the reader. */
export function createFeed<T>(limit: number): Feed<T> {
  let items: T[] = [];
  let over = false;
  let wake: () => void = () => undefined;
  const end = () => {
    over = true;
    wake();
  };
  return {
    push(item) {
      if (over) return;
      if (items.length >= limit) {
        items = [];
        end();
        return;
      }
      items.push(item);
      wake();
    },
    end,
    async *read(signal) {
      signal.addEventListener("abort", end);
      try {
        while (!signal.aborted) {
          const batch = items;
          items = [];
          for (const item of batch) yield item;
          if (items.length > 0) continue;
          if (over) return;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        signal.removeEventListener("abort", end);
        over = true;
        items = [];
      }
    },
  };
}
