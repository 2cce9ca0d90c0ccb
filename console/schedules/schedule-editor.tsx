import { Button, Checkbox } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Schedule } from "@restic-manager/protocol/api/schedules";
import type { SourceGroup } from "@restic-manager/protocol/api/sources";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { RunOffer } from "../host/run-offer.tsx";
import { schedulesQuery } from "../queries.ts";
import { CallProblem } from "../ui/call-problem.tsx";
import { ConfirmInPlace } from "../ui/confirm-in-place.tsx";
import { FormProblem } from "../ui/form-problem.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { notANumber, NumberField } from "../ui/number-field.tsx";
import { Panel } from "../ui/panel.tsx";
import { CronField } from "./cron-field.tsx";
import { cronWords } from "./cron-words.ts";
import { fieldErrors, inputOf, writtenOf, type Written } from "./schedule-form.ts";
import styles from "./schedules.module.css";

interface ScheduleEditorProps {
  host: Host;
  /** Null for a new one. */
  schedule: Schedule | null;
  groups: readonly SourceGroup[];
}

/** When a schedule fires and what; what the server refuses is said at the field, and what was written stays. */
export function ScheduleEditor({ host, schedule, groups }: ScheduleEditorProps) {
  const router = useRouter();
  const queryClient = useQueryClient();
  const [written, setWritten] = useState<Written>(() => writtenOf(schedule, groups));
  const [errors, setErrors] = useState<Partial<Record<keyof Written, string>>>({});
  const back = `/hosts/${host.id}?tab=schedules`;
  const leave = async () => {
    await queryClient.invalidateQueries({ queryKey: schedulesQuery(host.id).queryKey });
    router.history.push(back);
  };
  const save = useMutation({
    mutationFn: () =>
      schedule === null
        ? api.createSchedule(host.id, inputOf(written, true))
        : api.saveSchedule(host.id, schedule.id, inputOf(written, schedule.enabled)),
    onSuccess: leave,
    onError: (error) => setErrors(fieldErrors(asProblem(error).fields)),
  });
  const change = (changed: Partial<Written>) => {
    setWritten({ ...written, ...changed });
    const left = Object.entries(errors).filter(([field]) => !(field in changed));
    setErrors(Object.fromEntries(left));
  };
  return (
    <Panel
      title={schedule === null ? "New schedule" : "Schedule"}
      {...(schedule === null
        ? {}
        : {
            actions: (
              <RunOffer
                host={host}
                what={`what “${cronWords(schedule.cron)}” fires`}
                run={async (when_offline) =>
                  (await api.runSchedule(host.id, schedule.id, { when_offline })).jobs
                }
              />
            ),
          })}
    >
      <form
        className={styles.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const wrong = notANumber(written.spreadMinutes);
          if (wrong === null) save.mutate();
          else setErrors({ spreadMinutes: wrong });
        }}
      >
        <FormProblem problem={save.error === null ? null : asProblem(save.error)} />
        <CronField host={host} written={written} onChange={change} errors={errors} />
        <fieldset className={styles.set}>
          <legend>Source groups</legend>
          <div className={styles.boxes}>
            {groups.map((group) => (
              <Checkbox
                key={group.id}
                label={<span className="mono">{group.name}</span>}
                checked={written.groups.includes(group.id)}
                onChange={({ currentTarget }) =>
                  change({
                    groups: currentTarget.checked
                      ? [...written.groups, group.id]
                      : written.groups.filter((id) => id !== group.id),
                  })
                }
              />
            ))}
          </div>
          {errors.groups !== undefined && (
            <p role="alert" className={styles.error}>
              {errors.groups}
            </p>
          )}
        </fieldset>
        <NumberField
          decimal
          label="Spread, minutes"
          description="Fires up to so much later, each host at its own moment, so that a fleet does not start at once."
          value={written.spreadMinutes}
          onChange={(spreadMinutes) => change({ spreadMinutes })}
          error={errors.spreadMinutes}
        />
        <div className={styles.send}>
          {schedule === null ? <span /> : <Remove host={host} schedule={schedule} onDone={leave} />}
          <LinkButton variant="default" href={back}>
            Cancel
          </LinkButton>
          <Button type="submit" loading={save.isPending}>
            {schedule === null ? "Add schedule" : "Save"}
          </Button>
        </div>
      </form>
    </Panel>
  );
}

interface RemoveProps {
  host: Host;
  schedule: Schedule;
  onDone: () => Promise<void>;
}

function Remove({ host, schedule, onDone }: RemoveProps) {
  const remove = useMutation({
    mutationFn: () => api.deleteSchedule(host.id, schedule.id),
    onSuccess: onDone,
  });
  return (
    <span>
      <ConfirmInPlace
        key={String(remove.failureCount)}
        size="sm"
        action="Delete this schedule"
        short="Delete"
        consequence="Its jobs and snapshots stay."
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      />
      <CallProblem error={remove.error} />
    </span>
  );
}
