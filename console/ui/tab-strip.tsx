import { useEffect, useRef } from "react";
import { AppLink } from "./app-link.tsx";
import { StateIcon } from "./state-icon.tsx";
import styles from "./tab-strip.module.css";

export interface Tab {
  title: string;
  href: string;
  count?: number;
  /** Something behind this tab needs attention. */
  warns?: boolean;
}

/** A page's tabs, which are links, so that each has an address. The active one scrolls into view on a narrow screen. */
export function TabStrip({ tabs, active, label }: { tabs: readonly Tab[]; active: string; label: string }) {
  const strip = useRef<HTMLElement>(null);
  useEffect(() => {
    const current = strip.current?.querySelector<HTMLElement>("[aria-current]");
    if (current && strip.current) {
      strip.current.scrollLeft = current.offsetLeft - (strip.current.clientWidth - current.offsetWidth) / 2;
    }
  }, [active]);
  return (
    <nav ref={strip} className={styles.strip} aria-label={label}>
      {tabs.map((tab) => (
        <AppLink
          key={tab.href}
          href={tab.href}
          className={styles.tab}
          aria-current={tab.href === active ? "page" : undefined}
        >
          {tab.title}
          {tab.count !== undefined && <span className={styles.count}>{tab.count}</span>}
          {tab.warns && (
            <>
              <StateIcon state="warn" icon="issues" size={14} />
              <span className="visually-hidden">needs attention</span>
            </>
          )}
        </AppLink>
      ))}
    </nav>
  );
}
