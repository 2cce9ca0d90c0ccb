/** Most folders that are named: what was looked at last. */
const FOLDERS_NAMED = 500;

/** How long a page is kept for whoever saw it. */
const KEPT_MS = 30 * 60_000;

export interface PageKey {
  /** Whose: a page that was shown to one is no reason to show it to another. */
  session: string;
  hostId: string;
  snapshotId: string;
  path: string;
  /** The rest of the question. */
  part: string;
}

interface Kept<T> {
  key: PageKey;
  page: T;
  bytes: number;
  until: number;
}

/** What was shown to somebody, for 30 minutes and in so many bytes; what was not looked at for longest goes first. */
export class PageCache<T> {
  readonly #pages = new Map<string, Kept<T>>();
  readonly #mostBytes: number;
  readonly #elapsed: () => number;
  #bytes = 0;

  /** @param elapsed milliseconds, by a clock that nobody sets. */
  constructor(mostBytes: number, elapsed: () => number) {
    this.#mostBytes = mostBytes;
    this.#elapsed = elapsed;
  }

  get(key: PageKey): T | undefined {
    const name = nameOf(key);
    const kept = this.#pages.get(name);
    if (kept === undefined) return undefined;
    this.#drop(name);
    if (kept.until <= this.#elapsed()) return undefined;
    this.#pages.set(name, kept);
    this.#bytes += kept.bytes;
    return kept.page;
  }

  set(key: PageKey, page: T): void {
    const name = nameOf(key);
    this.#drop(name);
    // A character takes two bytes at most, and objects about as much again.
    const bytes = 2 * JSON.stringify(page).length + name.length + 200;
    if (bytes > this.#mostBytes) return;
    const now = this.#elapsed();
    this.#pages.set(name, { key, page, bytes, until: now + KEPT_MS });
    this.#bytes += bytes;
    for (const [oldest, kept] of this.#pages) {
      if (this.#bytes <= this.#mostBytes && kept.until > now) break;
      this.#drop(oldest);
    }
  }

  /** Folders of a snapshot that this session can still be shown, by name; the ones it looked at last when they are many. */
  folders(of: Pick<PageKey, "session" | "hostId" | "snapshotId">): string[] {
    const now = this.#elapsed();
    const paths = new Set<string>();
    for (const { key, until } of this.#pages.values())
      if (
        until > now &&
        key.session === of.session &&
        key.hostId === of.hostId &&
        key.snapshotId === of.snapshotId
      )
        paths.add(key.path);
    return [...paths].slice(-FOLDERS_NAMED).toSorted();
  }

  #drop(name: string): void {
    this.#bytes -= this.#pages.get(name)?.bytes ?? 0;
    this.#pages.delete(name);
  }
}

function nameOf({ session, hostId, snapshotId, path, part }: PageKey): string {
  return [session, hostId, snapshotId, part, path].join("\0");
}
