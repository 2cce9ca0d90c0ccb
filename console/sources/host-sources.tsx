import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { schedulesQuery, sourceGroupsQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { PageProblem } from "../ui/page-problem.tsx";
import { Panel } from "../ui/panel.tsx";
import { ConflictNotice } from "./conflict-notice.tsx";
import { GroupForm } from "./group-form.tsx";
import { GroupPanel } from "./group-panel.tsx";
import { HooksPanel } from "./hooks-panel.tsx";
import { conflictsOf, firingOf } from "./retention-conflict.ts";
import styles from "./sources.module.css";

/** What is backed up and how long it is kept. `open`: the group whose form is open, or `new`. */
export function HostSources({ host, open }: { host: Host; open: string | undefined }) {
  const { operate } = useMay();
  const groups = useQuery(sourceGroupsQuery(host.id));
  const schedules = useQuery(schedulesQuery(host.id));
  if (groups.data === undefined) {
    return (
      <PageProblem
        error={groups.error}
        missing="There is no such host"
        missingText="It was removed meanwhile."
        onRetry={() => void groups.refetch()}
      />
    );
  }
  const { items } = groups.data;
  const chosen = operate ? items.find((group) => group.id === open) : undefined;
  if (operate && (open === "new" || chosen !== undefined)) {
    const firing = chosen === undefined ? [] : firingOf(chosen, schedules.data?.items ?? []);
    return (
      <div className={styles.stack}>
        <GroupForm key={open} host={host} group={chosen ?? null} schedules={firing} />
        {chosen !== undefined && <HooksPanel key={`${chosen.id} hooks`} host={host} group={chosen} />}
      </div>
    );
  }
  return (
    <div className={styles.stack}>
      <div className={styles.head}>
        <p className="quiet">
          What is backed up and how long it is kept. A group’s name is the tag of its snapshots.
        </p>
        {operate && (
          <LinkButton
            variant="default"
            href={`/hosts/${host.id}?tab=sources&group=new`}
            leftSection={<IconPlus size={16} />}
          >
            Add source group
          </LinkButton>
        )}
      </div>
      {items.length === 0 && (
        <Panel flush>
          <EmptyState
            kind="first"
            title="Nothing is backed up yet"
            text="A source group says which folders are, and how long their snapshots are kept."
          />
        </Panel>
      )}
      {items.flatMap((group) => {
        const firing = firingOf(group, schedules.data?.items ?? []);
        return conflictsOf(group, firing).map((conflict) => (
          <ConflictNotice
            key={`${group.id} ${conflict.dimension}`}
            hostId={host.id}
            group={group}
            conflict={conflict}
            schedules={firing}
          />
        ));
      })}
      {items.map((group) => (
        <GroupPanel key={group.id} host={host} group={group} schedules={schedules.data} />
      ))}
      <HooksPanel host={host} group={null} />
    </div>
  );
}
