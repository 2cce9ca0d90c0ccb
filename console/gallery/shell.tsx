import type { ReactNode } from "react";
import { hostWords } from "../ui/state-words.ts";
import { Shell } from "../shell/shell.tsx";
import { madeUpHosts } from "./made-up.ts";

/** The real shell around made-up pages. */
export function GalleryShell({
  current,
  children,
}: {
  current: "fleet" | "jobs" | null;
  children: ReactNode;
}) {
  return (
    <Shell
      instance="vault.nordkai.example"
      sections={[
        { id: "fleet", title: "Fleet", href: "/" },
        { id: "jobs", title: "Jobs", href: "/jobs", count: 6, countState: "run", countWord: "running" },
      ]}
      current={current}
      live={{ state: "live" }}
      userName="m.thiel"
      onSignOut={() => undefined}
      entries={[{ id: "add", group: "Do", title: "Add host", note: "Enrol a machine", to: "/hosts/add" }]}
      findHosts={() =>
        Promise.resolve(
          madeUpHosts(30).map((host) => ({
            id: host.id,
            group: "Hosts" as const,
            title: host.name,
            note: `${hostWords[host.status].word} · ${host.os}`,
            mark: hostWords[host.status],
            to: `/hosts/${host.id}`,
          })),
        )
      }
    >
      {children}
    </Shell>
  );
}
