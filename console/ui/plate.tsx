import { Mark } from "./mark.tsx";
import styles from "./plate.module.css";

/** Which product and which server this is, so that nobody works on the wrong one. `tall` on sign-in and set-up. */
export function Plate({ instance, tall = false }: { instance: string; tall?: boolean }) {
  return (
    <span className={styles.plate} data-tall={tall || undefined}>
      <span className={styles.mark}>
        <Mark width={tall ? 30 : 21} />
      </span>
      <span className={styles.words}>
        <span className={styles.name}>restic-manager</span>
        <span className={styles.instance}>{instance}</span>
      </span>
    </span>
  );
}
