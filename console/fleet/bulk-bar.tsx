import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { HostRow } from "@restic-manager/protocol/api/hosts";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { countOf } from "../format/numbers.ts";
import styles from "./bulk-bar.module.css";
import type { RunNow } from "./run-now.ts";

interface BulkBarProps {
  ids: ReadonlySet<string>;
  /** Those of them that are loaded. */
  hosts: readonly HostRow[];
  run: RunNow;
  onClear: () => void;
}

/** What can be done with the chosen hosts at once; it floats over the page and moves nothing. */
export function BulkBar({ ids, hosts, run, onClear }: BulkBarProps) {
  const [reason, setReason] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const chosen = [...ids];
  const away = hosts.filter((host) => !host.online).length;
  const paused = hosts.filter((host) => (host.paused ?? null) !== null);
  const start = useMutation({
    mutationFn: () => run.runMany(chosen),
    onSuccess: (queued) => setSaid(outcome(queued, chosen.length, "queued", "see their rows")),
  });
  const pause = useMutation({
    mutationFn: async (text: string) => eachOf(chosen, (id) => api.pauseHost(id, { reason: text })),
    onSuccess: ({ done, why }) => {
      setSaid(outcome(done, chosen.length, "paused", why));
      if (done > 0) setReason(null);
    },
  });
  const resume = useMutation({
    mutationFn: () =>
      eachOf(
        paused.map((host) => host.id),
        (id) => api.resumeHost(id),
      ),
    onSuccess: ({ done, why }) => setSaid(outcome(done, paused.length, "resumed", why)),
  });
  const what = countOf(chosen.length, "host");
  return (
    <section className={styles.bar} aria-label="Selected hosts">
      <p className={styles.words}>
        <b>{what}</b>{" "}
        <span className="quiet" role="status">
          {said !== "" ? said : away > 0 ? `${away} offline: backed up when back` : "selected"}
        </span>
      </p>
      {reason === null ? (
        <div className={styles.verbs}>
          <Button size="xs" loading={start.isPending} onClick={() => start.mutate()}>
            Back up {what}
          </Button>
          <Button size="xs" variant="default" onClick={() => setReason("")}>
            Pause…
          </Button>
          {paused.length > 0 && (
            <Button size="xs" variant="default" loading={resume.isPending} onClick={() => resume.mutate()}>
              Resume {paused.length}
            </Button>
          )}
          <Button size="xs" variant="subtle" onClick={onClear}>
            Clear
          </Button>
        </div>
      ) : (
        <form
          className={styles.verbs}
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (reason.trim() !== "") pause.mutate(reason.trim());
          }}
        >
          <TextInput
            size="xs"
            className={styles.reason}
            aria-label="Why they are paused"
            placeholder="Why they are paused"
            autoComplete="off"
            value={reason}
            onChange={({ currentTarget }) => setReason(currentTarget.value)}
          />
          <Button type="submit" size="xs" loading={pause.isPending} disabled={reason.trim() === ""}>
            Pause {what}
          </Button>
          <Button size="xs" variant="subtle" onClick={() => setReason(null)}>
            Cancel
          </Button>
        </form>
      )}
    </section>
  );
}

/** One after the other: a server is not stormed for a fleet. Answers how many went well, and why the first did not. */
async function eachOf(ids: readonly string[], act: (id: string) => Promise<unknown>) {
  let done = 0;
  let why = "";
  for (const id of ids) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- see above
      await act(id);
      done += 1;
    } catch (error) {
      if (why === "") why = asProblem(error).message;
    }
  }
  return { done, why };
}

function outcome(done: number, all: number, word: string, why: string): string {
  return done === all ? `${done} ${word}` : `${done} ${word}, ${all - done} not: ${why}`;
}
