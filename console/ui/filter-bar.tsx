import { TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useRef, type ReactNode } from "react";
import { formatCount } from "../format/numbers.ts";
import styles from "./filter-bar.module.css";
import { useShortcuts } from "./keys.ts";
import { StateIcon } from "./state-icon.tsx";
import type { StateWord } from "./state-words.ts";

export interface FilterChoice {
  id: string;
  title: string;
  count?: number;
  mark?: Pick<StateWord, "state" | "icon">;
}

interface FilterBarProps {
  /** What the search field says while empty, and what it is called. */
  searchLabel: string;
  search: string;
  onSearch: (text: string) => void;
  /** What the strip of choices is about. */
  choicesLabel: string;
  choices: readonly FilterChoice[];
  chosen: string;
  onChoose: (id: string) => void;
  /** More controls at the end. */
  children?: ReactNode;
}

/** Search and one strip of choices with their counts. `/` goes to the search. */
export function FilterBar(props: FilterBarProps) {
  const field = useRef<HTMLInputElement>(null);
  useShortcuts({ "/": () => field.current?.focus() });
  return (
    <div className={styles.bar} role="search">
      <TextInput
        ref={field}
        className={styles.search}
        type="search"
        aria-label={props.searchLabel}
        placeholder={props.searchLabel}
        value={props.search}
        onChange={(event) => props.onSearch(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          if (props.search === "") field.current?.blur();
          else props.onSearch("");
        }}
        leftSection={<IconSearch size={15} aria-hidden="true" />}
        rightSection={props.search === "" ? <kbd className={styles.key}>/</kbd> : null}
        spellCheck={false}
        autoComplete="off"
      />
      <FilterStrip {...props} />
      {props.children}
    </div>
  );
}

/** The strip alone: one of several choices, each with its count. */
export function FilterStrip({
  choicesLabel,
  choices,
  chosen,
  onChoose,
}: Pick<FilterBarProps, "choicesLabel" | "choices" | "chosen" | "onChoose">) {
  return (
    <div className={styles.strip} role="group" aria-label={choicesLabel}>
      {choices.map((choice) => (
        <button
          key={choice.id}
          type="button"
          className={styles.choice}
          aria-pressed={choice.id === chosen}
          onClick={() => onChoose(choice.id)}
        >
          {choice.mark !== undefined && <StateIcon {...choice.mark} size={14} />}
          {choice.title}
          {choice.count !== undefined && <span className={styles.count}>{formatCount(choice.count)}</span>}
        </button>
      ))}
    </div>
  );
}
