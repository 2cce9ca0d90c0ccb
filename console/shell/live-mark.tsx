import { hourAndMinute } from "../format/times.ts";
import styles from "./top-bar.module.css";

/** Whether what is shown follows the server right now. */
export type LiveState =
  | { state: "live" }
  | { state: "connecting" }
  | { state: "reconnecting"; since: number };

/** "Live", or since when the data is. Nothing else on the page changes when the connection is lost. */
export function LiveMark({ live }: { live: LiveState }) {
  return (
    <span role="status" className={styles.live} data-state={live.state}>
      <span className={styles.dot} aria-hidden="true" />
      {live.state === "live" && "Live"}
      {live.state === "connecting" && "Connecting"}
      {live.state === "reconnecting" && `Reconnecting, data from ${hourAndMinute(live.since)}`}
    </span>
  );
}
