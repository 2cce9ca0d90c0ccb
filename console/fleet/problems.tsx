import { Button } from "@mantine/core";
import { useState } from "react";
import type { FleetProblem } from "@restic-manager/protocol/api/fleet";
import { countOf } from "../format/numbers.ts";
import { AppLink } from "../ui/app-link.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { Panel } from "../ui/panel.tsx";
import { hostWords } from "../ui/state-words.ts";
import { StatusMark } from "../ui/status-mark.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { fleetHref } from "./fleet-search.ts";
import styles from "./problems.module.css";
import type { RunNow } from "./run-now.ts";

/** Causes shown before the rest is asked for. */
const SHOWN = 5;
/** The server names so many hosts of a cause; only what is named can be acted on. */
const NAMED = 5;

interface ProblemsProps {
  problems: readonly FleetProblem[];
  /** Null for who may only look. */
  run: RunNow | null;
}

/** What is wrong, by cause and not by host: three hosts on one full server are one row with one button. */
export function Problems({ problems, run }: ProblemsProps) {
  const [all, setAll] = useState(false);
  if (problems.length === 0) return null;
  const hosts = problems.reduce((sum, problem) => sum + problem.host_count, 0);
  const shown = all ? problems : problems.slice(0, SHOWN);
  return (
    <Panel
      flush
      title={
        <>
          Problems{" "}
          <span className={styles.count}>
            {countOf(hosts, "host")}, {countOf(problems.length, "cause")}, worst first
          </span>
        </>
      }
      {...(problems.length > SHOWN
        ? {
            actions: (
              <button type="button" className={styles.more} onClick={() => setAll(!all)}>
                {all ? `Show the first ${SHOWN}` : `Show all ${problems.length}`}
              </button>
            ),
          }
        : {})}
    >
      <ul className={styles.list}>
        {shown.map((problem) => (
          <ProblemRow
            key={[problem.code, problem.status, problem.message].join("\n")}
            problem={problem}
            run={run}
          />
        ))}
      </ul>
    </Panel>
  );
}

function ProblemRow({ problem, run }: { problem: FleetProblem; run: RunNow | null }) {
  const { hosts, host_count: count, status } = problem;
  const [only] = hosts;
  const single = count === 1 && only !== undefined;
  const refused = hosts
    .map(({ id }) => run?.attempts.get(id))
    .find((attempt) => attempt?.state === "refused");
  return (
    <li className={styles.row}>
      <span className={styles.status}>
        <StatusMark {...hostWords[status]} />
      </span>
      <span className={styles.who}>{single ? <code>{only.name}</code> : countOf(count, "host")}</span>
      <span className={styles.what}>
        <AppLink href={single ? `/hosts/${only.id}` : fleetHref({ status })} className={styles.link}>
          {asTitle(problem.message)}
        </AppLink>
        {!single && (
          <span className={styles.names}>
            {hosts.map(({ name }) => name).join(", ")}
            {count > hosts.length && ` and ${count - hosts.length} more`}
          </span>
        )}
        {refused?.state === "refused" && (
          <span role="alert" className={styles.refused}>
            {refused.problem.message}
          </span>
        )}
      </span>
      <span className={styles.since}>
        {problem.since !== null && <TimeAgo at={Date.parse(problem.since)} />}
      </span>
      <span className={styles.act}>
        <Remedy problem={problem} run={run} />
      </span>
    </li>
  );
}

/** Trying again does not help these: somebody has to enter something first. */
const NEEDS_CREDENTIALS: ReadonlySet<string> = new Set(["wrong_password", "unauthorized", "no_credentials"]);

/** What a click can do about it: only where trying again can help, and only for hosts that are named. */
function Remedy({ problem, run }: { problem: FleetProblem; run: RunNow | null }) {
  const { hosts, host_count: count, status, code } = problem;
  const [only] = hosts;
  if (run === null) return null;
  if (NEEDS_CREDENTIALS.has(code)) {
    if (count !== 1 || only === undefined) return null;
    return (
      <LinkButton href={`/hosts/${only.id}?tab=settings`} size="xs" variant="default">
        Enter the credentials…
      </LinkButton>
    );
  }
  if (count > NAMED || (status !== "failed" && status !== "issues")) return null;
  const busy = hosts.some(({ id }) => run.attempts.get(id)?.state === "asking");
  return (
    <Button
      size="xs"
      variant="default"
      loading={busy}
      aria-label={`${remedyWords(count)}: ${hosts.map(({ name }) => name).join(", ")}`}
      onClick={() => void run.runMany(hosts.map(({ id }) => id))}
    >
      {remedyWords(count)}
    </Button>
  );
}

function remedyWords(count: number): string {
  return count === 1 ? "Back up again" : `Back up the ${count} again`;
}

/** As a title: the first letter large (restic writes its own name small), without the last full stop. */
function asTitle(message: string): string {
  const words = message.replace(/\.$/, "");
  return words.startsWith("restic") ? words : words.slice(0, 1).toUpperCase() + words.slice(1);
}
