import { ActionIcon, Button, TextInput } from "@mantine/core";
import { IconArrowBarToDown, IconDownload, IconSearch } from "@tabler/icons-react";
import { useRef } from "react";
import { countOf, formatCount, formatPercent } from "../../format/numbers.ts";
import { FilterStrip } from "../filter-bar.tsx";
import { useShortcuts } from "../keys.ts";
import styles from "./live-log.module.css";
import type { LogFilter, LogQuery, LogView } from "./log-source.ts";

interface LogToolbarProps {
  view: LogView;
  query: LogQuery;
  onQuery: (query: LogQuery) => void;
  following: boolean;
  /** Lines that came since the reader scrolled up. */
  unread: number;
  onFollow: () => void;
  onDownload: () => void;
  /** How far the download is, 0 to 1; null while there is none. */
  downloaded: number | null;
}

const FILTERS: readonly { id: LogFilter; title: string }[] = [
  { id: "all", title: "All" },
  { id: "stderr", title: "stderr" },
  { id: "hooks", title: "Hooks" },
];

/** Search, filter, follow and download. */
export function LogToolbar(props: LogToolbarProps) {
  const { view, query, onQuery } = props;
  const field = useRef<HTMLInputElement>(null);
  useShortcuts({ "/": () => field.current?.focus() });
  const live = view.phase === "live" || view.phase === "reconnecting";
  return (
    <div className={styles.toolbar}>
      <h2>Log</h2>
      <TextInput
        ref={field}
        className={styles.search}
        type="search"
        aria-label="Search this log"
        placeholder="Search this log"
        value={query.text}
        onChange={(event) => onQuery({ ...query, text: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === "Escape") onQuery({ ...query, text: "" });
        }}
        leftSection={<IconSearch size={14} aria-hidden="true" />}
        rightSection={query.text === "" ? <kbd className={styles.key}>/</kbd> : null}
        spellCheck={false}
        autoComplete="off"
      />
      <FilterStrip
        choicesLabel="Lines to show"
        choices={FILTERS.map((filter) => ({
          ...filter,
          ...(view.counts && { count: view.counts[filter.id] }),
        }))}
        chosen={query.filter}
        onChoose={(id) =>
          onQuery({ ...query, filter: FILTERS.find((filter) => filter.id === id)?.id ?? "all" })
        }
      />
      <span className={styles.end}>
        {view.phase === "reconnecting" && (
          <span role="status" className={styles.connection}>
            Reconnecting, log up to line {formatCount(view.end)}
          </span>
        )}
        {live && (
          <Button
            size="xs"
            variant={props.following ? "filled" : "default"}
            leftSection={<IconArrowBarToDown size={14} />}
            aria-pressed={props.following}
            onClick={props.onFollow}
          >
            {props.following ? "Following" : props.unread > 0 ? countOf(props.unread, "new line") : "Follow"}
          </Button>
        )}
        {props.downloaded !== null && (
          <span className={styles.count}>{formatPercent(props.downloaded)} %</span>
        )}
        <ActionIcon
          variant="subtle"
          size={30}
          aria-label="Download the log"
          title="Download the log"
          loading={props.downloaded !== null}
          onClick={props.onDownload}
        >
          <IconDownload size={16} />
        </ActionIcon>
      </span>
    </div>
  );
}
