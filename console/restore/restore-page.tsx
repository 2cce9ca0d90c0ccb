import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { useMemo, type ReactNode } from "react";
import { allSnapshotsQuery, hostQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { PageProblem } from "../ui/page-problem.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { StepRail } from "../ui/step-rail.tsx";
import { HostAway } from "./host-away.tsx";
import { SnapshotStep } from "./snapshot-step.tsx";
import { Wizard } from "./wizard.tsx";

const hostRoute = getRouteApi("/signed-in/hosts/$hostId/restore");
const snapshotRoute = getRouteApi("/signed-in/hosts/$hostId/snapshots/$snapshotId/restore");

/** Restoring files of a host: the first question is from which snapshot. */
export function RestorePage() {
  const { hostId } = hostRoute.useParams();
  return (
    <Frame hostId={hostId}>
      {(host) => (
        <>
          <HostAway host={host} />
          <StepRail
            label="Steps of the restore"
            current="snapshot"
            steps={[
              { id: "snapshot", title: "Snapshot", answer: "Choose", done: false },
              { id: "files", title: "Files", answer: "", done: false },
              { id: "target", title: "Target", answer: "", done: false },
              { id: "confirm", title: "Confirm", answer: "", done: false },
            ]}
          />
          <SnapshotStep host={host} />
        </>
      )}
    </Frame>
  );
}

/** The same once the snapshot is known: its files, where they go, and the last look. */
export function SnapshotRestorePage() {
  const { hostId, snapshotId } = snapshotRoute.useParams();
  const search = snapshotRoute.useSearch();
  return (
    <Frame hostId={hostId}>
      {(host) => <FromSnapshot key={snapshotId} host={host} snapshotId={snapshotId} search={search} />}
    </Frame>
  );
}

interface FromSnapshotProps {
  host: Host;
  snapshotId: string;
  search: ReturnType<typeof snapshotRoute.useSearch>;
}

function FromSnapshot({ host, snapshotId, search }: FromSnapshotProps) {
  const { data, error, refetch } = useQuery(allSnapshotsQuery(host.id));
  const snapshot = useMemo(
    // The beginning of an id is enough, as for restic, if it is of one snapshot only.
    () => {
      const found = data?.items.filter(({ id }) => id.startsWith(snapshotId)) ?? [];
      return found.length === 1 && snapshotId.length >= 8 ? found[0] : undefined;
    },
    [data, snapshotId],
  );
  if (snapshot !== undefined) return <Wizard host={host} snapshot={snapshot} search={search} />;
  if (data === undefined)
    return <PageProblem error={error} missing="" missingText="" onRetry={() => void refetch()} />;
  return (
    <>
      <HostAway host={host} />
      <Panel flush>
        <EmptyState
          kind="refused"
          title="This snapshot is not in the list"
          text="It was removed from the repository, or got another id with new tags. Choose another one."
        />
      </Panel>
      <SnapshotStep host={host} />
    </>
  );
}

function Frame({ hostId, children }: { hostId: string; children: (host: Host) => ReactNode }) {
  const { data: host, error, refetch } = useQuery(hostQuery(hostId));
  const { operate } = useMay();
  if (host === undefined) {
    return (
      <Page>
        <PageHeader
          title="Restore files"
          crumbs={[{ title: "Fleet", href: "/" }, { title: "Restore files" }]}
        />
        <PageProblem
          error={error}
          missing="There is no such host"
          missingText="It was removed, or the address is not complete."
          onRetry={() => void refetch()}
        />
      </Page>
    );
  }
  return (
    <Page>
      <PageHeader
        crumbs={[
          { title: "Fleet", href: "/" },
          { title: host.name, href: `/hosts/${host.id}` },
          { title: "Restore files" },
        ]}
        title={
          <>
            Restore files <span className="mono">{host.name}</span>
          </>
        }
      />
      {operate ? (
        children(host)
      ) : (
        <Panel flush>
          <EmptyState
            kind="refused"
            title="Only operators restore files"
            text="Names and contents of backed up files are not for viewers. An administrator can change your role."
          />
        </Panel>
      )}
    </Page>
  );
}
