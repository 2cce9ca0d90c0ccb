import { Button } from "@mantine/core";
import { ApiProblem } from "../api-problem.ts";
import { dayTime } from "../format/day-times.ts";
import { FormProblem } from "./form-problem.tsx";
import { Notice } from "./notice.tsx";
import { useTimeText } from "./ticker.ts";

interface ChangedMeanwhileProps {
  problem: ApiProblem | null;
  /** Verb and object: `save the schedule`. */
  act: string;
  busy: boolean;
  /** Fills the form with what is stored now. */
  onTheirs: () => void;
  /** Saves what is in the form over the version that is stored now. */
  onMine: (version: number) => void;
}

/** Why a form was not accepted; when somebody else was faster, whose is to count. What was written stays until one of them is chosen. */
export function ChangedMeanwhile({ problem, act, busy, onTheirs, onMine }: ChangedMeanwhileProps) {
  const newest = problem?.newest;
  const changed = newest?.changed ?? null;
  const when = useTimeText((now) => (changed === null ? "" : dayTime(Date.parse(changed.at), now)));
  if (newest === undefined) return <FormProblem problem={problem} />;
  return (
    <Notice
      state="fail"
      takesFocus
      title={`Could not ${act}: ${changed === null ? "somebody changed it" : `${changed.by} changed it at ${when}`}`}
      actions={
        <>
          <Button size="xs" variant="default" disabled={busy} onClick={onTheirs}>
            Load theirs
          </Button>
          <Button size="xs" variant="default" loading={busy} onClick={() => onMine(newest.version)}>
            Save mine over it
          </Button>
        </>
      }
    >
      Yours stays in this form until you choose.
    </Notice>
  );
}
