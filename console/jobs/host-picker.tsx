import { ActionIcon, TextInput } from "@mantine/core";
import { IconSearch, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useId, useRef, useState } from "react";
import { api } from "../api.ts";
import { useShortcuts } from "../ui/keys.ts";
import { useSettled } from "../ui/use-settled.ts";
import styles from "./jobs-page.module.css";

/** Hosts offered at once. */
const OFFERED = 12;
const TYPING_RESTS_MS = 120;

interface HostPickerProps {
  chosen: { id: string; name: string } | null;
  onChoose: (id: string | null) => void;
}

/** Narrows a list to one host, found by a part of its name; the browser's own list of suggestions. */
export function HostPicker({ chosen, onChoose }: HostPickerProps) {
  const options = useId();
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState("");
  const wanted = useSettled(typed.trim(), TYPING_RESTS_MS);
  useShortcuts({ "/": () => field.current?.focus() });
  const found = useQuery({
    queryKey: ["hosts-named", wanted],
    queryFn: () => api.hosts({ search: wanted, sort: "name", limit: OFFERED }),
    enabled: wanted !== "",
  });
  if (chosen !== null) {
    return (
      <span className={styles.chosen}>
        {chosen.name}
        <ActionIcon
          variant="subtle"
          size={26}
          aria-label={`Show the jobs of all hosts, not only of ${chosen.name}`}
          onClick={() => onChoose(null)}
        >
          <IconX size={15} />
        </ActionIcon>
      </span>
    );
  }
  const items = found.data?.items ?? [];
  const choose = (name: string) => {
    const host = items.find((each) => each.name === name);
    if (host === undefined) return;
    setTyped("");
    onChoose(host.id);
  };
  return (
    <>
      <TextInput
        ref={field}
        className={styles.picker}
        type="search"
        aria-label="Only of this host"
        placeholder="Only of this host"
        list={options}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          choose(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && items[0] !== undefined) choose(items[0].name);
        }}
        leftSection={<IconSearch size={15} aria-hidden="true" />}
        autoComplete="off"
        spellCheck={false}
      />
      <datalist id={options}>
        {items.map((host) => (
          <option key={host.id} value={host.name}>
            {host.name}
          </option>
        ))}
      </datalist>
    </>
  );
}
