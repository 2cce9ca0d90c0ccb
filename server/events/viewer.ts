import type { ServerEvent } from "@restic-manager/protocol/api/events";

/** What waits for a viewer to take it. */
export interface Limits {
  events: number;
  /** Characters of JSON. */
  characters: number;
}
/** A busy second of a large fleet; a browser that is this far behind is quicker with a fresh page. */
export const VIEWER_LIMITS: Limits = { events: 2_000, characters: 1024 * 1024 };

/** One open page. */
export interface Viewer {
  /** Never waits. Too much for a slow page turns into one `ready`: it asks again for what it shows. */
  push(event: string): void;
  /** Forgets what waits: the page shall ask again. */
  reload(): void;
  end(): void;
  /** Events as JSON, in order; for one reader. */
  read(signal: AbortSignal): AsyncGenerator<string, void, void>;
}

/** @param ready makes the `ready` event, when it is sent. */
export function createViewer(ready: () => ServerEvent, limits: Limits = VIEWER_LIMITS): Viewer {
  let waiting: string[] = [];
  let characters = 0;
  let reloads = true;
  let over = false;
  let wake: () => void = () => undefined;
  const clear = () => {
    waiting = [];
    characters = 0;
  };
  const reload = () => {
    clear();
    reloads = true;
    wake();
  };
  const end = () => {
    over = true;
    clear();
    wake();
  };
  return {
    push(event) {
      if (over) return;
      if (waiting.length >= limits.events || characters + event.length > limits.characters) return reload();
      waiting.push(event);
      characters += event.length;
      wake();
    },
    reload,
    end,
    async *read(signal) {
      signal.addEventListener("abort", end);
      if (signal.aborted) end();
      try {
        while (!over) {
          if (reloads) {
            reloads = false;
            yield JSON.stringify(ready());
            continue;
          }
          const next = waiting.shift();
          if (next !== undefined) {
            characters -= next.length;
            yield next;
            continue;
          }
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      } finally {
        signal.removeEventListener("abort", end);
        end();
      }
    },
  };
}
