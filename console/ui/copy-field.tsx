import { Button } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useEffect, useId, useRef, useState } from "react";
import styles from "./copy-field.module.css";

/** How long the button says that it copied. */
const SHOWN_MS = 2000;

interface CopyFieldProps {
  label: string;
  value: string;
  /** Keeps the value out of browser extensions' and translators' way; it is shown all the same, once. */
  secret?: boolean;
}

/** A value to take elsewhere. Where the browser forbids the clipboard, the text is selected instead. */
export function CopyField({ label, value, secret = false }: CopyFieldProps) {
  const id = useId();
  const text = useRef<HTMLElement>(null);
  const [outcome, setOutcome] = useState<"idle" | "copied" | "denied">("idle");
  useEffect(() => {
    if (outcome !== "copied") return;
    const timer = setTimeout(() => setOutcome("idle"), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);

  async function copy() {
    try {
      await navigator.clipboard.writeText(value);
      setOutcome("copied");
    } catch {
      if (text.current !== null) getSelection()?.selectAllChildren(text.current);
      setOutcome("denied");
    }
  }

  return (
    <div className={styles.field}>
      <span id={id} className={styles.label}>
        {label}
      </span>
      <div className={styles.box}>
        <code ref={text} className={styles.value} translate="no" data-secret={secret || undefined}>
          {value}
        </code>
        <Button
          size="xs"
          variant="default"
          className={styles.button}
          leftSection={outcome === "copied" ? <IconCheck size={14} /> : <IconCopy size={14} />}
          aria-describedby={id}
          onClick={() => void copy()}
        >
          {outcome === "copied" ? "Copied" : "Copy"}
        </Button>
      </div>
      <span role="status" className={outcome === "denied" ? styles.denied : "visually-hidden"}>
        {outcome === "copied" && `${label} copied`}
        {outcome === "denied" &&
          "The browser does not allow copying here. The text is selected: press Ctrl C."}
      </span>
    </div>
  );
}
