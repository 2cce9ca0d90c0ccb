import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Outlet, useRouter, useRouterState } from "@tanstack/react-router";
import { api } from "../api.ts";
import { meQuery } from "../queries.ts";
import type { PaletteEntry } from "./palette-entry.ts";
import type { Section } from "./section.ts";
import { Shell } from "./shell.tsx";

const ENTRIES: readonly PaletteEntry[] = [
  { id: "fleet", group: "Go to", title: "Fleet", href: "/" },
  { id: "jobs", group: "Go to", title: "Jobs", href: "/jobs" },
  { id: "add-host", group: "Do", title: "Add host", note: "Enrol a machine", href: "/hosts/add" },
];

/** The shell around every page of somebody who is signed in. */
export function SignedIn() {
  const router = useRouter();
  const queryClient = useQueryClient();
  const { data: me } = useSuspenseQuery(meQuery);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const sections: readonly Section[] = [
    { id: "fleet", title: "Fleet", href: "/" },
    { id: "jobs", title: "Jobs", href: "/jobs" },
  ];
  async function signOut() {
    await api.signOut().catch(() => undefined);
    queryClient.clear();
    router.history.push("/sign-in");
  }
  return (
    <Shell
      instance={me.instance.name}
      sections={sections}
      current={path.startsWith("/jobs") ? "jobs" : "fleet"}
      live={{ state: "live" }}
      userName={me.user.username}
      onSignOut={() => void signOut()}
      entries={ENTRIES}
      findHosts={() => Promise.resolve([])}
    >
      <Outlet />
    </Shell>
  );
}
