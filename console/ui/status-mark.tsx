import type { ReactNode } from "react";
import type { State } from "../theme/tokens.ts";
import { StateIcon } from "./state-icon.tsx";
import type { IconName } from "./state-words.ts";
import styles from "./status-mark.module.css";

interface StatusMarkProps {
  state: State;
  icon: IconName;
  word: ReactNode;
  /** A tinted chip beside a title, instead of plain text in a row. */
  chip?: boolean;
}

/** Icon and word of a state. When all is well the text stays neutral and only the icon is green. */
export function StatusMark({ state, icon, word, chip = false }: StatusMarkProps) {
  return (
    <span className={styles.mark} data-state={state} data-chip={chip || undefined}>
      <StateIcon state={state} icon={icon} />
      <span>{word}</span>
    </span>
  );
}
