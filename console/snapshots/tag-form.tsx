import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { api } from "../api.ts";
import { countOf } from "../format/numbers.ts";
import { CallProblem } from "../ui/call-problem.tsx";
import styles from "./snapshots.module.css";

interface TagFormProps {
  host: Host;
  chosen: readonly Snapshot[];
  onDone: (jobId: string) => void;
  onCancel: () => void;
}

/** Gives snapshots other tags: some more, some fewer. */
export function TagForm({ host, chosen, onDone, onCancel }: TagFormProps) {
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
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
  const has = [...new Set(chosen.flatMap(({ tags }) => tags))].toSorted();
  const what = countOf(chosen.length, "snapshot");
  return (
    <form
      aria-label={`Tags of ${what}`}
      className={styles.tags}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <TextInput
        label="Add tags"
        description="Several with commas."
        autoComplete="off"
        ref={first}
        value={add}
        onChange={(event) => setAdd(event.currentTarget.value)}
      />
      <TextInput
        label="Take tags away"
        description={has.length === 0 ? "They have none." : `They have ${has.join(", ")}.`}
        autoComplete="off"
        value={remove}
        onChange={(event) => setRemove(event.currentTarget.value)}
      />
      <p className="quiet">
        Retention goes by tags: with another tag a snapshot may go with the next forget, or stay. With other
        tags it also gets another ID.
      </p>
      <div className={styles.verbs}>
        <Button
          type="submit"
          size="xs"
          loading={save.isPending}
          disabled={tagsOf(add).length + tagsOf(remove).length === 0}
        >
          Change tags of {what}
        </Button>
        <Button size="xs" variant="subtle" onClick={onCancel}>
          Cancel
        </Button>
      </div>
      <CallProblem error={save.error} />
    </form>
  );
}

/** What was typed, apart: each tag once. */
function tagsOf(text: string): string[] {
  return [...new Set(text.split(",").map((tag) => tag.trim()))].filter((tag) => tag !== "");
}
