import type { JobResult } from "@restic-manager/protocol/jobs";
import { countOf } from "../format/numbers.ts";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import styles from "./job.module.css";

type Found = Extract<JobResult<"check">, { result: "errors_found" }>;
type Hint = JobResult<"check">["hints"][number];

const HINTS: Record<Hint, string> = {
  repair_index: "restic repair index makes the index anew from the packs that are there.",
  repair_packs: "restic repair packs saves what can still be read of the broken packs.",
  repair_snapshots:
    "restic repair snapshots takes what is lost out of the snapshots, so that the rest restores.",
  prune: "Prune removes what nothing needs any more.",
};

/** What a check has found and which parts of the repository it is in. */
export function CheckFindings({ found }: { found: Found }) {
  return (
    <>
      <Notice
        state="fail"
        title={
          found.broken_pack_count > 0
            ? `${countOf(found.broken_pack_count, "pack")} of the repository ${found.broken_pack_count === 1 ? "is" : "are"} damaged`
            : `The check found ${countOf(found.error_count, "error")}`
        }
      >
        {found.doubtful
          ? "The repository did not always answer meanwhile: check once more before believing it."
          : "Snapshots that need what is damaged cannot be restored whole. Copy the repository before any repair, and take a new backup: data that is still on the machine is saved again after the repair."}
      </Notice>
      <Panel title="What is affected">
        <div className={styles.found}>
          <Ids title="Broken packs" ids={found.broken_packs} count={found.broken_pack_count} />
          <Ids title="Missing packs" ids={found.missing_packs} count={found.missing_pack_count} />
          <Ids title="Broken indexes" ids={found.broken_indexes} count={found.broken_indexes.length} />
          <Ids title="Broken trees" ids={found.broken_trees} count={found.broken_trees.length} />
          <Ids title="Broken snapshots" ids={found.broken_snapshots} count={found.broken_snapshots.length} />
          {found.hints.length > 0 && (
            <div>
              <h3>restic suggests</h3>
              <ul className={styles.lines}>
                {found.hints.map((hint) => (
                  <li key={hint}>{HINTS[hint]}</li>
                ))}
              </ul>
            </div>
          )}
          {found.messages.length > 0 && (
            <details className={styles.said}>
              <summary>restic’s own words: {countOf(found.message_count, "message")}</summary>
              <ul className={styles.lines}>
                {[...new Set(found.messages)].map((message) => (
                  <li key={message} className="mono">
                    {message}
                  </li>
                ))}
              </ul>
            </details>
          )}
        </div>
      </Panel>
    </>
  );
}

function Ids({ title, ids, count }: { title: string; ids: readonly string[]; count: number }) {
  if (count === 0) return null;
  return (
    <div>
      <h3>{title}</h3>
      <ul className={styles.lines}>
        {ids.map((id) => (
          <li key={id} className="mono">
            {id}
          </li>
        ))}
        {count > ids.length && <li className="quiet">and {count - ids.length} more</li>}
      </ul>
    </div>
  );
}
