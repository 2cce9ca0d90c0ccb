import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { useState, type FormEvent } from "react";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { hostQuery, tagsQuery } from "../queries.ts";
import { Panel } from "../ui/panel.tsx";
import styles from "./host.module.css";

/** Words by which hosts are taken together. */
export function TagsForm({ host }: { host: Host }) {
  const queryClient = useQueryClient();
  const before = (host.tags ?? []).join(" ");
  const [text, setText] = useState(before);
  const wanted = text.split(/[\s,]+/).filter((tag) => tag !== "");
  const save = useMutation({
    mutationFn: () => api.patchHost(host.id, { tags: wanted }),
    onSuccess: (answer) => {
      queryClient.setQueryData(hostQuery(host.id).queryKey, answer);
      setText((answer.tags ?? []).join(" "));
      return queryClient.invalidateQueries({ queryKey: tagsQuery.queryKey });
    },
  });
  const problem = save.error === null ? null : asProblem(save.error);
  function submit(event: FormEvent) {
    event.preventDefault();
    save.mutate();
  }
  return (
    <Panel title="Tags">
      <form className={styles.beside} onSubmit={submit} noValidate>
        <TextInput
          className={styles.grow}
          classNames={{ input: "mono" }}
          label="Tags, with a space between them"
          description="To take hosts together: in the fleet’s filter, and to apply a policy template to."
          placeholder="web berlin tier:1"
          value={text}
          onChange={({ currentTarget }) => setText(currentTarget.value)}
          error={problem === null ? null : (Object.values(problem.fields)[0] ?? problem.message)}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
        />
        <Button
          type="submit"
          variant="default"
          loading={save.isPending}
          disabled={wanted.join(" ") === before}
        >
          Save tags
        </Button>
      </form>
    </Panel>
  );
}
