import { Button, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import styles from "./confirm-by-typing.module.css";

interface ConfirmByTypingProps {
  /** What has to be typed: usually the host's name. */
  word: string;
  /** Verb and object, on the button: `Remove db-ams-01`. */
  action: string;
  /** Does it. What it rejects with is shown here in words; the typed text stays. */
  onConfirm: () => Promise<void>;
}

/** A dangerous act that takes typing the thing's name. */
export function ConfirmByTyping({ word, action, onConfirm }: ConfirmByTypingProps) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const armed = typed.trim() === word;

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!armed || busy) return;
    setBusy(true);
    setRefusal(null);
    try {
      await onConfirm();
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form className={styles.form} onSubmit={(event) => void submit(event)}>
      <TextInput
        className={styles.input}
        label={
          <>
            Type <code>{word}</code> to confirm
          </>
        }
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        error={refusal}
        autoComplete="off"
        spellCheck={false}
      />
      <Button type="submit" variant="danger" disabled={!armed} loading={busy}>
        {action}
      </Button>
    </form>
  );
}
