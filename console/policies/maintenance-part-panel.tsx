import { Checkbox } from "@mantine/core";
import type { RepoMaintenanceInput } from "@restic-manager/protocol/api/maintenance";
import { MaintenanceFields } from "../repository/maintenance-fields.tsx";
import type { Written } from "../repository/maintenance-input.ts";
import { UPKEEP_WORDS } from "../repository/upkeep-words.ts";
import { Panel } from "../ui/panel.tsx";
import type { MaintenancePart } from "./template-input.ts";
import styles from "./policies.module.css";

interface MaintenancePartPanelProps {
  /** Null: each host keeps its own. */
  part: MaintenancePart | null;
  errors: Partial<Record<keyof Written, string>>;
  onChange: (part: MaintenancePart | null) => void;
}

/** Nightly forget; prune and check once a week on different days, after each other. */
const USUAL: MaintenancePart = {
  enabled: { forget: true, prune: true, check: true },
  written: { forget: "30 2 * * *", prune: "30 3 * * 0", check: "30 4 * * 3", percent: 1 },
};

/** When the repositories of the hosts are looked after, or that each host says so itself. */
export function MaintenancePartPanel({ part, errors, onChange }: MaintenancePartPanelProps) {
  return (
    <Panel
      title="Maintenance"
      note="Forget, prune and check run in each host’s own time zone. Hosts that share a repository take turns."
    >
      <div className={styles.part}>
        <Checkbox
          label="The template says when"
          description={part === null ? "Each host keeps its own times." : undefined}
          checked={part !== null}
          onChange={({ currentTarget }) => onChange(currentTarget.checked ? USUAL : null)}
        />
        {part !== null && (
          <>
            <MaintenanceFields
              written={part.written}
              errors={errors}
              onChange={(change) => onChange({ ...part, written: { ...part.written, ...change } })}
            />
            <fieldset className={styles.set}>
              <legend>By itself</legend>
              <div className={styles.boxes}>
                {KINDS.map((kind) => (
                  <Checkbox
                    key={kind}
                    label={UPKEEP_WORDS[kind].name}
                    checked={part.enabled[kind]}
                    onChange={({ currentTarget }) =>
                      onChange({ ...part, enabled: { ...part.enabled, [kind]: currentTarget.checked } })
                    }
                  />
                ))}
              </div>
            </fieldset>
          </>
        )}
      </div>
    </Panel>
  );
}
const KINDS = ["forget", "prune", "check"] as const satisfies readonly (keyof RepoMaintenanceInput)[];
