import { useQuery } from "@tanstack/react-query";
import { countOf } from "../format/numbers.ts";
import { shortDateTime } from "../format/times.ts";
import { allSnapshotsQuery } from "../queries.ts";
import { AppLink } from "../ui/app-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { Duration } from "../ui/quantity.tsx";
import { Vitals } from "../ui/vitals.tsx";
import styles from "./job.module.css";
import type { KindWords, SucceededJob } from "./kind-words.ts";
import { MaintenanceProgressPanel } from "./maintenance-progress.tsx";
import { SnapshotIds } from "./snapshot-ids.tsx";

/** Changing the tags of snapshots. */
export const tagKind: KindWords<"tag"> = {
  name: "Tag snapshots",
  noun: "tagging",
  title: "Tagging snapshots of",
  again: "Tag again",
  resultInWords: ({ changed }) => `${countOf(changed.length, "snapshot")} changed`,
  issuesOf: (result) => result.not_found.length,
  Progress: ({ job }) => (
    <MaintenanceProgressPanel
      label={`Tagging snapshots of ${job.host.name}`}
      doing="restic writes each snapshot anew with its other tags, then removes the old one."
      progress={job.progress}
    />
  ),
  Result: TagResult,
  left: "Some snapshots may have their new tags already; the host's list of snapshots tells.",
  Survived: () =>
    "No snapshot is lost. Some may have their new tags already; the host's list of snapshots tells.",
};

function TagResult({ job }: { job: SucceededJob<"tag"> }) {
  const { result, host, started_at, finished_at } = job;
  const { data } = useQuery(allSnapshotsQuery(host.id));
  const now = new Map(data?.items.map((one) => [one.id, one]));
  return (
    <>
      <Vitals
        items={[
          { label: "Changed", value: String(result.changed.length) },
          {
            label: "Not found",
            value: String(result.not_found.length),
            note: result.not_found.length === 0 ? "all were there" : "gone, or not to be read",
          },
          { label: "Duration", value: <Duration value={Date.parse(finished_at) - Date.parse(started_at)} /> },
        ]}
      />
      {result.changed.length > 0 && (
        <Panel flush title="Changed" note="With other tags a snapshot has another ID; its data is the same.">
          <table className={styles.snapshots}>
            <thead>
              <tr>
                <th scope="col">Was</th>
                <th scope="col">Is now</th>
                <th scope="col">Taken</th>
                <th scope="col">Tags now</th>
              </tr>
            </thead>
            <tbody>
              {result.changed.map(({ old_id, new_id }) => {
                const one = now.get(new_id);
                return (
                  <tr key={old_id}>
                    <td className="mono">{old_id.slice(0, 8)}</td>
                    <th scope="row">
                      <AppLink
                        className="link mono"
                        href={`/hosts/${host.id}?tab=snapshots&snapshot=${new_id.slice(0, 8)}`}
                      >
                        {new_id.slice(0, 8)}
                      </AppLink>
                    </th>
                    <td>{one === undefined ? "–" : shortDateTime(Date.parse(one.time))}</td>
                    <td>{one === undefined ? "–" : one.tags.join(", ") || "none"}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Panel>
      )}
      <SnapshotIds title="Not found" ids={result.not_found} />
    </>
  );
}
