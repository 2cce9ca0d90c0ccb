import { Button, Checkbox, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { HooksInput, HooksView } from "@restic-manager/protocol/api/sources";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { hostQuery, sourceGroupsQuery } from "../queries.ts";
import { FormProblem } from "../ui/form-problem.tsx";
import { notANumber, NumberField } from "../ui/number-field.tsx";
import styles from "./sources.module.css";

interface Written {
  pre: string;
  post: string;
  removePre: boolean;
  removePost: boolean;
  timeoutMinutes: number | string;
}

/** As the agent has it when nobody says otherwise (protocol/limits.ts). */
const TIMEOUT_MINUTES = 10;

interface HooksFormProps {
  hostId: string;
  /** Null for the host's own. */
  groupId: string | null;
  stored: HooksView | null;
  onDone: () => void;
}

/** Sets, replaces or takes away hooks. A field that stays empty keeps what is stored, which is never shown. */
export function HooksForm({ hostId, groupId, stored, onDone }: HooksFormProps) {
  const queryClient = useQueryClient();
  const form = useForm<Written>({
    initialValues: {
      pre: "",
      post: "",
      removePre: false,
      removePost: false,
      timeoutMinutes: (stored?.timeout_seconds ?? TIMEOUT_MINUTES * 60) / 60,
    },
    validate: { timeoutMinutes: notANumber },
  });
  const save = useMutation({
    mutationFn: (values: Written) => api.saveHooks(hostId, groupId, inputOf(values)),
    onSuccess: async () => {
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: hostQuery(hostId).queryKey }),
        queryClient.invalidateQueries({ queryKey: sourceGroupsQuery(hostId).queryKey }),
      ]);
      onDone();
    },
    onError: (error) => {
      const { timeout_seconds: timeoutMinutes, ...fields } = asProblem(error).fields;
      form.setErrors({ ...fields, ...(timeoutMinutes === undefined ? {} : { timeoutMinutes }) });
    },
  });
  const slots = [
    {
      name: "pre",
      remove: "removePre",
      label: "Before the backup",
      note: "If it fails, nothing is backed up and the job fails.",
      has: stored?.has_pre === true,
    },
    {
      name: "post",
      remove: "removePost",
      label: "After the backup",
      note: "Runs whatever came of it; RM_JOB_STATUS says what.",
      has: stored?.has_post === true,
    },
  ] as const;
  return (
    <form className={styles.form} onSubmit={form.onSubmit((values) => save.mutate(values))} noValidate>
      <FormProblem problem={save.error === null ? null : asProblem(save.error)} />
      <p className="quiet">
        Run with /bin/sh -c, on Windows with cmd.exe /C, as the agent’s user, with RM_HOST, RM_GROUP,
        RM_JOB_ID and RM_JOB_STATUS. They are stored sealed and never shown again.
      </p>
      <p className="quiet">
        A service that the installer set up writes to few folders and may not become another user; to allow
        more: systemctl edit restic-manager-agent, ReadWritePaths= and CapabilityBoundingSet=.
      </p>
      <div className={styles.pair}>
        {slots.map(({ name, remove, label, note, has }) => (
          <div key={name} className={styles.form}>
            <Textarea
              className={styles.typed}
              label={label}
              description={has ? `${note} Empty keeps the stored one.` : note}
              placeholder={has ? "set, not shown" : ""}
              rows={6}
              spellCheck={false}
              disabled={form.values[remove]}
              {...form.getInputProps(name)}
            />
            {has && (
              <Checkbox
                label={`Remove the hook ${name === "pre" ? "before" : "after"} the backup`}
                {...form.getInputProps(remove, { type: "checkbox" })}
              />
            )}
          </div>
        ))}
      </div>
      <div className={styles.short}>
        <NumberField
          decimal
          label="Time limit, minutes"
          description="Of each. What runs longer is ended with all that it started."
          {...form.getInputProps("timeoutMinutes")}
        />
      </div>
      <div className={styles.send}>
        <Button type="submit" loading={save.isPending}>
          Save hooks
        </Button>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

/** What is left out stays as it is; null takes a hook away. */
function inputOf({ pre, post, removePre, removePost, timeoutMinutes }: Written): HooksInput {
  const body = (text: string, remove: boolean) => (remove ? null : text === "" ? undefined : text);
  return {
    pre: body(pre, removePre),
    post: body(post, removePost),
    ...(typeof timeoutMinutes === "number" ? { timeout_seconds: Math.round(timeoutMinutes * 60) } : {}),
  };
}
