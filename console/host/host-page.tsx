import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { hostQuery } from "../queries.ts";
import { PageHeader } from "../ui/page-header.tsx";
import { PageProblem } from "../ui/page-problem.tsx";
import { Page } from "../ui/page.tsx";
import { TabStrip, type Tab } from "../ui/tab-strip.tsx";
import { HostHeader } from "./host-header.tsx";
import { HostJobs } from "./host-jobs.tsx";
import { HostNotices } from "./host-notices.tsx";
import { HostOverview } from "./host-overview.tsx";
import { HostSettings } from "./host-settings.tsx";
import { HostSnapshots } from "./host-snapshots.tsx";
import { HostVitals } from "./host-vitals.tsx";

const route = getRouteApi("/signed-in/hosts/$hostId");
const TABS = ["overview", "snapshots", "jobs", "settings"] as const;
type TabName = (typeof TABS)[number];

/** One machine: how it stands, what can be restored, what ran, how it is connected. The address holds the tab. */
export function HostPage() {
  const { hostId } = route.useParams();
  const search = route.useSearch();
  const { data: host, error, refetch } = useQuery(hostQuery(hostId));
  if (host === undefined) {
    return (
      <Page>
        <PageHeader title="Host" crumbs={[{ title: "Fleet", href: "/" }, { title: "Host" }]} />
        <PageProblem
          error={error}
          missing="There is no such host"
          missingText="It was removed, or the address is not complete."
          onRetry={() => void refetch()}
        />
      </Page>
    );
  }
  const tab = TABS.find((name) => name === search.tab) ?? "overview";
  return (
    <Page>
      <HostHeader host={host} />
      <HostNotices host={host} />
      <HostVitals host={host} short={tab !== "overview"} />
      <TabStrip label={`Parts of ${host.name}`} tabs={tabsOf(host)} active={tabHref(host.id, tab)} />
      <TabContent tab={tab} host={host} snapshotId={search.snapshot} />
    </Page>
  );
}

interface TabContentProps {
  tab: TabName;
  host: Host;
  snapshotId: string | undefined;
}

function TabContent({ tab, host, snapshotId }: TabContentProps) {
  switch (tab) {
    case "overview":
      return <HostOverview host={host} />;
    case "snapshots":
      return <HostSnapshots host={host} snapshotId={snapshotId} />;
    case "jobs":
      return <HostJobs host={host} />;
    case "settings":
      return <HostSettings host={host} />;
  }
}

function tabsOf(host: Host): Tab[] {
  const wrong = host.repository.state === "failed" || host.repository.state === "no_credentials";
  return [
    { title: "Overview", href: tabHref(host.id, "overview") },
    { title: "Snapshots", href: tabHref(host.id, "snapshots"), count: host.snapshot_count },
    { title: "Jobs", href: tabHref(host.id, "jobs") },
    { title: "Settings", href: tabHref(host.id, "settings"), warns: wrong },
  ];
}

function tabHref(hostId: string, tab: TabName): string {
  return tab === "overview" ? `/hosts/${hostId}` : `/hosts/${hostId}?tab=${tab}`;
}
