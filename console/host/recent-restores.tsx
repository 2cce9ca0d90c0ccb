import { useQuery } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Restore } from "@restic-manager/protocol/api/restore";
import { countOf } from "../format/numbers.ts";
import { issuesOf } from "../jobs/kinds.tsx";
import { restoresQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { AppLink } from "../ui/app-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { jobWord } from "../ui/state-words.ts";
import { StatusMark } from "../ui/status-mark.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import styles from "./host.module.css";

/** The last restores of a host, for who may know names in snapshots; nothing when there are none. */
export function RecentRestores({ host }: { host: Host }) {
  const { operate } = useMay();
  const { data } = useQuery({ ...restoresQuery(host.id), enabled: operate });
  if (data === undefined || data.items.length === 0) return null;
  return (
    <Panel title="Recent restores">
      <ul className={styles.restores}>
        {data.items.map((restore) => (
          <li key={restore.job.id}>
            <AppLink className="link mono" href={`/jobs/${restore.job.id}`}>
              {whatOf(restore)}
            </AppLink>
            <div>
              <StatusMark {...jobWord(restore.job.state, issuesOf(restore.job))} />
              <span className="quiet">
                {restore.request.target.kind === "in_place" ? "in place" : "to a new folder"}
              </span>
              <TimeAgo at={Date.parse(restore.job.created_at)} />
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function whatOf({ request }: Restore): string {
  const [first = "", ...rest] = request.paths;
  return rest.length === 0 ? first : `${first} and ${countOf(rest.length, "more", "more")}`;
}
