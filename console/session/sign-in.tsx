import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { asProblem, type ApiProblem } from "../api-problem.ts";
import { FormProblem } from "../ui/form-problem.tsx";
import styles from "./gate.module.css";

interface SignInFormProps {
  /** Signs in and goes on; what it rejects with is shown here. */
  onSignIn: (username: string, password: string) => Promise<void>;
}

/** User name and password; a refusal keeps both. */
export function SignInForm({ onSignIn }: SignInFormProps) {
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useForm({
    mode: "uncontrolled",
    initialValues: { username: "", password: "" },
    validate: {
      username: (value) => (value.trim() === "" ? "Enter your user name" : null),
      password: (value) => (value === "" ? "Enter your password" : null),
    },
  });
  async function submit(values: { username: string; password: string }) {
    setBusy(true);
    setProblem(null);
    try {
      await onSignIn(values.username.trim(), values.password);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  }
  return (
    <>
      <h1>Sign in</h1>
      <FormProblem problem={problem} />
      <form className={styles.form} onSubmit={form.onSubmit((values) => void submit(values))} noValidate>
        <TextInput
          label="User name"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          size="md"
          {...form.getInputProps("username")}
          key={form.key("username")}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          size="md"
          visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
          {...form.getInputProps("password")}
          key={form.key("password")}
        />
        <Button type="submit" size="md" loading={busy} fullWidth>
          Sign in
        </Button>
      </form>
    </>
  );
}
