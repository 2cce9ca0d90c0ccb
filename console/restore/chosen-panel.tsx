import { Button } from "@mantine/core";
import { IconArrowRight } from "@tabler/icons-react";
import type { TreeFolder } from "@restic-manager/protocol/api/tree";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { countOf, formatCount } from "../format/numbers.ts";
import { absoluteTime } from "../format/times.ts";
import { AppLink } from "../ui/app-link.tsx";
import { Facts } from "../ui/facts.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { Panel } from "../ui/panel.tsx";
import { Bytes } from "../ui/quantity.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import type { PickTotals } from "./picks.ts";
import type { StepProps } from "./step.ts";
import styles from "./wizard.module.css";

/** Paths that are named; the rest is counted. */
const NAMED = 12;

interface SnapshotPanelProps {
  host: Host;
  snapshot: Snapshot;
  whole: TreeFolder["snapshot"];
}

/** From which snapshot. */
export function SnapshotPanel({ host, snapshot, whole }: SnapshotPanelProps) {
  const at = Date.parse(snapshot.time);
  return (
    <Panel
      title="Snapshot"
      actions={
        <LinkButton href={`/hosts/${host.id}/restore`} size="xs" variant="default">
          Change
        </LinkButton>
      }
    >
      <Facts
        items={[
          { label: "ID", value: snapshot.id.slice(0, 8), mono: true },
          { label: "Taken", value: absoluteTime(at) },
          { label: "Age", value: <TimeAgo at={at} /> },
          { label: "Tags", value: snapshot.tags.join(", ") || "none" },
          ...(whole === undefined
            ? snapshot.summary === undefined
              ? []
              : [{ label: "Holds", value: <Bytes value={snapshot.summary.total_bytes_processed} /> }]
            : [
                {
                  label: "Holds",
                  value: (
                    <>
                      <Bytes value={whole.bytes} />, {countOf(whole.entries, "item")}
                    </>
                  ),
                },
              ]),
        ]}
      />
    </Panel>
  );
}

interface ChosenPanelProps extends StepProps {
  /** The step that follows; without one the panel only tells. */
  next?: "target" | "confirm";
  onClear?: () => void;
}

/** What is picked so far, summed up, and the way on. */
export function ChosenPanel({ picks, totals, hrefOf, next, onClear }: ChosenPanelProps) {
  const paths = [...picks.chosen.keys()];
  return (
    <Panel
      title="Chosen"
      actions={
        onClear === undefined ? (
          <LinkButton href={hrefOf("files")} size="xs" variant="default">
            Change
          </LinkButton>
        ) : (
          paths.length > 0 && (
            <Button size="xs" variant="subtle" onClick={onClear}>
              Clear
            </Button>
          )
        )
      }
    >
      <div className={styles.chosen}>
        {paths.length === 0 ? (
          <p className="quiet">
            Nothing yet. Tick files and folders on the left; a folder takes all that is in it.
          </p>
        ) : (
          <>
            <div className={styles.big} aria-live="off">
              {!totals.exact && <span className={styles.least}>at least </span>}
              <Bytes value={totals.bytes} />
            </div>
            <p className="quiet">{chosenInWords(totals)}</p>
            <ul className={styles.paths}>
              {paths.slice(0, NAMED).map((path) => (
                <li key={path} className="mono">
                  {path}
                </li>
              ))}
              {paths.length > NAMED && (
                <li className="quiet">and {formatCount(paths.length - NAMED)} more</li>
              )}
            </ul>
            {!totals.exact && (
              <p className="quiet">Folders are being counted; the restore takes all that is in them.</p>
            )}
          </>
        )}
        {next !== undefined && paths.length > 0 && (
          <Button
            fullWidth
            component={AppLink}
            href={hrefOf(next)}
            rightSection={<IconArrowRight size={15} />}
          >
            {next === "target" ? "Choose the target" : "Continue to the last look"}
          </Button>
        )}
        {next !== undefined && paths.length === 0 && (
          <Button fullWidth disabled>
            Choose files first
          </Button>
        )}
      </div>
    </Panel>
  );
}

function chosenInWords({ items, folders, files }: PickTotals): string {
  const parts = [
    ...(folders === 0 ? [] : [countOf(folders, "folder")]),
    ...(files === 0 ? [] : [countOf(files, "file")]),
  ];
  return `${countOf(items, "item")}: ${parts.join(" and ")}`;
}
