import styles from "./switch.module.css";

interface SwitchProps {
  /** What it switches, for screen readers. */
  label: string;
  on: boolean;
  busy?: boolean;
  disabled?: boolean;
  onChange: (on: boolean) => void;
}

/** On or off, at once. */
export function Switch({ label, on, busy = false, disabled = false, onChange }: SwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      aria-label={label}
      aria-busy={busy}
      disabled={disabled}
      className={styles.switch}
      onClick={() => !busy && onChange(!on)}
    />
  );
}
