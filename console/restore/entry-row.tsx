import {
  IconCheck,
  IconChevronDown,
  IconChevronRight,
  IconFile,
  IconFileSymlink,
  IconFolder,
  IconMinus,
} from "@tabler/icons-react";
import type { TreeEntry } from "@restic-manager/protocol/tree";
import { formatCount } from "../format/numbers.ts";
import { shortDateTime } from "../format/times.ts";
import { Bytes } from "../ui/quantity.tsx";
import type { Tick } from "./picks.ts";
import styles from "./tree.module.css";

interface EntryRowProps {
  id: string;
  entry: TreeEntry;
  /** What stands for the name: in a list of what was found, the path. */
  name: string;
  level: number;
  /** Its place among its like, from 1, and how many those are. */
  place: number;
  of: number;
  tick: Tick;
  /** Undefined for what cannot be opened here. */
  open?: boolean;
  active: boolean;
  top: number;
  height: number;
  onToggle: () => void;
  onOpen?: () => void;
  onFocus: () => void;
}

const ICONS = { dir: IconFolder, file: IconFile, symlink: IconFileSymlink, other: IconFile };
const CHECKED = { all: true, some: "mixed", none: false } as const;

/** One thing in a snapshot: its box, its name, its size. Keys are the tree's business; what is here is for the pointer. */
export function EntryRow(props: EntryRowProps) {
  const { entry, tick, open, level } = props;
  const Icon = ICONS[entry.type];
  const folder = entry.type === "dir";
  return (
    // Keys are handled by the tree that holds the row.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
    <div
      id={props.id}
      role="treeitem"
      aria-level={level}
      aria-posinset={props.place}
      aria-setsize={props.of}
      aria-checked={CHECKED[tick]}
      aria-selected={tick === "all"}
      {...(open === undefined ? {} : { "aria-expanded": open })}
      tabIndex={props.active ? 0 : -1}
      data-active={props.active || undefined}
      className={styles.row}
      style={{ top: props.top, height: props.height, ["--level" as string]: level - 1 }}
      onClick={props.onToggle}
      onFocus={props.onFocus}
    >
      <span className={styles.name}>
        {/* A folder's arrow opens it; a press anywhere else ticks the row. */}
        <span
          className={styles.arrow}
          aria-hidden="true"
          data-opens={open === undefined ? undefined : ""}
          onClick={(event) => {
            if (open === undefined) return;
            event.stopPropagation();
            props.onOpen?.();
          }}
        >
          {open === true && <IconChevronDown size={15} />}
          {open === false && <IconChevronRight size={15} />}
        </span>
        <span className={styles.box} data-tick={tick} aria-hidden="true">
          {tick === "all" && <IconCheck size={12} stroke={3} />}
          {tick === "some" && <IconMinus size={12} stroke={3} />}
        </span>
        <Icon size={16} stroke={1.5} aria-hidden="true" className={styles.icon} />
        <span className={styles.text} title={props.name}>
          {props.name}
        </span>
      </span>
      <span className={styles.files}>
        {entry.below !== undefined && formatCount(entry.below.entries)}
        {entry.below !== undefined && <span className="visually-hidden"> items</span>}
      </span>
      <span className={styles.size}>
        {folder ? entry.below !== undefined && <Bytes value={entry.below.bytes} /> : <Size entry={entry} />}
      </span>
      <span className={styles.time}>{shortDateTime(entry.mtime_ms)}</span>
    </div>
  );
}

function Size({ entry }: { entry: TreeEntry }) {
  if (entry.type === "file") return <Bytes value={entry.size} />;
  return <span className={styles.kind}>{entry.type === "symlink" ? "link" : "special"}</span>;
}
