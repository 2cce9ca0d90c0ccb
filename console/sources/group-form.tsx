import { Button, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Schedule } from "@restic-manager/protocol/api/schedules";
import type { SourceGroup } from "@restic-manager/protocol/api/sources";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { countOf } from "../format/numbers.ts";
import { sourceGroupsQuery } from "../queries.ts";
import { FormProblem } from "../ui/form-problem.tsx";
import { linesOf } from "../ui/line-list.ts";
import { LinkButton } from "../ui/link-button.tsx";
import { notANumber, NumberField } from "../ui/number-field.tsx";
import { Panel } from "../ui/panel.tsx";
import { fieldErrors, inputOf, policyOf, writtenOf, type Written } from "./group-input.ts";
import { DIMENSIONS, retentionWords } from "./retention.ts";
import { retentionConflicts } from "./retention-conflict.ts";
import { RetentionFields } from "./retention-grid.tsx";
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
  const save = useMutation({
    mutationFn: (values: Written) =>
      group === null
        ? api.createGroup(host.id, inputOf(values))
        : api.saveGroup(host.id, group.id, inputOf(values)),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: sourceGroupsQuery(host.id).queryKey });
      router.history.push(back);
    },
    onError: (error, values) => form.setErrors(fieldErrors(asProblem(error).fields, values)),
  });
  const { keep } = form.values;
  const policy = policyOf(keep);
  const conflicts = retentionConflicts(policy, schedules);
  return (
    <Panel
      title={group === null ? "New source group" : <span className="mono">{group.name}</span>}
      note={
        group === null
          ? "What is backed up together, and how long it is kept."
          : "Saved changes reach the machine at once."
      }
    >
      <form className={styles.form} onSubmit={form.onSubmit((values) => save.mutate(values))} noValidate>
        <FormProblem problem={save.error === null ? null : asProblem(save.error)} />
        <TextInput
          className={styles.short}
          classNames={{ input: "mono" }}
          label="Name"
          description={
            group === null
              ? "The tag of its snapshots."
              : "The tag of its snapshots. Those there are keep the name they were made with."
          }
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          {...form.getInputProps("name")}
        />
        <div className={styles.pair}>
          <Textarea
            className={styles.typed}
            label="Includes"
            description={`Folders and files, one absolute path per line. ${countOf(linesOf(form.values.includes).length, "path")}.`}
            rows={8}
            spellCheck={false}
            {...form.getInputProps("includes")}
          />
          <Textarea
            className={styles.typed}
            label="Excludes"
            description="Paths or patterns such as *.tmp, one per line. Empty: nothing is left out."
            rows={8}
            spellCheck={false}
            {...form.getInputProps("excludes")}
          />
        </div>
        <fieldset className={styles.set}>
          <legend>Keep</legend>
          <RetentionFields
            keep={keep}
            onChange={(dimension, value) => form.setFieldValue(`keep.${dimension}`, value)}
            errors={form.errors}
            conflicts={conflicts}
          />
          <p className="quiet">{retentionWords(policy)}</p>
        </fieldset>
        <fieldset className={styles.set}>
          <legend>If a scheduled backup fails for want of the network or for a lock</legend>
          <div className={`${styles.pair} ${styles.short}`}>
            <NumberField
              label="Try again, times"
              description="0: wait for its next time."
              {...form.getInputProps("retryMax")}
            />
            <NumberField
              decimal
              label="First wait, minutes"
              description="Doubled each time, up to half an hour."
              {...form.getInputProps("retryMinutes")}
            />
          </div>
        </fieldset>
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
