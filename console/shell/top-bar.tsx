import { Button, Menu } from "@mantine/core";
import { IconLogout, IconSearch, IconUser } from "@tabler/icons-react";
import { AppLink } from "../ui/app-link.tsx";
import { Plate } from "../ui/plate.tsx";
import { LiveMark, type LiveState } from "./live-mark.tsx";
import { SchemeSwitch } from "./scheme-switch.tsx";
import { SectionLink } from "./section-link.tsx";
import type { Section } from "./section.ts";
import styles from "./top-bar.module.css";

export interface TopBarProps {
  instance: string;
  sections: readonly Section[];
  current: Section["id"] | null;
  live: LiveState;
  userName: string;
  onFind: () => void;
  onSignOut: () => void;
}

/** Which server, where one is, how to find things, and whether what is shown is current. */
export function TopBar(props: TopBarProps) {
  return (
    <header className={styles.bar}>
      <AppLink href="/" className={styles.home}>
        <Plate instance={props.instance} />
        <span className="visually-hidden">, to the fleet</span>
      </AppLink>
      <nav className={styles.sections} aria-label="Sections">
        {props.sections.map((section) => (
          <SectionLink
            key={section.id}
            section={section}
            current={section.id === props.current}
            className={styles.section}
          />
        ))}
      </nav>
      <div className={styles.end}>
        <button type="button" className={styles.find} onClick={props.onFind}>
          <IconSearch size={15} aria-hidden="true" />
          <span>Find a host or do something</span>
          <kbd>Ctrl K</kbd>
        </button>
        <LiveMark live={props.live} />
        <SchemeSwitch />
        <Menu position="bottom-end" width={180}>
          <Menu.Target>
            <Button
              variant="subtle"
              size="compact-sm"
              className={styles.user}
              leftSection={<IconUser size={16} stroke={1.7} />}
            >
              {props.userName}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconLogout size={15} />} onClick={props.onSignOut}>
              Sign out
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
    </header>
  );
}
