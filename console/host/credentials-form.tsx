import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { RepoCredentialsInput } from "@restic-manager/protocol/api/repository";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { hostQuery } from "../queries.ts";
import { AppLink } from "../ui/app-link.tsx";
import { FormProblem } from "../ui/form-problem.tsx";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import styles from "./host.module.css";

interface Values {
  url: string;
  username: string;
  password: string;
  repository_password: string;
}

/** Where the machine backs up to. What is stored is never shown; a password left empty stays as it is. */
export function CredentialsForm({ host }: { host: Host }) {
  const queryClient = useQueryClient();
  const stored = host.credentials;
  const form = useForm<Values>({
    initialValues: {
      url: stored?.url ?? "",
      username: stored?.username ?? "",
      password: "",
      repository_password: "",
    },
  });
  const save = useMutation({
    mutationFn: async (values: Values) => {
      await api.saveRepoCredentials(host.id, inputOf(values));
      return api.host(host.id);
    },
    onSuccess: (answer) => queryClient.setQueryData(hostQuery(host.id).queryKey, answer),
    onError: (error) => form.setErrors(asProblem(error).fields),
  });
  return (
    <Panel
      title="Repository"
      note={
        stored === null ? (
          "Where this machine backs up to."
        ) : (
          <>
            Where this machine backs up to. Changed <TimeAgo at={Date.parse(stored.updated_at)} />.
          </>
        )
      }
    >
      <form className={styles.form} onSubmit={form.onSubmit((values) => save.mutate(values))} noValidate>
        <FormProblem problem={save.error === null ? null : asProblem(save.error)} />
        <ProvedBy host={host} />
        <TextInput
          label="URL"
          classNames={{ input: "mono" }}
          description="rest:https://server/path/, sftp:user@server:/path or an absolute folder."
          autoComplete="off"
          spellCheck={false}
          {...form.getInputProps("url")}
        />
        <div className={styles.fields}>
          <TextInput
            label="User"
            classNames={{ input: "mono" }}
            description="The account at a rest-server; empty for none."
            autoComplete="off"
            spellCheck={false}
            {...form.getInputProps("username")}
          />
          <PasswordInput
            label="New password"
            placeholder={stored?.has_password ? "stored, not shown" : ""}
            description={stored?.has_password ? "Empty keeps the stored one." : "The account's password."}
            autoComplete="new-password"
            visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
            {...form.getInputProps("password")}
          />
        </div>
        <PasswordInput
          label="New repository password"
          placeholder={stored?.has_repository_password ? "stored, not shown" : ""}
          description={
            stored?.has_repository_password
              ? "Empty keeps the stored one. A repository keeps the password it was created with."
              : "Encrypts the repository. Keep a copy: without it no snapshot can be read."
          }
          autoComplete="new-password"
          visibilityToggleButtonProps={{ "aria-label": "Show the repository password" }}
          {...form.getInputProps("repository_password")}
        />
        <div className={styles.inline}>
          <Button type="submit" loading={save.isPending}>
            Save and prove
          </Button>
          <span className="quiet">Saving starts a job that opens the repository with them.</span>
        </div>
      </form>
    </Panel>
  );
}

/** What the job that tries the credentials has come to, while they are not proven. */
function ProvedBy({ host: { repository, name } }: { host: Host }) {
  if (repository.state === "waiting" && repository.job_id !== null) {
    return (
      <Notice
        state="run"
        icon="queued"
        title={`${name} is to open the repository with these credentials`}
        actions={
          <AppLink className="link" href={`/jobs/${repository.job_id}`}>
            Open the job
          </AppLink>
        }
      />
    );
  }
  if (repository.state !== "failed") return null;
  return (
    <Notice
      state="fail"
      title={repository.error.message}
      actions={
        <AppLink className="link" href={`/jobs/${repository.job_id}`}>
          Open the job
        </AppLink>
      }
    >
      {repository.error.hint}
    </Notice>
  );
}

/** An empty password is left out, which keeps the stored one; an empty user name takes the account away. */
function inputOf(values: Values): RepoCredentialsInput {
  return {
    url: values.url.trim(),
    username: values.username.trim(),
    ...(values.password === "" ? {} : { password: values.password }),
    ...(values.repository_password === "" ? {} : { repository_password: values.repository_password }),
  };
}
