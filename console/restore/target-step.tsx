import { Button, Checkbox, Radio, TextInput } from "@mantine/core";
import { IconArrowLeft, IconArrowRight } from "@tabler/icons-react";
import { useId } from "react";
import type { OverwriteMode } from "@restic-manager/protocol/jobs/restore";
import { AppLink } from "../ui/app-link.tsx";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import { ChosenPanel } from "./chosen-panel.tsx";
import { folderProblem, OVERWRITE_WORDS, USUAL_FOLDER, type Draft } from "./draft.ts";
import type { StepProps } from "./step.ts";
import styles from "./wizard.module.css";

/** Where the files go, and what happens to those that are there. */
export function TargetStep(props: StepProps) {
  const { host, draft, onDraft, hrefOf } = props;
  const wrong = draft.target === "folder" ? folderProblem(draft.folder.trim()) : null;
  return (
    <div className={styles.columns}>
      <div className={styles.main}>
        <Panel
          title="Where should the files go?"
          note={`Everything is written on ${host.name}, by its own agent.`}
        >
          <div className={styles.stack}>
            <fieldset className={styles.set}>
              <legend className="visually-hidden">Target</legend>
              <Choice
                chosen={draft.target === "folder"}
                title="To a new folder"
                note="Nothing that is on the host is touched. The files belong to root; who owned them is not kept."
                onChoose={() => onDraft({ ...draft, target: "folder" })}
              >
                <TextInput
                  className={styles.field}
                  label="Folder"
                  placeholder={`${USUAL_FOLDER}…`}
                  description={
                    <>
                      Empty: a folder of its own below <code>{USUAL_FOLDER}</code>, named like the job.
                      Another one has to be new or empty, and writable for the agent.
                    </>
                  }
                  value={draft.folder}
                  error={wrong}
                  onChange={(event) => onDraft({ ...draft, folder: event.currentTarget.value })}
                  spellCheck={false}
                  autoComplete="off"
                />
              </Choice>
              <Choice
                chosen={draft.target === "in_place"}
                title="In place"
                note="The files go back to where they were, with their owners and rights. What is there may be overwritten."
                onChoose={() => onDraft({ ...draft, target: "in_place" })}
              >
                <Overwrite draft={draft} onDraft={onDraft} />
                <Checkbox
                  label="Delete what is in the chosen folders and not in the snapshot"
                  description="So that they are afterwards exactly as they were. Asked for a second time, after a preview."
                  checked={draft.delete}
                  onChange={(event) => onDraft({ ...draft, delete: event.currentTarget.checked })}
                />
                {draft.delete && (
                  <Notice state="warn" title="Files that came after the snapshot will be gone">
                    That includes files which were never backed up, such as those a backup leaves out.
                  </Notice>
                )}
              </Choice>
            </fieldset>
            <fieldset className={styles.set}>
              <legend>Also</legend>
              <Checkbox
                label="Verify"
                description="Reads every restored file again and compares it with the snapshot. Takes about as long again."
                checked={draft.verify}
                onChange={(event) => onDraft({ ...draft, verify: event.currentTarget.checked })}
              />
              <Checkbox
                label="Sparse files"
                description="Long runs of zeros take no room on the disk: for images of virtual machines."
                checked={draft.sparse}
                onChange={(event) => onDraft({ ...draft, sparse: event.currentTarget.checked })}
              />
            </fieldset>
          </div>
        </Panel>
        <div className={styles.nav}>
          <Button
            component={AppLink}
            href={hrefOf("files")}
            variant="subtle"
            leftSection={<IconArrowLeft size={15} />}
          >
            Files
          </Button>
          {wrong === null ? (
            <Button component={AppLink} href={hrefOf("confirm")} rightSection={<IconArrowRight size={15} />}>
              Continue to the last look
            </Button>
          ) : (
            <Button disabled>Correct the folder first</Button>
          )}
        </div>
      </div>
      <div className={styles.side}>
        <ChosenPanel {...props} />
      </div>
    </div>
  );
}

interface ChoiceProps {
  chosen: boolean;
  title: string;
  note: string;
  onChoose: () => void;
  children: React.ReactNode;
}

/** One of the two ways; what it asks for besides opens with it. */
function Choice({ chosen, title, note, onChoose, children }: ChoiceProps) {
  const name = useId();
  return (
    <div className={styles.choice} data-chosen={chosen || undefined}>
      <Radio
        aria-labelledby={`${name}-title`}
        aria-describedby={`${name}-note`}
        checked={chosen}
        onChange={onChoose}
        name="target"
      />
      {/* The radio button is what keys and readers use; its words may be pressed as well. */}
      {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions */}
      <div onClick={onChoose}>
        <h3 id={`${name}-title`}>{title}</h3>
        <p id={`${name}-note`} className="quiet">
          {note}
        </p>
      </div>
      {chosen && <div className={styles.more}>{children}</div>}
    </div>
  );
}

function Overwrite({ draft, onDraft }: { draft: Draft; onDraft: (draft: Draft) => void }) {
  const modes = Object.entries(OVERWRITE_WORDS) as [OverwriteMode, { title: string; note: string }][];
  return (
    <fieldset className={styles.set}>
      <legend>Files that exist already</legend>
      {modes.map(([mode, { title, note }]) => (
        <Radio
          key={mode}
          name="overwrite"
          label={title}
          description={note}
          checked={draft.overwrite === mode}
          onChange={() => onDraft({ ...draft, overwrite: mode })}
        />
      ))}
    </fieldset>
  );
}
