import { createSpotlight, Spotlight } from "@mantine/spotlight";
import "@mantine/core/styles/ModalBase.layer.css";
import "@mantine/core/styles/Modal.layer.css";
import "@mantine/core/styles/Overlay.layer.css";
import "@mantine/core/styles/ScrollArea.layer.css";
import "@mantine/spotlight/styles.layer.css";
import { IconArrowRight, IconSearch } from "@tabler/icons-react";
import { useRouter } from "@tanstack/react-router";
import { useEffect, useEffectEvent, useState } from "react";
import { StateIcon } from "../ui/state-icon.tsx";
import { rankEntries, type PaletteEntry } from "./palette-entry.ts";
import styles from "./palette.module.css";

/** Entries shown at once; typing narrows. */
const SHOWN = 12;

interface PaletteProps {
  opened: boolean;
  onClose: () => void;
  entries: readonly PaletteEntry[];
  findHosts: (text: string) => Promise<readonly PaletteEntry[]>;
}

/** Goes to any page or host by its name. */
export default function Palette({ opened, onClose, entries, findHosts }: PaletteProps) {
  const router = useRouter();
  const [[store, palette]] = useState(createSpotlight);
  const [typed, setTyped] = useState("");
  const [hosts, setHosts] = useState<{ typed: string; entries: readonly PaletteEntry[] }>({
    typed: "",
    entries: [],
  });
  useEffect(() => {
    if (opened) palette.open();
    else palette.close();
  }, [opened, palette]);

  const search = useEffectEvent((text: string) => findHosts(text));
  useEffect(() => {
    if (!opened) return;
    let wanted = true;
    search(typed.trim())
      .then((found) => {
        if (wanted) setHosts({ typed, entries: found });
      })
      // Without the server the pages can still be found.
      .catch(() => undefined);
    return () => {
      wanted = false;
    };
  }, [typed, opened]);

  function go(to: PaletteEntry["to"]) {
    if (typeof to === "string") router.history.push(to);
    else to();
  }
  const found = rankEntries([...hosts.entries, ...entries], typed).slice(0, SHOWN);
  // What was selected may have left the list with a later answer; Enter must always mean the first then.
  useEffect(() => {
    const list = document.getElementById(store.getState().listId);
    const first = list?.querySelector("[data-action]");
    if (!opened || !first || list?.querySelector("[data-selected]")) return;
    first.setAttribute("data-selected", "true");
    store.updateState((state) => ({ ...state, selected: 0 }));
  }, [hosts, typed, opened, store]);
  const groups = ["Hosts", "Go to", "Do"] as const;
  return (
    <Spotlight.Root
      store={store}
      query={typed}
      onQueryChange={setTyped}
      onSpotlightClose={onClose}
      shortcut={null}
      overlayProps={{ blur: 0, color: "var(--rm-veil)", backgroundOpacity: 1 }}
      transitionProps={{ duration: 0 }}
      radius="md"
      size={600}
      yOffset={80}
      classNames={{
        content: styles.content,
        search: styles.search,
        action: styles.action,
        actionsGroup: styles.group,
      }}
    >
      <Spotlight.Search
        aria-label="Find a host or do something"
        placeholder="Find a host or do something"
        leftSection={<IconSearch size={18} stroke={1.7} />}
      />
      <Spotlight.ActionsList aria-label="What was found">
        {groups.map((group) => {
          const members = found.filter((entry) => entry.group === group);
          if (members.length === 0) return null;
          return (
            <Spotlight.ActionsGroup key={group} label={group}>
              {members.map((entry) => (
                <Spotlight.Action key={entry.id} onClick={() => go(entry.to)}>
                  <span className={styles.icon}>
                    {entry.mark === undefined ? <IconArrowRight size={16} /> : <StateIcon {...entry.mark} />}
                  </span>
                  <span>
                    <span className={styles.title}>{marked(entry.title, typed.trim())}</span>
                    {entry.note !== undefined && <span className={styles.note}>{entry.note}</span>}
                  </span>
                </Spotlight.Action>
              ))}
            </Spotlight.ActionsGroup>
          );
        })}
        {found.length === 0 && <Spotlight.Empty>Nothing is called “{typed.trim()}”</Spotlight.Empty>}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

function marked(title: string, typed: string) {
  const at = typed === "" ? -1 : title.toLowerCase().indexOf(typed.toLowerCase());
  if (at < 0) return title;
  return (
    <>
      {title.slice(0, at)}
      <b className={styles.found}>{title.slice(at, at + typed.length)}</b>
      {title.slice(at + typed.length)}
    </>
  );
}
