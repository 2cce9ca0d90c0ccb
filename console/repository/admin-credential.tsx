import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { AdminCredentialsInput } from "@restic-manager/protocol/api/repository";
import type { RepositoryPage } from "@restic-manager/protocol/api/repository-page";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { repositoryQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { CallProblem } from "../ui/call-problem.tsx";
import { ConfirmInPlace } from "../ui/confirm-in-place.tsx";
import { Facts } from "../ui/facts.tsx";
import { FormProblem } from "../ui/form-problem.tsx";
import { Panel } from "../ui/panel.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import styles from "./repository.module.css";

/** Who may delete in the repository. What is stored is never shown; it reaches the agent with the job that needs it. */
export function AdminCredential({ repository }: { repository: RepositoryPage }) {
  const may = useMay();
  const [editing, setEditing] = useState(false);
  const { admin, credentials } = repository;
  return (
    <Panel
      title="Admin credential"
      note="May delete. It reaches the agent only with a job that removes something, in memory, and is gone when the job ends."
      {...(may.administer && !editing && credentials !== null
        ? {
            actions: (
              <Button size="xs" variant="default" onClick={() => setEditing(true)}>
                {admin === null ? "Set…" : "Replace…"}
              </Button>
            ),
          }
        : {})}
    >
      {editing ? (
        <AdminForm repository={repository} onDone={() => setEditing(false)} />
      ) : admin === null ? (
        <p>
          Not set.{" "}
          {repository.append_only?.seen === true
            ? "The everyday credentials cannot delete, so nothing is forgotten or pruned until it is."
            : "Prune is skipped without it; forget uses the everyday credentials."}
          {credentials === null && " Enter the everyday credentials first."}
        </p>
      ) : (
        <>
          <Facts
            items={[
              { label: "URL", value: admin.url ?? "the everyday one", mono: admin.url !== null },
              { label: "User", value: admin.username ?? "none", mono: admin.username !== null },
              { label: "Password", value: admin.has_password ? "stored, not shown" : "none" },
              {
                label: "Repository password",
                value: admin.has_repository_password ? "its own, not shown" : "the everyday one",
              },
              { label: "Set", value: <TimeAgo at={Date.parse(admin.updated_at)} /> },
            ]}
          />
          {may.administer && <RemoveAdmin hostId={repository.host.id} />}
        </>
      )}
    </Panel>
  );
}

function RemoveAdmin({ hostId }: { hostId: string }) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.removeAdminCredentials(hostId),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: repositoryQuery(hostId).queryKey }),
  });
  return (
    <div className={styles.after}>
      <ConfirmInPlace
        key={String(remove.failureCount)}
        action="Remove the admin credential"
        short="Remove"
        consequence="Prune is skipped from then on."
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      />
      <CallProblem error={remove.error} />
    </div>
  );
}

interface Values {
  url: string;
  username: string;
  password: string;
  repository_password: string;
}

function AdminForm({ repository, onDone }: { repository: RepositoryPage; onDone: () => void }) {
  const queryClient = useQueryClient();
  const { host, admin, credentials } = repository;
  const form = useForm<Values>({
    initialValues: {
      url: admin?.url ?? "",
      username: admin?.username ?? "",
      password: "",
      repository_password: "",
    },
  });
  const save = useMutation({
    mutationFn: (values: Values) => api.saveAdminCredentials(host.id, inputOf(values)),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: repositoryQuery(host.id).queryKey });
      onDone();
    },
    onError: (error) => form.setErrors(asProblem(error).fields),
  });
  return (
    <form className={styles.stack} noValidate onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <FormProblem problem={save.error === null ? null : asProblem(save.error)} />
      <TextInput
        label="URL"
        classNames={{ input: "mono" }}
        placeholder={credentials?.url ?? ""}
        description="Where deleting is allowed. A rest-server with --append-only needs a second instance for it. Empty: the everyday one."
        autoComplete="off"
        spellCheck={false}
        {...form.getInputProps("url")}
      />
      <TextInput
        label="User"
        classNames={{ input: "mono" }}
        autoComplete="off"
        spellCheck={false}
        {...form.getInputProps("username")}
      />
      <PasswordInput
        label="Password"
        placeholder={admin?.has_password ? "stored, not shown" : ""}
        description={admin?.has_password ? "Empty keeps the stored one." : "The account's password."}
        autoComplete="new-password"
        visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
        {...form.getInputProps("password")}
      />
      <PasswordInput
        label="Repository password"
        placeholder={admin?.has_repository_password ? "stored, not shown" : ""}
        description="Empty: the everyday one opens it."
        autoComplete="new-password"
        visibilityToggleButtonProps={{ "aria-label": "Show the repository password" }}
        {...form.getInputProps("repository_password")}
      />
      <div className={styles.send}>
        <Button type="submit" loading={save.isPending}>
          Save
        </Button>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

/** What is left empty is left out: the everyday address, or the password that is stored. */
function inputOf(values: Values): AdminCredentialsInput {
  return {
    url: values.url.trim() === "" ? null : values.url.trim(),
    username: values.username.trim(),
    ...(values.password === "" ? {} : { password: values.password }),
    ...(values.repository_password === "" ? {} : { repository_password: values.repository_password }),
  };
}
