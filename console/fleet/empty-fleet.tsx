import { IconPlus } from "@tabler/icons-react";
import { EmptyState } from "../ui/empty-state.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import styles from "./empty-fleet.module.css";

const STEPS = [
  ["Name it and say where its backups go", "The passwords are made for you. You see them once."],
  [
    "Paste one command on the machine",
    "It installs the agent as a service. It lists existing restic timers and cron jobs and disables none.",
  ],
  ["Watch it turn green", "The repository is opened or created, and the first backup is one click away."],
] as const;

/** The fleet before its first machine: what is needed and what will happen. */
export function EmptyFleet({ mayAdd }: { mayAdd: boolean }) {
  return (
    <Page width="narrow">
      <PageHeader title="Fleet" note="No host yet." />
      <Panel flush>
        {mayAdd ? (
          <EmptyState
            kind="first"
            title="Add the first machine"
            text="You need a machine you can log in to and a place for its backups: a rest-server, an SFTP account or a folder that restic can open."
            actions={
              <LinkButton href="/hosts/add" leftSection={<IconPlus size={16} />}>
                Add host
              </LinkButton>
            }
          />
        ) : (
          <EmptyState
            kind="refused"
            title="There is no machine yet"
            text="Your account may look and not change things. Ask an operator to add the first one; it appears here by itself."
          />
        )}
        <ol className={styles.steps}>
          {STEPS.map(([title, text], index) => (
            <li key={title} className={styles.step}>
              <span className={styles.number} aria-hidden="true">
                {index + 1}
              </span>
              <div>
                <h2>{title}</h2>
                <p>{text}</p>
              </div>
            </li>
          ))}
        </ol>
      </Panel>
    </Page>
  );
}
