import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import type { RepoMaintenance } from "@restic-manager/protocol/api/maintenance";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { repositoryQuery } from "../queries.ts";
import { FormProblem } from "../ui/form-problem.tsx";
import { notANumber } from "../ui/number-field.tsx";
import { MaintenanceFields } from "./maintenance-fields.tsx";
import { fieldErrors, inputOf, withWritten, writtenOf, type Written } from "./maintenance-input.ts";
import styles from "./repository.module.css";

interface MaintenanceFormProps {
  hostId: string;
  maintenance: RepoMaintenance;
  onDone: () => void;
}

/** The times of the three; what the server refuses is said at the field, and what was written stays. */
export function MaintenanceForm({ hostId, maintenance, onDone }: MaintenanceFormProps) {
  const queryClient = useQueryClient();
  const [written, setWritten] = useState<Written>(() => writtenOf(inputOf(maintenance)));
  const [errors, setErrors] = useState<Partial<Record<keyof Written, string>>>({});
  const save = useMutation({
    mutationFn: () => api.saveMaintenance(hostId, withWritten(inputOf(maintenance), written)),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: repositoryQuery(hostId).queryKey });
      onDone();
    },
    onError: (error) => setErrors(fieldErrors(asProblem(error).fields)),
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    const wrong = written.percent === "" ? "Enter a number" : notANumber(written.percent);
    if (wrong === null) save.mutate();
    else setErrors({ percent: wrong });
  }
  return (
    <form className={styles.form} noValidate onSubmit={submit}>
      <FormProblem problem={save.error === null ? null : asProblem(save.error)} />
      <MaintenanceFields
        written={written}
        errors={errors}
        onChange={(change) => {
          setWritten({ ...written, ...change });
          setErrors({});
        }}
      />
      <div className={styles.send}>
        <Button type="submit" loading={save.isPending}>
          Save the times
        </Button>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
