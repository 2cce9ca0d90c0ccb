import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { lazy, Suspense, useMemo } from "react";
import type { Schedules } from "@restic-manager/protocol/api/schedules";
import type { SourceGroups } from "@restic-manager/protocol/api/sources";
import { hostQuery, schedulesQuery, sourceGroupsQuery } from "../queries.ts";
import { conflictsAnywhere } from "../sources/retention-conflict.ts";
import { PageHeader } from "../ui/page-header.tsx";
import { PageProblem } from "../ui/page-problem.tsx";
import { Page } from "../ui/page.tsx";
import { TabStrip, type Tab } from "../ui/tab-strip.tsx";
import { HostHeader } from "./host-header.tsx";
import { HostJobs } from "./host-jobs.tsx";
import { HostNotices } from "./host-notices.tsx";
import { HostOverview } from "./host-overview.tsx";
import { HostSettings } from "./host-settings.tsx";
import { HostVitals } from "./host-vitals.tsx";

const HostSnapshots = lazy(async () => ({
  default: (await import("../snapshots/host-snapshots.tsx")).HostSnapshots,
}));
// Forms are for few visits: their code comes with the first of them.
const HostSources = lazy(async () => ({
  default: (await import("../sources/host-sources.tsx")).HostSources,
}));
const HostSchedules = lazy(async () => ({
  default: (await import("../schedules/host-schedules.tsx")).HostSchedules,
}));

const HostRepository = lazy(async () => ({
  default: (await import("../repository/host-repository.tsx")).HostRepository,
}));

const route = getRouteApi("/signed-in/hosts/$hostId");
const TABS = ["overview", "snapshots", "sources", "schedules", "repository", "jobs", "settings"] as const;
type TabName = (typeof TABS)[number];

/** One machine: how it stands, what can be restored, what ran, how it is connected. The address holds the tab. */
export function HostPage() {
  const { hostId } = route.useParams();
  const search = route.useSearch();
  const { data: host, error, refetch } = useQuery(hostQuery(hostId));
  const { data: groups } = useQuery(sourceGroupsQuery(hostId));
  const { data: schedules } = useQuery(schedulesQuery(hostId));
  const tabs = useMemo(
    () => (host === undefined ? [] : tabsOf(host, groups, schedules)),
    [host, groups, schedules],
  );
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
      <TabStrip label={`Parts of ${host.name}`} tabs={tabs} active={tabHref(host.id, tab)} />
      <Suspense fallback={<p className="quiet">Loading…</p>}>
        <TabContent tab={tab} host={host} search={search} />
      </Suspense>
    </Page>
  );
}

interface TabContentProps {
  tab: TabName;
  host: Host;
  search: ReturnType<typeof route.useSearch>;
}

function TabContent({ tab, host, search }: TabContentProps) {
  switch (tab) {
    case "overview":
      return <HostOverview host={host} />;
    case "snapshots":
      return <HostSnapshots host={host} search={snapshotsSearch(search)} />;
    case "sources":
      return <HostSources host={host} open={search.group} />;
    case "schedules":
      return <HostSchedules host={host} open={search.schedule} />;
    case "repository":
      return <HostRepository host={host} />;
    case "jobs":
      return <HostJobs host={host} />;
    case "settings":
      return <HostSettings host={host} />;
  }
}

/** The part of the address that is the snapshots' own. */
function snapshotsSearch(search: TabContentProps["search"]) {
  const { snapshot, ...rest } = search;
  delete rest.tab;
  delete rest.group;
  delete rest.schedule;
  return snapshot === undefined ? rest : { ...rest, snapshot };
}

/** Groups and schedules are undefined while they are asked for. */
function tabsOf(host: Host, groups: SourceGroups | undefined, schedules: Schedules | undefined): Tab[] {
  const wrong = host.repository.state === "failed" || host.repository.state === "no_credentials";
  return [
    { title: "Overview", href: tabHref(host.id, "overview") },
    { title: "Snapshots", href: tabHref(host.id, "snapshots"), count: host.snapshot_count },
    {
      title: "Sources",
      href: tabHref(host.id, "sources"),
      ...(groups === undefined ? {} : { count: groups.items.length }),
      warns: conflictsAnywhere(groups?.items ?? [], schedules?.items ?? []),
    },
    {
      title: "Schedules",
      href: tabHref(host.id, "schedules"),
      ...(schedules === undefined ? {} : { count: schedules.items.length }),
      warns: schedules?.items.some((schedule) => schedule.overdue !== null) ?? false,
    },
    {
      title: "Repository",
      href: tabHref(host.id, "repository"),
      warns: (host.upkeep_trouble ?? null) !== null,
    },
    { title: "Jobs", href: tabHref(host.id, "jobs") },
    { title: "Settings", href: tabHref(host.id, "settings"), warns: wrong },
  ];
}

function tabHref(hostId: string, tab: TabName): string {
  return tab === "overview" ? `/hosts/${hostId}` : `/hosts/${hostId}?tab=${tab}`;
}
