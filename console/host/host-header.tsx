import { Fragment } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { formatPercent } from "../format/numbers.ts";
import { AppLink } from "../ui/app-link.tsx";
import { doingWords } from "../ui/doing-words.ts";
import { PageHeader } from "../ui/page-header.tsx";
import { hostWords, type StateWord } from "../ui/state-words.ts";
import { StatusMark } from "../ui/status-mark.tsx";
import { BackUpNow } from "./back-up-now.tsx";
import styles from "./host.module.css";
import { RestoreButton } from "./restore-button.tsx";

/** Name, state, system and address, and the one thing to do with it. */
export function HostHeader({ host }: { host: Host }) {
  const facts = [host.os_name, archInWords(host.arch), host.address].filter(
    (fact) => fact !== null && fact !== "" && fact !== "unknown",
  );
  return (
    <PageHeader
      crumbs={[{ title: "Fleet", href: "/" }, { title: host.name }]}
      title={<span className="mono">{host.name}</span>}
      status={<HostChip host={host} />}
      note={facts.map((fact, index) => (
        <Fragment key={fact}>
          {index > 0 && <span aria-hidden="true">·</span>}
          <span>{fact}</span>
        </Fragment>
      ))}
      actions={
        <>
          <RestoreButton host={host} />
          <BackUpNow host={host} />
        </>
      }
    />
  );
}

/** The state; while something runs or waits it leads to that job. */
function HostChip({ host }: { host: Host }) {
  const job = host.active_job;
  const words = wordsOf(host);
  if (job === null) return <StatusMark {...words} chip />;
  const shown = host.status === "running" ? { ...words, word: runningWord(job) } : words;
  return (
    <AppLink href={`/jobs/${job.id}`} className={styles.chip}>
      <StatusMark {...shown} chip />
      <span className="visually-hidden">: open the job</span>
    </AppLink>
  );
}

function wordsOf({ status, restic }: Host): StateWord {
  const words = hostWords[status];
  return status === "restic" && restic?.state === "too_old" ? { ...words, word: "restic too old" } : words;
}

function runningWord({ kind, fraction }: NonNullable<Host["active_job"]>): string {
  const doing = doingWords[kind];
  return fraction === null ? doing : `${doing} ${formatPercent(fraction)} %`;
}

function archInWords(arch: string): string {
  return { x64: "x86-64", arm64: "ARM64" }[arch] ?? arch;
}
