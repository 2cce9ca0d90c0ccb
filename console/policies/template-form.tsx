import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import type { Template } from "@restic-manager/protocol/api/templates";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { templatesQuery } from "../queries.ts";
import { ChangedMeanwhile } from "../ui/changed-meanwhile.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { notANumber } from "../ui/number-field.tsx";
import { Panel } from "../ui/panel.tsx";
import { DIMENSIONS } from "../sources/retention.ts";
import { GroupPartPanel } from "./group-part-panel.tsx";
import { MaintenancePartPanel } from "./maintenance-part-panel.tsx";
import styles from "./policies.module.css";
import { SchedulePartPanel } from "./schedule-part-panel.tsx";
import {
  errorsOf,
  inputOf,
  newGroup,
  newSchedule,
  writtenOf,
  type Errors,
  type GroupPart,
  type SchedulePart,
  type Written,
} from "./template-input.ts";

interface TemplateFormProps {
  /** Null for a new one. */
  template: Template | null;
  /** What a new one begins with. */
  start?: Pick<Template, "name" | "content">;
}

const NO_ERRORS: Errors = { parts: new Map() };

/** Everything a template says; what the server refuses is said at the field, and what was written stays. */
export function TemplateForm({ template, start }: TemplateFormProps) {
  const router = useRouter();
  const queryClient = useQueryClient();
  const [written, setWritten] = useState<Written>(() => writtenOf(template ?? start ?? null));
  const [errors, setErrors] = useState<Errors>(NO_ERRORS);
  const [version, setVersion] = useState(template?.version);
  const back = template === null ? "/policies" : `/policies/${template.id}`;
  const save = useMutation({
    mutationFn: ({ over }: { over?: number }) =>
      template === null
        ? api.createTemplate(inputOf(written))
        : api.saveTemplate(template.id, { ...inputOf(written), version: over ?? version }),
    onSuccess: async (saved) => {
      await queryClient.invalidateQueries({ queryKey: templatesQuery.queryKey });
      router.history.push(`/policies/${saved.id}`);
    },
    onError: (error) => setErrors(errorsOf(asProblem(error).fields, written)),
  });
  const theirs = useMutation({
    mutationFn: (id: string) => api.template(id),
    onSuccess: (stored) => {
      setWritten(writtenOf(stored));
      setVersion(stored.version);
      setErrors(NO_ERRORS);
      save.reset();
    },
  });

  const changeGroup = (part: GroupPart) =>
    setWritten({ ...written, groups: written.groups.map((one) => (one.key === part.key ? part : one)) });
  const changeSchedule = (part: SchedulePart) =>
    setWritten({
      ...written,
      schedules: written.schedules.map((one) => (one.key === part.key ? part : one)),
    });
  function submit(event: FormEvent) {
    event.preventDefault();
    const wrong = numbersIn(written);
    setErrors(wrong);
    if (wrong.parts.size === 0 && wrong.maintenance === undefined) save.mutate({});
  }

  return (
    <form className={styles.form} noValidate onSubmit={submit}>
      <ChangedMeanwhile
        problem={save.error === null ? null : asProblem(save.error)}
        act="save the template"
        busy={save.isPending || theirs.isPending}
        onTheirs={() => template !== null && theirs.mutate(template.id)}
        onMine={(over) => save.mutate({ over })}
      />
      <Panel>
        <TextInput
          className={styles.short}
          label="Name of the template"
          placeholder="Web servers"
          autoComplete="off"
          value={written.name}
          onChange={({ currentTarget }) => setWritten({ ...written, name: currentTarget.value })}
          error={errors.name}
        />
      </Panel>
      {errors.whole !== undefined && (
        <p role="alert" className={styles.error}>
          {errors.whole}
        </p>
      )}
      {written.groups.map((part) => (
        <GroupPartPanel
          key={part.key}
          part={part}
          firing={written.schedules.filter(({ groups, enabled }) => enabled && groups.includes(part.key))}
          errors={errors.parts.get(part.key) ?? {}}
          onChange={changeGroup}
          {...(written.groups.length === 1
            ? {}
            : {
                onRemove: () =>
                  setWritten({
                    ...written,
                    groups: written.groups.filter(({ key }) => key !== part.key),
                    schedules: written.schedules.map((schedule) => ({
                      ...schedule,
                      groups: schedule.groups.filter((key) => key !== part.key),
                    })),
                  }),
              })}
        />
      ))}
      <div>
        <Button
          variant="default"
          onClick={() =>
            setWritten({
              ...written,
              groups: [...written.groups, newGroup(written.next)],
              next: written.next + 1,
            })
          }
        >
          Add source group
        </Button>
      </div>
      {written.schedules.map((part) => (
        <SchedulePartPanel
          key={part.key}
          part={part}
          groups={written.groups}
          errors={errors.parts.get(part.key) ?? {}}
          onChange={changeSchedule}
          onRemove={() =>
            setWritten({ ...written, schedules: written.schedules.filter(({ key }) => key !== part.key) })
          }
        />
      ))}
      <div>
        <Button
          variant="default"
          onClick={() =>
            setWritten({
              ...written,
              schedules: [
                ...written.schedules,
                newSchedule(
                  written.next,
                  written.groups.map(({ key }) => key),
                ),
              ],
              next: written.next + 1,
            })
          }
        >
          Add schedule
        </Button>
      </div>
      <MaintenancePartPanel
        part={written.maintenance}
        errors={errors.maintenance ?? {}}
        onChange={(maintenance) => setWritten({ ...written, maintenance })}
      />
      <div className={styles.send}>
        <Button type="submit" loading={save.isPending}>
          {template === null ? "Add template" : "Save template"}
        </Button>
        <LinkButton variant="default" href={back}>
          Cancel
        </LinkButton>
        <p className="quiet">Hosts change when it is applied to them, not before.</p>
      </div>
    </form>
  );
}

/** Number fields that hold none, which the request would leave out in silence. */
function numbersIn({ groups, schedules, maintenance }: Written): Errors {
  const parts = new Map<number, Record<string, string>>();
  const look = (key: number, field: string, value: number | string) => {
    const wrong = notANumber(value);
    if (wrong !== null) parts.set(key, { ...parts.get(key), [field]: wrong });
  };
  for (const { key, written } of groups) {
    for (const dimension of DIMENSIONS) look(key, `keep.${dimension}`, written.keep[dimension]);
    look(key, "retryMax", written.retryMax);
    look(key, "retryMinutes", written.retryMinutes);
  }
  for (const { key, spreadMinutes } of schedules) look(key, "spreadMinutes", spreadMinutes);
  const percent = maintenance === null ? null : notANumber(maintenance.written.percent);
  return { parts, ...(percent === null ? {} : { maintenance: { percent } }) };
}
