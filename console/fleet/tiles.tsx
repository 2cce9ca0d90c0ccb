import type { ReactNode } from "react";
import type { FleetSummary } from "@restic-manager/protocol/api/fleet";
import type { HostStatus } from "@restic-manager/protocol/api/hosts";
import { splitBytes, formatBytes } from "../format/bytes.ts";
import { countOf, formatCount } from "../format/numbers.ts";
import { AppLink } from "../ui/app-link.tsx";
import { StateIcon } from "../ui/state-icon.tsx";
import { hostStatuses, hostWords } from "../ui/state-words.ts";
import { fleetHref } from "./fleet-search.ts";
import { RunBand } from "./run-band.tsx";
import styles from "./tiles.module.css";

/** The statuses a person should look at; the Problems panel says why. */
const NEEDS_YOU: readonly HostStatus[] = ["failed", "restic", "offline", "issues"];

/** How the fleet stands, in four figures and a day of runs. Each figure leads to what it counts. */
export function Tiles({ summary }: { summary: FleetSummary }) {
  const troubled = NEEDS_YOU.filter((status) => summary.counts[status] > 0);
  const needYou = troubled.reduce((sum, status) => sum + summary.counts[status], 0);
  const protectedSize = splitBytes(summary.protected_bytes);
  const [worst] = troubled;
  return (
    <section className={styles.tiles} aria-label="How the fleet stands">
      <Tile
        title="Backed up in the last 24 h"
        href={fleetHref({ backed_up: "24h" })}
        figure={formatCount(summary.backed_up_24h)}
        beside={`of ${formatCount(summary.hosts)}`}
      >
        <StateBar counts={summary.counts} total={summary.hosts} />
      </Tile>
      <Tile
        title="Need you"
        href={worst === undefined ? "/" : fleetHref({ status: worst })}
        figure={formatCount(needYou)}
      >
        {troubled.length === 0 ? (
          <span className={styles.note}>Nothing waits for you</span>
        ) : (
          <span className={styles.marks}>
            {troubled.map((status) => (
              <AppLink
                key={status}
                href={fleetHref({ status })}
                className={styles.mark}
                data-state={hostWords[status].state}
              >
                <StateIcon {...hostWords[status]} size={15} />
                {formatCount(summary.counts[status])} {hostWords[status].word.toLowerCase()}
              </AppLink>
            ))}
          </span>
        )}
      </Tile>
      <Tile
        title="Running now"
        href="/jobs?state=active"
        figure={formatCount(summary.running_jobs)}
        beside={summary.queued_jobs > 0 ? `+ ${formatCount(summary.queued_jobs)} queued` : ""}
      >
        <span className={styles.note}>
          {formatCount(summary.online)} of {countOf(summary.hosts, "host")} connected
        </span>
      </Tile>
      <Tile
        title="Protected"
        href={fleetHref({ sort: "protected", order: "desc" })}
        figure={protectedSize.number}
        beside={protectedSize.unit}
      >
        <span className={styles.note}>{formatBytes(summary.stored_bytes)} stored</span>
      </Tile>
      <div className={styles.tile} data-wide>
        <RunBand runs={summary.runs} />
      </div>
    </section>
  );
}

function Tile(props: { title: string; href: string; figure: string; beside?: string; children: ReactNode }) {
  return (
    <div className={styles.tile}>
      <AppLink href={props.href} className={styles.link}>
        <span className={styles.title}>{props.title}</span>
        <span className={styles.line}>
          <span className={styles.figure}>{props.figure}</span>{" "}
          <span className={styles.beside}>{props.beside}</span>
        </span>
      </AppLink>
      <div className={styles.under}>{props.children}</div>
    </div>
  );
}

/** All hosts on one bar, by how they stand; the widest part is the calmest. */
function StateBar({ counts, total }: { counts: FleetSummary["counts"]; total: number }) {
  const parts = hostStatuses.toReversed().filter((status) => counts[status] > 0);
  const words = parts.map((status) => `${counts[status]} ${hostWords[status].word.toLowerCase()}`);
  return (
    <span
      className={styles.bar}
      role="img"
      aria-label={total === 0 ? "No host yet" : `Of all hosts: ${words.join(", ")}`}
    >
      {parts.map((status) => (
        <span key={status} data-state={hostWords[status].state} style={{ flexGrow: counts[status] }} />
      ))}
    </span>
  );
}
