import { Button, Checkbox, PasswordInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { SetupFacts, SetupProbeResult } from "@restic-manager/protocol/api/session";
import { useEffect, useEffectEvent, useState } from "react";
import { asProblem, type ApiProblem } from "../api-problem.ts";
import { FormProblem } from "../ui/form-problem.tsx";
import { Notice } from "../ui/notice.tsx";
import { StateIcon } from "../ui/state-icon.tsx";
import styles from "./gate.module.css";

/** How long typing must rest before the address is tried. */
const PROBE_AFTER_MS = 600;
/** The shortest password the server takes. */
const SHORTEST_PASSWORD = 10;

export interface SetUpValues {
  username: string;
  password: string;
  baseUrl: string;
}

interface SetUpFormProps {
  facts: SetupFacts;
  probe: (baseUrl: string) => Promise<SetupProbeResult>;
  onSetUp: (values: SetUpValues) => Promise<void>;
}

/** The first administrator, the address agents use, and the key that must not be lost. */
export function SetUpForm({ facts, probe, onSetUp }: SetUpFormProps) {
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);
  const [kept, setKept] = useState(false);
  const form = useForm({
    initialValues: { username: "", password: "", baseUrl: facts.base_url },
    validate: {
      username: (value) => (value.trim() === "" ? "Enter a user name" : null),
      password: (value) =>
        value.length < SHORTEST_PASSWORD ? `At least ${SHORTEST_PASSWORD} characters` : null,
      baseUrl: (value) =>
        /^https?:\/\/[^\s/]+/.test(value) ? null : "An address such as https://backup.example.org",
    },
  });
  async function submit(values: SetUpValues) {
    setBusy(true);
    setProblem(null);
    try {
      await onSetUp({ ...values, username: values.username.trim(), baseUrl: values.baseUrl.trim() });
    } catch (error) {
      const refused = asProblem(error);
      setProblem(refused);
      const { base_url: baseUrl, ...rest } = refused.fields;
      form.setErrors({ ...rest, ...(baseUrl === undefined ? {} : { baseUrl }) });
    } finally {
      setBusy(false);
    }
  }
  return (
    <>
      <h1>Set up this server</h1>
      <p className="quiet">
        You opened the one-time link that the server printed when it first started. It works once, until the
        first administrator exists.
      </p>
      <FormProblem problem={problem} />
      <form className={styles.form} onSubmit={form.onSubmit((values) => void submit(values))} noValidate>
        <fieldset className={styles.part}>
          <Legend number={1} title="Your account" />
          <TextInput
            label="User name"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            {...form.getInputProps("username")}
          />
          <PasswordInput
            label="Password"
            autoComplete="new-password"
            description={`At least ${SHORTEST_PASSWORD} characters. Length counts more than odd signs.`}
            visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
            {...form.getInputProps("password")}
          />
        </fieldset>
        <fieldset className={styles.part}>
          <Legend number={2} title="How agents reach this server" />
          <TextInput
            label="Public address"
            type="url"
            spellCheck={false}
            readOnly={facts.base_url_fixed}
            description={facts.base_url_fixed ? "Set by RM_BASE_URL on the server." : undefined}
            {...form.getInputProps("baseUrl")}
          />
          <Probe address={form.values.baseUrl} probe={probe} />
        </fieldset>
        <fieldset className={styles.part}>
          <Legend number={3} title="Keep the key" />
          <Notice state="warn" title="Copy this file somewhere safe now">
            Stored credentials are sealed with <code>{facts.secret_key_file}</code>. A restored database
            without it cannot open a single repository.
          </Notice>
          <Checkbox
            label="I have a copy of that file off this machine"
            checked={kept}
            onChange={(event) => setKept(event.currentTarget.checked)}
          />
        </fieldset>
        <Button type="submit" size="md" loading={busy} disabled={!kept} fullWidth>
          Create the administrator and sign in
        </Button>
      </form>
    </>
  );
}

function Legend({ number, title }: { number: number; title: string }) {
  return (
    <legend>
      <span className={styles.number}>{number}</span>
      {title}
    </legend>
  );
}

/** Tries the address while it is typed: it goes into every install command, so it had better be right. */
function Probe({ address, probe }: { address: string; probe: SetUpFormProps["probe"] }) {
  const [result, setResult] = useState<{ address: string; verdict: SetupProbeResult } | null>(null);
  const tryIt = useEffectEvent((wanted: string) =>
    probe(wanted).catch((error: unknown) => ({ reachable: false, message: asProblem(error).message })),
  );
  useEffect(() => {
    let wanted = true;
    const timer = setTimeout(() => {
      void tryIt(address).then((verdict) => {
        if (wanted) setResult({ address, verdict });
      });
    }, PROBE_AFTER_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [address]);
  const current = result?.address === address ? result.verdict : null;
  return (
    <p className={styles.verdict} role="status">
      {current === null ? (
        <>
          <StateIcon state="run" icon="running" size={14} /> Goes into every install command. Trying it…
        </>
      ) : (
        <>
          <StateIcon
            state={current.reachable ? "ok" : "warn"}
            icon={current.reachable ? "done" : "issues"}
            size={14}
          />
          <span>Goes into every install command. {current.message}</span>
        </>
      )}
    </p>
  );
}
