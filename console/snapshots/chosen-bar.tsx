import { Button } from "@mantine/core";
import { IconGitCompare, IconTag, IconTrash } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { api } from "../api.ts";
import { countOf, formatCount } from "../format/numbers.ts";
import { CallProblem } from "../ui/call-problem.tsx";
import { FloatingBar } from "../ui/floating-bar.tsx";
import { ForgetForm } from "./forget-form.tsx";
import { predecessorOf } from "./snapshot-list.ts";
import styles from "./snapshots.module.css";
import { TagForm } from "./tag-form.tsx";

/** The protocol takes no more in one job. */
const MOST = 1_000;

interface ChosenBarProps {
  host: Host;
  /** Those of them that are listed. */
  chosen: readonly Snapshot[];
  /** How many more are chosen and hidden by the filter. */
  hidden: number;
  all: readonly Snapshot[];
  onClear: () => void;
}

/** What can be done with chosen snapshots: compare two, change tags, forget. */
export function ChosenBar({ host, chosen, hidden, all, onClear }: ChosenBarProps) {
  const router = useRouter();
  const [open, setOpen] = useState<"tags" | "forget" | null>(null);
  const went = (id: string) => router.history.push(`/jobs/${id}`);
  const tooMany = chosen.length > MOST;
  const close = () => setOpen(null);
  const pair = pairOf(chosen, all);
  const compare = useMutation({
    mutationFn: ({ from, to }: NonNullable<typeof pair>) =>
      api.compare(host.id, { from: from.id, to: to.id, when_offline: "wait" }),
    onSuccess: ({ job }) => went(job.id),
  });
  return (
    <FloatingBar
      label="Selected snapshots"
      form={open !== null}
      words={
        <>
          <b>{countOf(chosen.length, "snapshot")}</b>{" "}
          <span className="quiet">
            {tooMany
              ? `selected; at most ${formatCount(MOST)} are changed at once`
              : host.online
                ? pairInWords(chosen, pair)
                : `${host.name} is offline: it waits until it is back`}
            {hidden > 0 && `; ${countOf(hidden, "more is", "more are")} hidden by the filter and left alone`}
          </span>
        </>
      }
    >
      {open === null && (
        <div className={styles.verbs}>
          {pair !== null && (
            <Button
              size="xs"
              variant="default"
              leftSection={<IconGitCompare size={14} />}
              loading={compare.isPending}
              onClick={() => compare.mutate(pair)}
            >
              {chosen.length === 1 ? "Compare with the one before" : "Compare the two"}
            </Button>
          )}
          <Button
            size="xs"
            variant="default"
            leftSection={<IconTag size={14} />}
            disabled={tooMany}
            onClick={() => setOpen("tags")}
          >
            Change tags…
          </Button>
          <Button
            size="xs"
            variant="danger"
            leftSection={<IconTrash size={14} />}
            disabled={tooMany}
            onClick={() => setOpen("forget")}
          >
            Forget…
          </Button>
          <Button size="xs" variant="subtle" onClick={onClear}>
            Clear
          </Button>
          <CallProblem error={compare.error} />
        </div>
      )}
      {open === "tags" && <TagForm host={host} chosen={chosen} onDone={went} onCancel={close} />}
      {open === "forget" && <ForgetForm host={host} chosen={chosen} onDone={went} onCancel={close} />}
    </FloatingBar>
  );
}

interface Pair {
  from: Snapshot;
  to: Snapshot;
}

/** From the older to the newer; one alone is compared with the one before it. */
function pairOf(chosen: readonly Snapshot[], all: readonly Snapshot[]): Pair | null {
  const [from, to, more] = chosen.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
  if (from === undefined || more !== undefined) return null;
  if (to !== undefined) return { from, to };
  const before = predecessorOf(all, from);
  return before === undefined ? null : { from: before, to: from };
}

function pairInWords(chosen: readonly Snapshot[], pair: Pair | null): string {
  if (pair !== null && chosen.length === 1)
    return `the one before it is ${pair.from.id.slice(0, 8)}; choose a second one to compare with another`;
  return chosen.length === 1 ? "choose a second one to compare" : "selected";
}
