import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { countOf, formatCount, formatPercent } from "../../format/numbers.ts";
import { EmptyState } from "../empty-state.tsx";
import { Notice } from "../notice.tsx";
import styles from "./live-log.module.css";
import { LogLines } from "./log-lines.tsx";
import { allRows, foundRows } from "./log-rows.ts";
import type { LogQuery, LogSource } from "./log-source.ts";
import { LogToolbar } from "./log-toolbar.tsx";
import { useFoundLines } from "./use-found-lines.ts";

interface LiveLogProps {
  /** What the log is of: "Log of the backup of db-ams-01". */
  label: string;
  source: LogSource;
  /** Saves the whole log as a file, telling how far it is from 0 to 1. What it rejects with is shown here. */
  download: (onProgress: (fraction: number) => void) => Promise<void>;
}

/**
 * A job's log, live or finished: follows until the reader scrolls up, searches, filters, and keeps only what is in sight.
 * `#L24` in the address shows line 24.
 */
export function LiveLog({ label, source, download }: LiveLogProps) {
  const view = useSyncExternalStore(source.subscribe, source.view);
  const [query, setQuery] = useState<LogQuery>({ filter: "all", text: "" });
  const target = useTargetLine();
  const [pausedAt, setPausedAt] = useState<number | null>(target === null ? null : 0);
  const [downloaded, setDownloaded] = useState<number | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const found = useFoundLines(source, query, view.end);
  const rows = useMemo(
    () => (found === null ? allRows(view.end, view.gaps) : foundRows(found.numbers)),
    [found, view.end, view.gaps],
  );
  const live = view.phase === "live" || view.phase === "reconnecting";
  const following = live && pausedAt === null;

  async function save() {
    setDownloaded(0);
    setRefusal(null);
    try {
      await download(setDownloaded);
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
    } finally {
      setDownloaded(null);
    }
  }

  const everything = { filter: "all", text: "" } as const;

  return (
    <section className={styles.log} aria-label={label}>
      <LogToolbar
        view={view}
        query={query}
        onQuery={setQuery}
        following={following}
        unread={pausedAt === null ? 0 : Math.max(0, view.end - pausedAt)}
        onFollow={() => setPausedAt(following ? view.end : null)}
        onDownload={() => void save()}
        downloaded={downloaded}
      />
      {view.phase === "failed" && (
        <div className={styles.notice}>
          <Notice state="fail" title="The log could not be read">
            {view.problem}
          </Notice>
        </div>
      )}
      {refusal !== null && (
        <div className={styles.notice}>
          <Notice state="fail" title="The log could not be downloaded">
            {refusal}
          </Notice>
        </div>
      )}
      {found !== null && (
        <div className={styles.found} role="status">
          <span>
            {formatCount(found.numbers.length)} of {countOf(view.end, "line")}
            {found.searched < view.end && `, searched ${formatPercent(found.searched / view.end)} %`}
          </span>
          <button type="button" className={styles.clear} onClick={() => setQuery(everything)}>
            Show all lines
          </button>
        </div>
      )}
      {rows.count > 0 ? (
        <LogLines
          label={label}
          source={source}
          view={view}
          rows={rows}
          search={query.text}
          following={following}
          onFollowing={(wanted) => setPausedAt(wanted ? null : view.end)}
          target={target}
          listId={`${query.filter}:${query.text}`}
        />
      ) : (
        <NoLines phase={view.phase} searched={found !== null} />
      )}
    </section>
  );
}

function NoLines({ phase, searched }: { phase: string; searched: boolean }) {
  if (phase === "failed") return null;
  if (searched) return <EmptyState kind="filtered" title="No line matches" />;
  if (phase === "loading") return <EmptyState kind="filtered" title="Loading the log…" />;
  if (phase === "complete") return <EmptyState kind="filtered" title="Nothing was logged" />;
  return <EmptyState kind="filtered" title="No line yet" text="The first one appears here by itself." />;
}

/** The line that the address names, from 0. */
function useTargetLine(): number | null {
  const [hash, setHash] = useState(() => location.hash);
  useEffect(() => {
    const listener = () => setHash(location.hash);
    addEventListener("hashchange", listener);
    return () => removeEventListener("hashchange", listener);
  }, []);
  const number = /^#L([1-9]\d{0,8})$/.exec(hash)?.[1];
  return number === undefined ? null : Number(number) - 1;
}
