import { Button } from "@mantine/core";
import { Fragment, useEffect, useRef } from "react";
import styles from "./shell.module.css";

const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [["Ctrl K"], "Find a host or do something"],
  [["/"], "Go to the filter of a list, or to a log's search"],
  [["j", "k"], "Next and previous row"],
  [["Enter"], "Open the row"],
  [["g", "f"], "Go to the fleet"],
  [["g", "j"], "Go to the jobs"],
  [["Esc"], "Close, or empty the filter"],
  [["?"], "Show these keys"],
];

/** What the keyboard can do. The browser's own dialog keeps the focus inside and gives it back. */
export default function KeysHelp({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  return (
    <dialog ref={dialog} className={styles.help} aria-labelledby="keys-title" onClose={onClose}>
      <div className={styles.helpHead}>
        <h2 id="keys-title">Keys</h2>
        <Button size="xs" variant="default" onClick={() => dialog.current?.close()}>
          Close
        </Button>
      </div>
      <dl className={styles.keys}>
        {KEYS.map(([keys, what]) => (
          <Fragment key={what}>
            <dt>
              {keys.map((key, index) => (
                <Fragment key={key}>
                  {index > 0 && " "}
                  <kbd>{key}</kbd>
                </Fragment>
              ))}
            </dt>
            <dd>{what}</dd>
          </Fragment>
        ))}
      </dl>
    </dialog>
  );
}
