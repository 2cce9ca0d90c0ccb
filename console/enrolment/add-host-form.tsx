import { Button, PasswordInput, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import type { EnrollmentToken } from "@restic-manager/protocol/api/enrolment";
import { api } from "../api.ts";
import { asProblem, type ApiProblem } from "../api-problem.ts";
import { FormProblem } from "../ui/form-problem.tsx";
import { Panel } from "../ui/panel.tsx";
import { fieldErrors, inputOf, type Written } from "./enrollment-input.ts";
import styles from "./add-host.module.css";

export { NOTHING_WRITTEN, type Written } from "./enrollment-input.ts";

interface AddHostFormProps {
  /** What was written before, when somebody comes back to it. */
  written: Written;
  onMade: (token: EnrollmentToken, written: Written) => void;
}

/** One form; what the server refuses is said at the field, and what was written stays. */
export function AddHostForm({ written, onMade }: AddHostFormProps) {
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);
  const [own, setOwn] = useState(false);
  const form = useForm<Written>({
    initialValues: written,
    validate: {
      hostName: (value) => (value.trim() === "" ? "Enter the machine's name" : null),
      repositoryUrl: (value) => (value.trim() === "" ? "Enter the repository's address" : null),
    },
  });
  async function submit(values: Written) {
    setBusy(true);
    setProblem(null);
    try {
      onMade(await api.createEnrollment(inputOf(values, own)), values);
    } catch (error) {
      const refused = asProblem(error);
      setProblem(refused);
      const errors = fieldErrors(refused.fields);
      if (errors.password !== undefined || errors.repositoryPassword !== undefined) setOwn(true);
      form.setErrors({ ...errors });
    } finally {
      setBusy(false);
    }
  }
  return (
    <form onSubmit={form.onSubmit((values) => void submit(values))} className={styles.form} noValidate>
      <FormProblem problem={problem} />
      <Panel title="The machine">
        <div className={styles.fields}>
          <TextInput
            label="Host name"
            description="How it is called here. Letters, digits, dots and dashes."
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            className={styles.typed}
            {...form.getInputProps("hostName")}
          />
          <Textarea
            label="Folders to back up"
            description="One per line. Left empty, these are backed up (on Windows C:\Users)."
            placeholder={DEFAULT_FOLDERS}
            rows={7}
            spellCheck={false}
            className={styles.typed}
            {...form.getInputProps("includes")}
          />
        </div>
      </Panel>
      <Panel
        title="Where its backups go"
        note="The data goes straight from the machine to the repository, never through this server."
      >
        <div className={styles.fields}>
          <TextInput
            label="Repository address"
            placeholder="rest:https://vault.example.org:8000/db-ams-04/"
            description="A rest-server (rest:https://…), an SFTP account (sftp:user@host:/path) or a folder on the machine."
            autoComplete="off"
            spellCheck={false}
            className={styles.typed}
            {...form.getInputProps("repositoryUrl")}
          />
          <TextInput
            label="User name at the rest-server"
            description="Leave it empty if the rest-server asks for none, and for SFTP and folders."
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            className={styles.typed}
            {...form.getInputProps("username")}
          />
          {own ? (
            <div className={styles.pair}>
              <PasswordInput
                label="Password at the rest-server"
                description="Left empty, one is made."
                autoComplete="new-password"
                visibilityToggleButtonProps={{ "aria-label": "Show the password at the rest-server" }}
                {...form.getInputProps("password")}
              />
              <PasswordInput
                label="Repository password"
                description="Opens the backups. Left empty, one is made; enter the old one if there are backups already."
                autoComplete="new-password"
                visibilityToggleButtonProps={{ "aria-label": "Show the repository password" }}
                {...form.getInputProps("repositoryPassword")}
              />
            </div>
          ) : (
            <p className={styles.note}>
              The passwords are made for you and shown once.{" "}
              <button type="button" className={styles.disclose} onClick={() => setOwn(true)}>
                Enter your own
              </button>
            </p>
          )}
        </div>
      </Panel>
      <div className={styles.send}>
        <Button type="submit" size="md" loading={busy}>
          Make the install command
        </Button>
      </div>
    </form>
  );
}

/** The server's list for Linux (server/sources/default-sources.ts). */
const DEFAULT_FOLDERS = ["/etc", "/home", "/opt", "/root", "/srv", "/usr/local", "/var"].join("\n");
