import { lazy, Suspense, useState, type ReactNode } from "react";
import { useHotkeys } from "@mantine/hooks";
import { useRouter } from "@tanstack/react-router";
import { useSequence } from "../ui/key-sequence.ts";
import { useShortcuts } from "../ui/keys.ts";
import { BottomBar } from "./bottom-bar.tsx";
import type { PaletteEntry } from "./palette-entry.ts";
import { TopBar, type TopBarProps } from "./top-bar.tsx";
import styles from "./shell.module.css";

// These come when they are first asked for, not with the first page.
const Palette = lazy(() => import("./palette.tsx"));
const KeysHelp = lazy(() => import("./keys-help.tsx"));

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
  const [help, setHelp] = useState(false);
  const open = () => setPalette("open");
  const showKeys = () => setHelp(true);
  useHotkeys([["mod+K", open]], []);
  useShortcuts({ "?": showKeys });
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
      {banner !== undefined && <div className={styles.banner}>{banner}</div>}
      <main id="content" tabIndex={-1} className={styles.main} data-scroll-restoration-id="content">
        {children}
      </main>
      <BottomBar sections={bar.sections} current={bar.current} onFind={open} />
      {palette !== "never" && (
        <Suspense fallback={null}>
          <Palette
            opened={palette === "open"}
            onClose={() => setPalette("closed")}
            entries={[
              ...entries,
              { id: "keys", group: "Do", title: "Show the keys", note: "?", to: showKeys },
            ]}
            findHosts={findHosts}
          />
        </Suspense>
      )}
      {help && (
        <Suspense fallback={null}>
          <KeysHelp onClose={() => setHelp(false)} />
        </Suspense>
      )}
    </div>
  );
}
