import type { RepositoryPage } from "@restic-manager/protocol/api/repository-page";
import { formatBytes } from "../format/bytes.ts";
import { countOf, formatCount } from "../format/numbers.ts";
import { AppLink } from "../ui/app-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { Bytes } from "../ui/quantity.tsx";
import { StatusMark } from "../ui/status-mark.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { Vitals, type Vital } from "../ui/vitals.tsx";
import styles from "./repository.module.css";
import { runWords } from "./upkeep-words.ts";

/** What is known of the repository, each with when: reported by agents, never looked up for this page. */
export function Health({ repository }: { repository: RepositoryPage }) {
  return (
    <Panel flush title="Health">
      <div className={styles.vitals}>
        <Vitals
          items={[
            sizeOf(repository),
            snapshotsOf(repository),
            checkOf(repository),
            pruneOf(repository),
            appendOnly(repository),
          ]}
        />
      </div>
      <Damage repository={repository} />
    </Panel>
  );
}

function sizeOf({ size }: RepositoryPage): Vital {
  const label = "Size";
  if (size === null) return { label, value: "–", note: "not measured yet" };
  return {
    label,
    value: <Bytes value={size.total_size} />,
    note: (
      <>
        {size.total_uncompressed_size !== null &&
          `${formatBytes(size.total_uncompressed_size)} uncompressed, `}
        <TimeAgo at={Date.parse(size.taken_at)} />
      </>
    ),
  };
}

function snapshotsOf({ snapshots, shared_with: others, size }: RepositoryPage): Vital {
  const newest = snapshots.by_tag.map(({ newest_at: at }) => Date.parse(at)).toSorted((a, b) => b - a)[0];
  const all = others.length > 0 && size !== null ? `, ${formatCount(size.snapshots_count)} of all hosts` : "";
  return {
    label: "Snapshots",
    value: formatCount(snapshots.total),
    note:
      newest === undefined ? (
        "none yet"
      ) : (
        <>
          newest <TimeAgo at={newest} />
          {all}
        </>
      ),
  };
}

function checkOf({ maintenance: { check } }: RepositoryPage): Vital {
  const label = "Last check";
  const known = check.last_success;
  if (known === null) {
    const tried = check.last_run;
    return {
      label,
      value: "None yet",
      note: tried?.state === "failed" ? "the last one could not look" : "nothing is known of the data",
    };
  }
  const { state, icon, word } = runWords(known);
  const read = known.outcome?.kind === "check" ? `, ${known.outcome.read_data_percent} % of the data` : "";
  const failed = check.last_run?.state === "failed" ? "; the last one could not look" : "";
  return {
    label,
    value: <StatusMark state={state} icon={icon} word={word} />,
    note: (
      <>
        {known.finished_at !== null && <TimeAgo at={Date.parse(known.finished_at)} />}
        {read}
        {failed}
      </>
    ),
  };
}

function pruneOf({ maintenance: { prune } }: RepositoryPage): Vital {
  const label = "Last prune";
  const known = prune.last_success;
  if (known === null)
    return {
      label,
      value: "None yet",
      note: prune.last_run?.state === "failed" ? "the last one failed" : undefined,
    };
  const freed = known.outcome?.kind === "prune" ? known.outcome.freed_bytes : null;
  return {
    label,
    value:
      freed === null ? (
        "Done"
      ) : (
        <>
          <Bytes value={freed} /> freed
        </>
      ),
    note: known.finished_at === null ? undefined : <TimeAgo at={Date.parse(known.finished_at)} />,
  };
}

/** What was seen, and only that: a server's word for it is not a proof. */
function appendOnly({ append_only: seen }: RepositoryPage): Vital {
  const label = "Append-only";
  if (seen === null) return { label, value: "Not known", note: "nothing has tried to delete yet" };
  const when = <TimeAgo at={Date.parse(seen.at)} />;
  if (seen.seen)
    return {
      label,
      value: <StatusMark state="ok" icon="done" word="Proven" />,
      note: <>a deletion was refused {when}</>,
    };
  return {
    label,
    value: <StatusMark state="warn" icon="issues" word="No" />,
    note: <>the everyday credentials may delete, seen {when}</>,
  };
}

/** What a check has found, before anything else is read. */
function Damage({ repository }: { repository: RepositoryPage }) {
  const run = repository.maintenance.check.last_success;
  const found = run?.outcome;
  if (run === null || found?.kind !== "check" || found.result === "ok") return null;
  return (
    <div className={styles.damage} role="alert">
      <p>
        <b>
          The check found {countOf(found.error_count, "error")}
          {found.broken_pack_count > 0 && ` in ${countOf(found.broken_pack_count, "pack")}`}
          {found.missing_pack_count > 0 &&
            `, ${countOf(found.missing_pack_count, "pack is", "packs are")} missing`}
          .
        </b>{" "}
        {found.doubtful
          ? "The repository did not always answer meanwhile: check once more before believing it."
          : "Snapshots that need this data cannot be restored whole. New backups do not mend it by themselves."}{" "}
        <AppLink className="link" href={`/jobs/${run.job_id}`}>
          See what is affected
        </AppLink>
      </p>
      {found.broken_packs.length > 0 && (
        <ul className={styles.packs}>
          {found.broken_packs.map((pack) => (
            <li key={pack} className="mono">
              {pack}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
