import type { Host } from "@restic-manager/protocol/api/hosts";
import { dayTime } from "../format/day-times.ts";
import { Notice } from "../ui/notice.tsx";
import { useTimeText } from "../ui/ticker.ts";

/** Says that a machine cannot be asked, and what that leaves to do. */
export function HostAway({ host }: { host: Host }) {
  const seen = host.last_seen_at;
  const since = useTimeText((now) => (seen === null ? "" : ` since ${dayTime(Date.parse(seen), now)}`));
  if (host.online) return null;
  return (
    <Notice state="idle" icon="offline" title={`${host.name} is offline${since}`}>
      Its own agent reads snapshots and writes files. Folders that you looked at within the last half hour can
      still be shown, and a restore can be queued: it starts when the machine returns.
    </Notice>
  );
}
