import { Button, type ButtonProps } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import styles from "./confirm-in-place.module.css";

interface ConfirmInPlaceProps extends Pick<ButtonProps, "size"> {
  /** Verb and object: `Delete databases`. */
  action: string;
  /** On the first button, where the object is in sight. */
  short: string;
  /** What stays and what goes, in a sentence. */
  consequence: string;
  busy: boolean;
  onConfirm: () => void;
}

/** An act that is asked for twice, where it is asked for: the second button names what it does. */
export function ConfirmInPlace(props: ConfirmInPlaceProps) {
  const { action, short, consequence, busy, onConfirm, size = "xs" } = props;
  const [asking, setAsking] = useState(false);
  if (!asking) {
    return (
      <Button
        size={size}
        variant="subtle"
        leftSection={<IconTrash size={15} />}
        aria-label={action}
        onClick={() => setAsking(true)}
      >
        {short}
      </Button>
    );
  }
  return (
    <span className={styles.ask} role="group" aria-label={action}>
      <span>{consequence}</span>
      {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- the button that had the focus is gone */}
      <Button size={size} variant="danger" loading={busy} autoFocus onClick={onConfirm}>
        {action}
      </Button>
      <Button size={size} variant="default" onClick={() => setAsking(false)}>
        Keep it
      </Button>
    </span>
  );
}
