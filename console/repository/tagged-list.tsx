import type { RepositoryPage } from "@restic-manager/protocol/api/repository-page";
import { formatCount } from "../format/numbers.ts";
import { AppLink } from "../ui/app-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { Bytes } from "../ui/quantity.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import styles from "./repository.module.css";

/** The host's snapshots by tag, which is the name of the group they are of. */
export function TaggedList({ repository: { host, snapshots } }: { repository: RepositoryPage }) {
  return (
    <Panel
      title="Snapshots by tag"
      note="A tag is the name of the source group. Newest of each, and what it covers."
      actions={
        <AppLink className="link" href={`/hosts/${host.id}?tab=snapshots`}>
          All snapshots
        </AppLink>
      }
    >
      {snapshots.by_tag.length === 0 ? (
        <p>No snapshot yet.</p>
      ) : (
        <table className={styles.tags}>
          <thead>
            <tr>
              <th scope="col">Tag</th>
              <th scope="col">Snapshots</th>
              <th scope="col">Newest</th>
              <th scope="col">Covers</th>
            </tr>
          </thead>
          <tbody>
            {snapshots.by_tag.map((tagged) => (
              <tr key={tagged.tag ?? ""}>
                <th scope="row" className={tagged.tag === null ? "quiet" : "mono"}>
                  {tagged.tag ?? "without a tag"}
                </th>
                <td>{formatCount(tagged.count)}</td>
                <td>
                  <TimeAgo at={Date.parse(tagged.newest_at)} />
                </td>
                <td>{tagged.newest_bytes === null ? "–" : <Bytes value={tagged.newest_bytes} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
