import { useEffect, useState } from "react";
import type { LogQuery, LogSource } from "./log-source.ts";

/** Lines looked through before the page shows how far it is. */
const STEP = 20_000;

export interface FoundLines {
  numbers: readonly number[];
  /** Lines looked through so far. */
  searched: number;
}

interface Search extends FoundLines {
  key: string;
}

/** The lines that match, growing while the log is looked through and while it grows. null while everything is shown. */
export function useFoundLines(source: LogSource, query: LogQuery, end: number): FoundLines | null {
  const active = query.filter !== "all" || query.text !== "";
  const key = `${query.filter}:${query.text}`;
  const [search, setSearch] = useState<Search>({ key, numbers: [], searched: 0 });
  const current = search.key === key ? search : { key, numbers: [], searched: 0 };
  const { searched } = current;
  const { filter, text } = query;

  useEffect(() => {
    if (!active || searched >= end) return;
    let wanted = true;
    const to = Math.min(end, searched + STEP);
    source
      .find({ filter, text }, searched, to)
      .then((found) => {
        if (!wanted) return;
        setSearch((before) => ({
          key,
          numbers: [...(before.key === key ? before.numbers : []), ...found],
          searched: to,
        }));
      })
      // The source shows its own trouble; a search that failed stays where it was.
      .catch(() => undefined);
    return () => {
      wanted = false;
    };
  }, [source, active, filter, text, key, searched, end]);

  return active ? current : null;
}
