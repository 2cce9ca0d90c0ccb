import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { useState, type FormEvent } from "react";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { hostQuery } from "../queries.ts";
import { Panel } from "../ui/panel.tsx";
import styles from "./host.module.css";

/** The name under which the machine stands here; the machine itself keeps its own. */
export function RenameForm({ host }: { host: Host }) {
  const queryClient = useQueryClient();
  const [name, setName] = useState(host.name);
  const rename = useMutation({
    mutationFn: () => api.patchHost(host.id, { name: name.trim() }),
    onSuccess: (answer) => queryClient.setQueryData(hostQuery(host.id).queryKey, answer),
  });
  const problem = rename.error === null ? null : asProblem(rename.error);
  function submit(event: FormEvent) {
    event.preventDefault();
    rename.mutate();
  }
  return (
    <Panel title="Name">
      <form className={styles.beside} onSubmit={submit} noValidate>
        <TextInput
          className={styles.grow}
          label="Name in this console"
          description="The machine keeps its own name, and its snapshots theirs."
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={problem === null ? null : (problem.fields["name"] ?? problem.message)}
          autoComplete="off"
          spellCheck={false}
        />
        <Button
          type="submit"
          variant="default"
          loading={rename.isPending}
          disabled={name.trim() === host.name || name.trim() === ""}
        >
          Rename
        </Button>
      </form>
    </Panel>
  );
}
