import { lazy, Suspense, useState, type ReactNode } from "react";
import { useHotkeys } from "@mantine/hooks";
import { useRouter } from "@tanstack/react-router";
import { useSequence } from "../ui/key-sequence.ts";
import { BottomBar } from "./bottom-bar.tsx";
import type { PaletteEntry } from "./palette-entry.ts";
import { TopBar, type TopBarProps } from "./top-bar.tsx";
import styles from "./shell.module.css";

// The palette comes when it is first asked for, not with the first page.
const Palette = lazy(() => import("./palette.tsx"));

interface ShellProps extends Omit<TopBarProps, "onFind"> {
  /** What the palette offers beside the hosts. */
  entries: readonly PaletteEntry[];
  /** Hosts by what was typed. */
  findHosts: (text: string) => Promise<readonly PaletteEntry[]>;
  /** A sentence across the whole page, such as the server's own trouble. */
  banner?: ReactNode;
  children: ReactNode;
}

/** What surrounds every page once somebody has signed in. */
export function Shell({ entries, findHosts, banner, children, ...bar }: ShellProps) {
  const router = useRouter();
  const [palette, setPalette] = useState<"never" | "open" | "closed">("never");
  const open = () => setPalette("open");
  useHotkeys([["mod+K", open]], []);
  useSequence({
    "g f": () => router.history.push("/"),
    "g j": () => router.history.push("/jobs"),
  });
  return (
    <div className={styles.shell}>
      <a href="#content" className={styles.skip}>
        Skip to the content
      </a>
      <TopBar {...bar} onFind={open} />
      {banner}
      <main id="content" tabIndex={-1} className={styles.main} data-scroll-restoration-id="content">
        {children}
      </main>
      <BottomBar sections={bar.sections} current={bar.current} onFind={open} />
      {palette !== "never" && (
        <Suspense fallback={null}>
          <Palette
            opened={palette === "open"}
            onClose={() => setPalette("closed")}
            entries={entries}
            findHosts={findHosts}
          />
        </Suspense>
      )}
    </div>
  );
}
