import {
  IconAlertTriangleFilled,
  IconBan,
  IconCircleCheckFilled,
  IconCircleDashed,
  IconCircleXFilled,
  IconClockExclamation,
  IconPlayerPauseFilled,
  IconPlugConnectedX,
  IconStack2,
} from "@tabler/icons-react";
import type { State } from "../theme/tokens.ts";
import type { IconName } from "./state-words.ts";
import styles from "./status-mark.module.css";

const ICONS = {
  done: IconCircleCheckFilled,
  issues: IconAlertTriangleFilled,
  failed: IconCircleXFilled,
  offline: IconPlugConnectedX,
  queued: IconStack2,
  cancelled: IconBan,
  new: IconCircleDashed,
  late: IconClockExclamation,
  paused: IconPlayerPauseFilled,
} as const;

/** A state's icon alone, for where its word stands beside it. */
export function StateIcon({ state, icon, size = 16 }: { state: State; icon: IconName; size?: number }) {
  if (icon === "running") return <Turning size={size} />;
  const Icon = ICONS[icon];
  return <Icon size={size} stroke={1.75} className={styles.icon} data-state={state} aria-hidden="true" />;
}

/** Three quarters of a ring; it turns unless the reader asked for less motion. */
function Turning({ size }: { size: number }) {
  return (
    <svg
      className={styles.turning}
      viewBox="0 0 16 16"
      width={size}
      height={size}
      fill="none"
      aria-hidden="true"
    >
      <path
        d="M8 1.75 A6.25 6.25 0 1 0 14.25 8"
        stroke="currentColor"
        strokeWidth="1.75"
        strokeLinecap="round"
      />
    </svg>
  );
}
