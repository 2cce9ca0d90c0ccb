import { Button, TextInput } from "@mantine/core";
import { IconGitCompare, IconTag, IconTrash } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { api } from "../api.ts";
import { countOf } from "../format/numbers.ts";
import { CallProblem } from "../ui/call-problem.tsx";
import { ConfirmByTyping } from "../ui/confirm-by-typing.tsx";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import { predecessorOf } from "./snapshot-list.ts";
import styles from "./snapshots.module.css";

interface ChosenBarProps {
  host: Host;
  chosen: readonly Snapshot[];
  all: readonly Snapshot[];
  onClear: () => void;
}

/** What can be done with chosen snapshots: compare two, change tags, forget. */
export function ChosenBar({ host, chosen, all, onClear }: ChosenBarProps) {
  const router = useRouter();
  const [open, setOpen] = useState<"tags" | "forget" | null>(null);
  const went = (id: string) => router.history.push(`/jobs/${id}`);
  const pair = pairOf(chosen, all);
  const compare = useMutation({
    mutationFn: ({ from, to }: NonNullable<typeof pair>) =>
      api.compare(host.id, { from: from.id, to: to.id, when_offline: host.online ? "refuse" : "wait" }),
    onSuccess: ({ job }) => went(job.id),
  });
  return (
    <Panel
      title={`${countOf(chosen.length, "snapshot")} chosen`}
      note={host.online ? undefined : `${host.name} is offline: what is asked for waits until it is back.`}
      actions={
        <>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconGitCompare size={14} />}
            disabled={pair === null}
            loading={compare.isPending}
            onClick={() => pair !== null && compare.mutate(pair)}
          >
            {chosen.length === 1 ? "Compare with the one before" : "Compare the two"}
          </Button>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconTag size={14} />}
            aria-expanded={open === "tags"}
            onClick={() => setOpen(open === "tags" ? null : "tags")}
          >
            Change tags
          </Button>
          <Button
            size="xs"
            variant="danger"
            leftSection={<IconTrash size={14} />}
            aria-expanded={open === "forget"}
            onClick={() => setOpen(open === "forget" ? null : "forget")}
          >
            Forget
          </Button>
          <Button size="xs" variant="subtle" onClick={onClear}>
            Clear
          </Button>
        </>
      }
    >
      <div className={styles.acts}>
        <p className="quiet">
          {pair === null
            ? chosen.length === 1
              ? "There is no earlier snapshot of the same tags and paths: choose a second one to compare."
              : "Choose one or two to compare."
            : `Compares ${pair.from.id.slice(0, 8)} with the newer ${pair.to.id.slice(0, 8)}.`}
        </p>
        <CallProblem error={compare.error} />
        {open === "tags" && <TagForm host={host} chosen={chosen} onDone={went} />}
        {open === "forget" && (
          <>
            <Notice state="fail" title={`${countOf(chosen.length, "snapshot")} will be gone for good`}>
              There is no way back. The space they take is freed by the next prune. An append-only repository
              refuses this unless credentials that may delete are stored.
            </Notice>
            <ConfirmByTyping
              word={host.name}
              action={`Forget ${countOf(chosen.length, "snapshot")}`}
              onConfirm={async () => {
                const { job } = await api.forgetSnapshots(host.id, {
                  snapshot_ids: chosen.map(({ id }) => id),
                  confirm_host: host.name,
                });
                went(job.id);
              }}
            />
          </>
        )}
      </div>
    </Panel>
  );
}

/** From the older to the newer; one alone is compared with the one before it. */
function pairOf(
  chosen: readonly Snapshot[],
  all: readonly Snapshot[],
): { from: Snapshot; to: Snapshot } | null {
  const [from, to, more] = chosen.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time));
  if (from === undefined || more !== undefined) return null;
  if (to !== undefined) return { from, to };
  const before = predecessorOf(all, from);
  return before === undefined ? null : { from: before, to: from };
}

interface TagFormProps {
  host: Host;
  chosen: readonly Snapshot[];
  onDone: (jobId: string) => void;
}

function TagForm({ host, chosen, onDone }: TagFormProps) {
  const [add, setAdd] = useState("");
  const [remove, setRemove] = useState("");
  const save = useMutation({
    mutationFn: () =>
      api.tagSnapshots(host.id, {
        snapshot_ids: chosen.map(({ id }) => id),
        add: tagsOf(add),
        remove: tagsOf(remove),
      }),
    onSuccess: ({ job }) => onDone(job.id),
  });
  const has = [...new Set(chosen.flatMap(({ tags }) => tags))];
  return (
    <form
      className={styles.tags}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <TextInput
        label="Add tags"
        description="Several with commas."
        value={add}
        onChange={(event) => setAdd(event.currentTarget.value)}
      />
      <TextInput
        label="Take tags away"
        description={has.length === 0 ? "They have none." : `They have ${has.join(", ")}.`}
        value={remove}
        onChange={(event) => setRemove(event.currentTarget.value)}
      />
      <Button
        type="submit"
        loading={save.isPending}
        disabled={tagsOf(add).length + tagsOf(remove).length === 0}
      >
        Change tags of {countOf(chosen.length, "snapshot")}
      </Button>
      <p className="quiet">Retention goes by tags, and a snapshot with other tags gets another id.</p>
      <CallProblem error={save.error} />
    </form>
  );
}

function tagsOf(text: string): string[] {
  return [...new Set(text.split(",").map((tag) => tag.trim()))].filter((tag) => tag !== "");
}
