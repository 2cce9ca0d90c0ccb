import { Button } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Schedule } from "@restic-manager/protocol/api/schedules";
import type { SourceGroup } from "@restic-manager/protocol/api/sources";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { sourceGroupsQuery } from "../queries.ts";
import { ChangedMeanwhile } from "../ui/changed-meanwhile.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { notANumber } from "../ui/number-field.tsx";
import { Panel } from "../ui/panel.tsx";
import { fieldErrors, inputOf, policyOf, writtenOf, type Written } from "./group-input.ts";
import { ForgetPreview } from "./forget-preview.tsx";
import { GroupFields } from "./group-fields.tsx";
import { DIMENSIONS } from "./retention.ts";
import { retentionConflicts } from "./retention-conflict.ts";
import styles from "./sources.module.css";

interface GroupFormProps {
  host: Host;
  /** Null for a new one. */
  group: SourceGroup | null;
  /** That are on and fire it. */
  schedules: readonly Schedule[];
}

/** What a group backs up and how long it keeps it; what the server refuses is said at the field, and what was written stays. */
export function GroupForm({ host, group, schedules }: GroupFormProps) {
  const router = useRouter();
  const queryClient = useQueryClient();
  const back = `/hosts/${host.id}?tab=sources`;
  const form = useForm<Written>({
    initialValues: writtenOf(group),
    validate: {
      keep: Object.fromEntries(DIMENSIONS.map((dimension) => [dimension, notANumber])),
      retryMax: notANumber,
      retryMinutes: notANumber,
    },
  });
  // The one that is edited, whatever the list says meanwhile.
  const [version, setVersion] = useState(group?.version);
  const save = useMutation({
    mutationFn: ({ values, over }: { values: Written; over?: number }) =>
      group === null
        ? api.createGroup(host.id, inputOf(values))
        : api.saveGroup(host.id, group.id, { ...inputOf(values), version: over ?? version }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: sourceGroupsQuery(host.id).queryKey });
      router.history.push(back);
    },
    onError: (error, { values }) => form.setErrors(fieldErrors(asProblem(error).fields, values)),
  });
  const theirs = useMutation({
    mutationFn: () => api.sourceGroups(host.id),
    onSuccess: ({ items }) => {
      const stored = items.find(({ id }) => id === group?.id);
      if (stored === undefined) return;
      form.setValues(writtenOf(stored));
      setVersion(stored.version);
      save.reset();
    },
  });
  const conflicts = retentionConflicts(policyOf(form.values.keep), schedules);
  return (
    <Panel
      title={group === null ? "New source group" : <span className="mono">{group.name}</span>}
      note={
        group === null
          ? "What is backed up together, and how long it is kept."
          : "Saved changes reach the machine at once."
      }
    >
      <form className={styles.form} onSubmit={form.onSubmit((values) => save.mutate({ values }))} noValidate>
        <ChangedMeanwhile
          problem={save.error === null ? null : asProblem(save.error)}
          act="save the source group"
          busy={save.isPending || theirs.isPending}
          onTheirs={() => theirs.mutate()}
          onMine={(over) => save.mutate({ values: form.values, over })}
        />
        <GroupFields
          written={form.values}
          onChange={(field, value) => form.setFieldValue(field, value)}
          errors={form.errors}
          conflicts={conflicts}
          policyAction={
            group !== null && (
              <ForgetPreview host={host} groupId={group.id} policy={policyOf(form.values.keep)} />
            )
          }
          nameNote={
            group === null
              ? "The tag of its snapshots."
              : "The tag of its snapshots. Those there are keep the name they were made with."
          }
        />
        <div className={styles.send}>
          <Button type="submit" loading={save.isPending}>
            {group === null ? "Add source group" : "Save"}
          </Button>
          <LinkButton variant="default" href={back}>
            Cancel
          </LinkButton>
        </div>
      </form>
    </Panel>
  );
}
