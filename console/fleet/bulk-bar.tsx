import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { HostRow } from "@restic-manager/protocol/api/hosts";
import type { PausedHosts } from "@restic-manager/protocol/api/schedules";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { countOf } from "../format/numbers.ts";
import { FloatingBar } from "../ui/floating-bar.tsx";
import styles from "./bulk-bar.module.css";
import { ChooseTemplate } from "./choose-template.tsx";
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
  const [doing, setDoing] = useState<"pause" | "template" | null>(null);
  const [reason, setReason] = useState("");
  const [said, setSaid] = useState("");
  const chosen = [...ids];
  const away = hosts.filter((host) => !host.online).length;
  const paused = hosts.filter((host) => (host.paused ?? null) !== null);
  const start = useMutation({
    mutationFn: () => run.runMany(chosen),
    onSuccess: (queued) => setSaid(outcome(queued, chosen.length, "queued", "see their rows")),
  });
  const pause = useMutation({
    mutationFn: (text: string) => api.pauseHosts(chosen, text),
    onSuccess: ({ items }) => {
      const { done, why } = counted(items);
      setSaid(outcome(done, chosen.length, "paused", why));
      if (done > 0) setDoing(null);
    },
    onError: (error) => setSaid(asProblem(error).message),
  });
  const resume = useMutation({
    mutationFn: () =>
      api.pauseHosts(
        paused.map((host) => host.id),
        null,
      ),
    onSuccess: ({ items }) => {
      const { done, why } = counted(items);
      setSaid(outcome(done, items.length, "resumed", why));
    },
    onError: (error) => setSaid(asProblem(error).message),
  });
  const what = countOf(chosen.length, "host");
  return (
    <FloatingBar
      label="Selected hosts"
      words={
        <>
          <b>{what}</b>{" "}
          <span className="quiet" role="status">
            {said !== "" ? said : away > 0 ? `${away} offline: backed up when back` : "selected"}
          </span>
        </>
      }
    >
      {doing === "template" ? (
        <ChooseTemplate ids={chosen} onCancel={() => setDoing(null)} />
      ) : doing === null ? (
        <div className={styles.verbs}>
          <Button size="xs" loading={start.isPending} onClick={() => start.mutate()}>
            Back up {what}
          </Button>
          <Button size="xs" variant="default" onClick={() => setDoing("pause")}>
            Pause…
          </Button>
          <Button size="xs" variant="default" onClick={() => setDoing("template")}>
            Apply template…
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
          <Button size="xs" variant="subtle" onClick={() => setDoing(null)}>
            Cancel
          </Button>
        </form>
      )}
    </FloatingBar>
  );
}

/** How many went well, and why the first of the others did not. */
function counted(items: PausedHosts["items"]) {
  const refused = items.find((item) => item.outcome === "refused");
  return {
    done: items.filter((item) => item.outcome === "done").length,
    why: refused === undefined ? "" : refused.problem.message,
  };
}

function outcome(done: number, all: number, word: string, why: string): string {
  return done === all ? `${done} ${word}` : `${done} ${word}, ${all - done} not: ${why}`;
}
