import { countOf, formatCount } from "../format/numbers.ts";
import { Panel } from "../ui/panel.tsx";
import { StateIcon } from "../ui/state-icon.tsx";
import { issuePlaces } from "./issue-places.ts";
import styles from "./job.module.css";

/** Places shown; a job with more needs its log. */
const MOST_PLACES = 50;

interface IssueTableProps {
  title: string;
  issues: readonly { path: string; message: string }[];
  /** How many there were; the list may be cut. */
  total: number;
}

/** What a job could not do, by folder and reason. Nothing when it could do all. */
export function IssueTable({ title, issues, total }: IssueTableProps) {
  if (total === 0) return null;
  const places = issuePlaces([...issues]);
  const shown = places.slice(0, MOST_PLACES);
  const listed = shown.reduce((sum, place) => sum + place.files, 0);
  const rest = Math.max(0, total - listed);
  return (
    <Panel flush title={title} note={`${countOf(total, "file")}, counted once each, by folder and reason.`}>
      <div role="table" aria-label={title} className={styles.issues}>
        <div role="row" className={styles.issueHead}>
          <span role="columnheader">Where</span>
          <span role="columnheader">Why</span>
          <span role="columnheader" className={styles.count}>
            Files
          </span>
        </div>
        {shown.map((place) => (
          <div role="row" key={`${place.where}\n${place.why}`} className={styles.issue}>
            <span role="cell" className={`mono ${styles.where}`}>
              {place.where}
            </span>
            <span role="cell" className={styles.why}>
              <StateIcon state="warn" icon="issues" size={15} />
              {place.why}
            </span>
            <span role="cell" className={styles.count}>
              {formatCount(place.files)}
            </span>
          </div>
        ))}
      </div>
      {rest > 0 && (
        <p className={styles.rest}>
          {countOf(rest, "more file is", "more files are")} not listed here; the log below names every one.
        </p>
      )}
    </Panel>
  );
}
