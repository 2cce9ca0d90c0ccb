import type { MaintenanceProgress } from "@restic-manager/protocol/jobs/exclusive";
import { Panel } from "../ui/panel.tsx";
import { ProgressLine } from "../ui/progress-line.tsx";

/** A job under way of which restic tells nothing but that it works, or why it waits. */
export function MaintenanceProgressPanel(props: {
  label: string;
  doing: string;
  progress: MaintenanceProgress | null;
}) {
  const cause = props.progress?.waiting_cause;
  return (
    <Panel>
      <ProgressLine fraction={null} label={props.label} tall />
      <p className="quiet">{cause === undefined ? props.doing : `It waits: ${cause}.`}</p>
    </Panel>
  );
}
