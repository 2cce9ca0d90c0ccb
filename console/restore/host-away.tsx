import type { Host } from "@restic-manager/protocol/api/hosts";
import { dayTime } from "../format/day-times.ts";
import { AppLink } from "../ui/app-link.tsx";
import { Notice } from "../ui/notice.tsx";
import { useTimeText } from "../ui/ticker.ts";
import type { FolderState } from "./tree-book.ts";
import styles from "./wizard.module.css";

interface HostAwayProps {
  host: Host;
  /** Folders of the snapshot that can be shown all the same, and their addresses. */
  kept?: readonly { path: string; href: string }[];
}

/** Says that a machine cannot be asked, and what that leaves to do. */
export function HostAway({ host, kept = [] }: HostAwayProps) {
  const seen = host.last_seen_at;
  const since = useTimeText((now) => (seen === null ? "" : ` since ${dayTime(Date.parse(seen), now)}`));
  if (host.online) return null;
  return (
    <Notice state="idle" icon="offline" title={`${host.name} is offline${since}`}>
      <p>
        Its own agent reads snapshots and writes files. Folders that you looked at within the last half hour
        can still be shown, and a restore can be queued: it starts when the machine returns.
      </p>
      {kept.length > 0 && (
        <>
          <p>Still to be seen of this snapshot:</p>
          <ul className={`${styles.list} ${styles.places}`} aria-label="Folders that can still be shown">
            {kept.map(({ path, href }) => (
              <li key={path}>
                <AppLink className="link" href={href}>
                  {path}
                </AppLink>
              </li>
            ))}
          </ul>
        </>
      )}
    </Notice>
  );
}

/** Says of a folder that is shown while its machine is away that it was kept, and since when. */
export function KeptSince({ host, folder }: { host: Host; folder: FolderState | undefined }) {
  const at = folder?.at;
  const since = useTimeText((now) => (at === undefined ? "" : dayTime(Date.parse(at), now)));
  if (folder === undefined || at === undefined || (host.online && !folder.kept)) return null;
  return <p className={styles.kept}>{`Kept since ${since}: ${host.name} cannot be asked now.`}</p>;
}
