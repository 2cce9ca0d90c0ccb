import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { hostQuery } from "../queries.ts";
import { FormProblem } from "../ui/form-problem.tsx";
import { notANumber, NumberField } from "../ui/number-field.tsx";
import { Panel } from "../ui/panel.tsx";
import styles from "./host.module.css";

/** Caps of every restic call of the machine, in KiB/s; empty is no cap. */
export function BandwidthForm({ host }: { host: Host }) {
  const queryClient = useQueryClient();
  const [up, setUp] = useState<number | string>(host.bandwidth?.upload_kib_per_s ?? "");
  const [down, setDown] = useState<number | string>(host.bandwidth?.download_kib_per_s ?? "");
  const save = useMutation({
    mutationFn: async () => {
      await api.saveBandwidth(host.id, {
        ...(typeof up === "number" ? { upload_kib_per_s: up } : {}),
        ...(typeof down === "number" ? { download_kib_per_s: down } : {}),
      });
      return api.host(host.id);
    },
    onSuccess: (answer) => queryClient.setQueryData(hostQuery(host.id).queryKey, answer),
  });
  const problem = save.error === null ? null : asProblem(save.error);
  const [upWrong, downWrong] = [notANumber(up), notANumber(down)];
  function submit(event: FormEvent) {
    event.preventDefault();
    if (upWrong === null && downWrong === null) save.mutate();
  }
  return (
    <Panel
      title="Bandwidth"
      note="Caps what restic moves on this machine: backups, and all else that reads or writes its repository."
    >
      <form className={styles.form} onSubmit={submit} noValidate>
        <FormProblem problem={problem} />
        <div className={styles.fields}>
          <NumberField
            label="Upload, KiB/s"
            description="Empty: as fast as it goes."
            value={up}
            onChange={setUp}
            error={problem?.fields["upload_kib_per_s"] ?? upWrong}
          />
          <NumberField
            label="Download, KiB/s"
            description="Empty: as fast as it goes."
            value={down}
            onChange={setDown}
            error={problem?.fields["download_kib_per_s"] ?? downWrong}
          />
        </div>
        <div className={styles.inline}>
          <Button type="submit" variant="default" loading={save.isPending}>
            Save bandwidth
          </Button>
          {save.isSuccess && <span role="status">Saved. It holds from the next job on.</span>}
        </div>
      </form>
    </Panel>
  );
}
