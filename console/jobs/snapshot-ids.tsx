import { Panel } from "../ui/panel.tsx";
import styles from "./job.module.css";

interface SnapshotIdsProps {
  title: string;
  note?: string;
  ids: readonly string[];
}

/** Snapshots that are named and no more; nothing when there are none. */
export function SnapshotIds({ title, note, ids }: SnapshotIdsProps) {
  if (ids.length === 0) return null;
  return (
    <Panel title={title} {...(note === undefined ? {} : { note })}>
      <ul className={styles.ids}>
        {ids.map((id) => (
          <li key={id} className="mono">
            {id.slice(0, 8)}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
