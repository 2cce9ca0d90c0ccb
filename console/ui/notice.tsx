import { useEffect, useRef, type ReactNode } from "react";
import type { State } from "../theme/tokens.ts";
import styles from "./notice.module.css";
import { StateIcon } from "./state-icon.tsx";
import type { IconName } from "./state-words.ts";

const ICON_OF: Record<State, IconName> = {
  ok: "done",
  run: "running",
  warn: "issues",
  fail: "failed",
  idle: "new",
};

interface NoticeProps {
  state: State;
  title: ReactNode;
  icon?: IconName;
  /** Takes the focus when it appears: for the summary of a form that was refused. */
  takesFocus?: boolean;
  /** Figures at the far end, such as a countdown. */
  aside?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
}

/** A tinted band that says what happened, to what, and what to do next. */
export function Notice({ state, title, icon, takesFocus = false, aside, actions, children }: NoticeProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (takesFocus) box.current?.focus();
  }, [takesFocus]);
  return (
    <div
      ref={box}
      className={styles.notice}
      data-state={state}
      role={state === "fail" ? "alert" : "status"}
      tabIndex={takesFocus ? -1 : undefined}
    >
      <span className={styles.icon}>
        <StateIcon state={state} icon={icon ?? ICON_OF[state]} size={18} />
      </span>
      <div className={styles.words}>
        <p className={styles.title}>{title}</p>
        {children !== undefined && <div className={styles.text}>{children}</div>}
      </div>
      {aside !== undefined && <div className={styles.aside}>{aside}</div>}
      {actions !== undefined && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}
