import { Button } from "@mantine/core";
import { IconGitCompare } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useId, useState } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { api } from "../api.ts";
import { shortDateTime } from "../format/times.ts";
import { CallProblem } from "../ui/call-problem.tsx";
import { predecessorOf, sorted } from "./snapshot-list.ts";
import styles from "./snapshots.module.css";

/** Offered at once, those nearest in time; any two are compared by choosing their rows. */
const OFFERED = 400;

interface ComparePickerProps {
  host: Host;
  snapshot: Snapshot;
  all: readonly Snapshot[];
}

/** Compares this snapshot with another one of the host: with its predecessor unless told. */
export function ComparePicker({ host, snapshot, all }: ComparePickerProps) {
  const router = useRouter();
  const label = useId();
  const before = predecessorOf(all, snapshot);
  const others = nearest(all, snapshot);
  const [picked, setPicked] = useState<string | null>(null);
  const other = others.find(({ id }) => id === picked) ?? before ?? others[0];
  const compare = useMutation({
    mutationFn: (with_: Snapshot) => {
      const [from, to] =
        Date.parse(with_.time) <= Date.parse(snapshot.time) ? [with_, snapshot] : [snapshot, with_];
      return api.compare(host.id, { from: from.id, to: to.id, when_offline: "wait" });
    },
    onSuccess: ({ job }) => router.history.push(`/jobs/${job.id}`),
  });
  if (other === undefined) return null;
  return (
    <div>
      <label htmlFor={label} className={styles.label}>
        Compare with
      </label>
      <div className={styles.verbs}>
        <select
          id={label}
          className="select"
          value={other.id}
          onChange={({ currentTarget }) => setPicked(currentTarget.value)}
        >
          {others.map((one) => (
            <option key={one.id} value={one.id}>
              {inWords(one, one.id === before?.id)}
            </option>
          ))}
        </select>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconGitCompare size={14} />}
          loading={compare.isPending}
          onClick={() => compare.mutate(other)}
        >
          Compare
        </Button>
      </div>
      {!host.online && <p className="quiet">{host.name} is offline: it waits until the machine is back.</p>}
      <CallProblem error={compare.error} />
    </div>
  );
}

function inWords({ id, time, tags }: Snapshot, before: boolean): string {
  const words = [shortDateTime(Date.parse(time)), id.slice(0, 8), tags.join(", ")];
  return `${words.filter((word) => word !== "").join(" · ")}${before ? " (the one before)" : ""}`;
}

/** The others, newest first; of many those nearest in time. */
function nearest(all: readonly Snapshot[], to: Snapshot): Snapshot[] {
  const others = all.filter(({ id }) => id !== to.id);
  const apart = (one: Snapshot) => Math.abs(Date.parse(one.time) - Date.parse(to.time));
  const near =
    others.length <= OFFERED ? others : others.toSorted((a, b) => apart(a) - apart(b)).slice(0, OFFERED);
  return sorted(near, "time", "desc");
}
