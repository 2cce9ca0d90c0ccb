import { Button, TextInput } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { api } from "../api.ts";
import { countOf } from "../format/numbers.ts";
import { absoluteTime } from "../format/times.ts";
import { AppLink } from "../ui/app-link.tsx";
import { CallProblem } from "../ui/call-problem.tsx";
import { Facts } from "../ui/facts.tsx";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import { ChosenPanel } from "./chosen-panel.tsx";
import { OVERWRITE_WORDS, requestOf, USUAL_FOLDER, type Draft } from "./draft.ts";
import { notUtf8 } from "./picks.ts";
import { Preview } from "./preview.tsx";
import type { StepProps } from "./step.ts";
import styles from "./wizard.module.css";

/** Names that are listed; the rest is counted. */
const ODD_NAMED = 12;

/** The last look: what will happen, tried out if wished, and what has to be typed before it does. */
export function ConfirmStep(props: StepProps) {
  const { host, draft, onDraft, hrefOf } = props;
  const inPlace = draft.target === "in_place";
  const [previewed, setPreviewed] = useState<Draft["target"]>();
  return (
    <div className={styles.columns}>
      <div className={styles.main}>
        <Panel
          title={inPlace ? `Restore in place on ${host.name}` : `Restore to a new folder on ${host.name}`}
          note={
            inPlace
              ? "The chosen files go back to where they were, with their owners."
              : "The chosen files are written below a new folder. Nothing outside of it is touched."
          }
        >
          <div className={styles.stack}>
            <LostBytes {...props} />
            {/* What one target would do says nothing of the other. */}
            <Preview key={draft.target} {...props} onDone={() => setPreviewed(draft.target)} />
            <StartForm {...props} previewed={previewed === draft.target} />
          </div>
        </Panel>
        <div className={styles.nav}>
          <Button
            component={AppLink}
            href={hrefOf("target")}
            variant="subtle"
            leftSection={<IconArrowLeft size={15} />}
          >
            Target
          </Button>
          {inPlace && (
            <span className="quiet">
              Rather look first?{" "}
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => onDraft({ ...draft, target: "folder", delete: false })}
              >
                Restore to a new folder instead
              </Button>
            </span>
          )}
        </div>
      </div>
      <div className={styles.side}>
        <ChosenPanel {...props} />
        <WhatWillHappen {...props} />
      </div>
    </div>
  );
}

function StartForm({ host, snapshot, picks, totals, draft, previewed }: StepProps & { previewed: boolean }) {
  const router = useRouter();
  const queryClient = useQueryClient();
  const inPlace = draft.target === "in_place";
  const deletes = inPlace && draft.delete;
  const [typed, setTyped] = useState("");
  const [typedAgain, setTypedAgain] = useState("");
  const backup =
    host.active_job?.kind === "backup" && host.active_job.state === "running" ? host.active_job : null;
  const start = useMutation({
    async mutationFn(stop: boolean) {
      const request = requestOf({
        snapshotId: snapshot.id,
        picks,
        draft,
        ...(inPlace ? { confirmHost: typed.trim() } : {}),
        ...(deletes ? { confirmDelete: typedAgain.trim() } : {}),
        wait: !host.online,
      });
      const { job } = await api.startRestore(host.id, request);
      // Queued first: it goes before whatever waits, so nothing else begins in between.
      if (stop && backup !== null) await api.cancelJob(backup.id).catch(() => undefined);
      return job;
    },
    onSuccess(job) {
      void queryClient.invalidateQueries({ queryKey: ["restores", host.id] });
      router.history.push(`/jobs/${job.id}`);
    },
  });
  const armed =
    (!inPlace || typed.trim() === host.name) && (!deletes || (typedAgain.trim() === host.name && previewed));
  const what = totals.exact ? countOf(totals.items, "item") : countOf(picks.chosen.size, "chosen thing");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (armed && !start.isPending) start.mutate(false);
  };
  return (
    <form className={styles.stack} onSubmit={submit}>
      {backup !== null && (
        <Notice state="run" icon="running" title={`A backup of ${host.name} is running`}>
          The restore starts when it has ended, before anything else that waits. A backup that is stopped
          loses nothing that is saved; it begins anew at its next time.
        </Notice>
      )}
      {inPlace && (
        <div className={styles.typing}>
          <TextInput
            label={
              <>
                Type <code>{host.name}</code> to restore in place
              </>
            }
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
          />
          {deletes && (
            <TextInput
              label={
                <>
                  Type <code>{host.name}</code> once more to delete what is not in the snapshot
                </>
              }
              value={typedAgain}
              onChange={(event) => setTypedAgain(event.currentTarget.value)}
              description={previewed ? undefined : "First see in the preview what would be deleted."}
              autoComplete="off"
              spellCheck={false}
            />
          )}
        </div>
      )}
      <div className={styles.send}>
        <Button
          type="submit"
          variant={deletes ? "danger" : "filled"}
          disabled={!armed}
          loading={start.isPending}
        >
          {`Restore ${what}${deletes ? " and delete the rest" : ""}${host.online ? "" : ` when ${host.name} is back`}`}
        </Button>
        {backup !== null && (
          <Button
            variant="default"
            disabled={!armed}
            loading={start.isPending}
            onClick={() => start.mutate(true)}
          >
            Stop the backup and restore now
          </Button>
        )}
      </div>
      <CallProblem error={start.error} />
    </form>
  );
}

/** Names that differ only in bytes that are no UTF-8 look the same, and one brings the other (docs/decisions/names-that-restore-exactly.md). */
function LostBytes({ picks, draft }: StepProps) {
  const odd = notUtf8(picks);
  const named = odd.slice(0, ODD_NAMED);
  if (odd.length === 0) return null;
  return (
    <Notice
      state="warn"
      title={`${countOf(odd.length, "chosen name is", "chosen names are")} not UTF-8: more may be restored than was chosen`}
    >
      <p>
        Each � stands for a byte that cannot be shown. If another file or folder beside it has a name that
        differs only in such bytes, it is restored with it
        {draft.target === "in_place" ? ", and what is there of it is written over" : ""}.
      </p>
      <ul className={styles.list}>
        {named.map(({ path }) => (
          <li key={path}>{path}</li>
        ))}
        {odd.length > named.length && <li>and {countOf(odd.length - named.length, "more", "more")}</li>}
      </ul>
    </Notice>
  );
}

function WhatWillHappen({ host, snapshot, draft }: StepProps) {
  const inPlace = draft.target === "in_place";
  return (
    <Panel title="What will happen">
      <Facts
        items={[
          {
            label: "Snapshot",
            value: (
              <>
                <span className="mono">{snapshot.id.slice(0, 8)}</span>,{" "}
                {absoluteTime(Date.parse(snapshot.time))}
              </>
            ),
          },
          { label: "On", value: host.name, mono: true },
          {
            label: "To",
            value: inPlace ? "where they were" : draft.folder.trim() || `${USUAL_FOLDER}…`,
            mono: !inPlace,
          },
          ...(inPlace ? [{ label: "Existing", value: OVERWRITE_WORDS[draft.overwrite].title }] : []),
          { label: "Owners", value: inPlace ? "kept" : "root" },
          ...(inPlace && draft.delete ? [{ label: "Deletes", value: "what is not in the snapshot" }] : []),
          { label: "Verify", value: draft.verify ? "yes, reads all again" : "no" },
          { label: "Audit", value: "host.restore", mono: true },
        ]}
      />
    </Panel>
  );
}
