import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Outlet, useRouter, useRouterState } from "@tanstack/react-router";
import type { FleetSummary } from "@restic-manager/protocol/api/fleet";
import { api } from "../api.ts";
import { formatCount } from "../format/numbers.ts";
import { useLive } from "../live.ts";
import { meQuery, summaryQuery } from "../queries.ts";
import { leave } from "../session/leave.ts";
import { mayDo } from "../session/may.ts";
import { Notice } from "../ui/notice.tsx";
import { hostWords } from "../ui/state-words.ts";
import { TimeAgo } from "../ui/time-ago.tsx";
import type { PaletteEntry } from "./palette-entry.ts";
import type { Section } from "./section.ts";
import { Shell } from "./shell.tsx";

/** Hosts the palette offers at once. */
const HOSTS_FOUND = 8;

const PAGES: readonly PaletteEntry[] = [
  { id: "fleet", group: "Go to", title: "Fleet", to: "/" },
  { id: "jobs", group: "Go to", title: "Jobs", to: "/jobs" },
  { id: "policies", group: "Go to", title: "Policies", note: "Templates, load over a day", to: "/policies" },
  { id: "failed-hosts", group: "Go to", title: "Failed hosts", note: "Fleet", to: "/?status=failed" },
  {
    id: "active-jobs",
    group: "Go to",
    title: "Running and queued jobs",
    note: "Jobs",
    to: "/jobs?state=active",
  },
  { id: "failed-jobs", group: "Go to", title: "Failed jobs", note: "Jobs", to: "/jobs?state=failed" },
];
const ADD_HOST: PaletteEntry = {
  id: "add-host",
  group: "Do",
  title: "Add host",
  note: "Enrol a machine",
  to: "/hosts/add",
};

/** The shell around every page of somebody who is signed in. */
export function SignedIn() {
  const router = useRouter();
  const queryClient = useQueryClient();
  const { data: me } = useSuspenseQuery(meQuery);
  const { data: summary } = useQuery(summaryQuery);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const live = useLive(queryClient, () => void leave(router, queryClient, true));
  const active = (summary?.running_jobs ?? 0) + (summary?.queued_jobs ?? 0);
  const sections: readonly Section[] = [
    { id: "fleet", title: "Fleet", href: "/" },
    { id: "jobs", title: "Jobs", href: "/jobs", count: active, countState: "run", countWord: "active" },
    { id: "policies", title: "Policies", href: "/policies" },
  ];
  async function signOut() {
    await api.signOut().catch(() => undefined);
    await leave(router, queryClient, false);
  }
  const banner = bannerOf(summary);
  return (
    <Shell
      instance={me.instance.name}
      sections={sections}
      current={sectionOf(path)}
      live={live}
      userName={me.user.username}
      onSignOut={() => void signOut()}
      entries={[
        ...PAGES,
        ...(mayDo(me.user.role).operate ? [ADD_HOST] : []),
        { id: "sign-out", group: "Do", title: "Sign out", note: me.user.username, to: () => void signOut() },
      ]}
      findHosts={findHosts}
      {...(banner === undefined ? {} : { banner })}
    >
      <Outlet />
    </Shell>
  );
}

/** Where in the top bar a page stands; hosts belong to the fleet. */
function sectionOf(path: string): Section["id"] {
  if (path.startsWith("/jobs")) return "jobs";
  return path.startsWith("/policies") ? "policies" : "fleet";
}

/** The server's own trouble: the worse one where there are two. */
function bannerOf(summary: FleetSummary | undefined) {
  if (summary?.store.state === "failing")
    return (
      <Notice state="fail" title="The server cannot save what agents report">
        {summary.store.message} Since <TimeAgo at={Date.parse(summary.store.since)} />. Backups go on; agents
        keep their records and deliver them once this server can write again.
      </Notice>
    );
  if (summary?.cut_off !== undefined)
    return (
      <Notice state="warn" title="This server does not hear the other servers">
        NATS is out of reach since <TimeAgo at={Date.parse(summary.cut_off.since)} />. Backups and commands go
        on; what happens at the other servers shows late, and commands for their agents take some seconds.
      </Notice>
    );
  return undefined;
}

/** Hosts by a part of their name; with nothing typed those that stand worst. */
async function findHosts(text: string): Promise<readonly PaletteEntry[]> {
  const { items } = await api.hosts({
    ...(text === "" ? { sort: "status" } : { search: text, sort: "name" }),
    limit: HOSTS_FOUND,
  });
  return items.map((host) => {
    const { word, state, icon } = hostWords[host.status];
    const snapshots =
      host.snapshot_count === 1 ? "1 snapshot" : `${formatCount(host.snapshot_count)} snapshots`;
    return {
      id: host.id,
      group: "Hosts",
      title: host.name,
      note: `${word} · ${host.os_name} · ${snapshots}`,
      mark: { state, icon },
      to: `/hosts/${host.id}`,
    };
  });
}
