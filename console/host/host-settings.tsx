import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { hostQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { ConfirmByTyping } from "../ui/confirm-by-typing.tsx";
import { Facts, type Fact } from "../ui/facts.tsx";
import { Panel } from "../ui/panel.tsx";
import { StatusMark } from "../ui/status-mark.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { BandwidthForm } from "./bandwidth-form.tsx";
import { CredentialsForm } from "./credentials-form.tsx";
import styles from "./host.module.css";
import { RenameForm } from "./rename-form.tsx";

/** How the machine is connected, where it backs up to, its name, and its removal. */
export function HostSettings({ host }: { host: Host }) {
  const may = useMay();
  return (
    <div className={styles.columns}>
      <div className={styles.main}>
        {may.operate ? (
          <CredentialsForm key={host.credentials?.updated_at ?? ""} host={host} />
        ) : (
          <StoredCredentials host={host} />
        )}
        {may.operate && <BandwidthForm host={host} />}
        {may.operate && <RenameForm key={host.name} host={host} />}
        {may.administer && <RemoveHost host={host} />}
      </div>
      <div className={styles.side}>
        <Connection host={host} />
      </div>
    </div>
  );
}

function Connection({ host }: { host: Host }) {
  const may = useMay();
  const { version, applied_version: applied } = host.config;
  const since = host.online ? host.connected_since : host.last_seen_at;
  const items: Fact[] = [
    {
      label: "Agent",
      value: (
        <StatusMark
          state={host.online ? "ok" : "idle"}
          icon={host.online ? "done" : "offline"}
          word={host.online ? "Connected" : host.last_seen_at === null ? "Never connected" : "Offline"}
        />
      ),
    },
    ...(since === null
      ? []
      : [{ label: host.online ? "Since" : "Last seen", value: <TimeAgo at={Date.parse(since)} /> }]),
    { label: "Version", value: host.agent_version ?? "not known yet" },
    { label: "Protocol", value: host.protocol_version ?? "not known yet" },
    { label: "restic", value: resticInWords(host.restic) },
    { label: "Address", value: host.address ?? "not known yet", mono: host.address !== null },
    { label: "Calls itself", value: host.hostname ?? "not known yet", mono: host.hostname !== null },
    {
      label: "Configuration",
      value:
        applied === version
          ? `in sync at version ${version}`
          : `version ${version} here, ${applied === null ? "none" : applied} at the agent`,
    },
    { label: "Time zone", value: host.timezone ?? "not known yet" },
    ...(may.operate ? [] : [{ label: "Bandwidth", value: bandwidthInWords(host.bandwidth) }]),
    { label: "Added", value: <TimeAgo at={Date.parse(host.created_at)} /> },
    { label: "Host ID", value: host.id, mono: true },
  ];
  return (
    <Panel title="Connection">
      <Facts items={items} />
    </Panel>
  );
}

function resticInWords(restic: Host["restic"]): string {
  if (restic === null) return "not known yet";
  if (restic.state === "missing") return "not installed";
  return restic.state === "too_old" ? `${restic.version}, too old` : restic.version;
}

function bandwidthInWords(caps: Host["bandwidth"]): string {
  const up = caps?.upload_kib_per_s;
  const down = caps?.download_kib_per_s;
  const parts = [up ? `${up} KiB/s up` : "", down ? `${down} KiB/s down` : ""].filter((part) => part !== "");
  return parts.length === 0 ? "not capped" : parts.join(", ");
}

function StoredCredentials({ host: { credentials } }: { host: Host }) {
  const items: Fact[] =
    credentials === null
      ? []
      : [
          { label: "URL", value: credentials.url, mono: true },
          { label: "User", value: credentials.username ?? "none", mono: credentials.username !== null },
          { label: "Password", value: credentials.has_password ? "stored, not shown" : "none" },
          { label: "Repository password", value: "stored, not shown" },
          { label: "Changed", value: <TimeAgo at={Date.parse(credentials.updated_at)} /> },
        ];
  return (
    <Panel title="Repository" note="Operators change where this machine backs up to.">
      {items.length === 0 ? <p>No credentials are stored.</p> : <Facts items={items} />}
    </Panel>
  );
}

function RemoveHost({ host }: { host: Host }) {
  const router = useRouter();
  const queryClient = useQueryClient();
  const remove = useMutation({ mutationFn: () => api.removeHost(host.id) });
  async function confirmed() {
    try {
      await remove.mutateAsync();
    } catch (error) {
      const { message, hint } = asProblem(error);
      throw new Error(hint === undefined ? message : `${message}. ${hint}`, { cause: error });
    }
    router.history.push("/");
    queryClient.removeQueries({ queryKey: hostQuery(host.id).queryKey });
    await queryClient.invalidateQueries({ queryKey: ["hosts"] });
  }
  return (
    <Panel title="Danger zone" state="danger">
      <div className={styles.danger}>
        <div>
          <h3>Remove this host</h3>
          <p className="quiet">
            Its jobs and logs are deleted here, and its agent is refused from now on. The repository with all
            snapshots stays untouched where it is.
          </p>
        </div>
        <ConfirmByTyping word={host.name} action={`Remove ${host.name}`} onConfirm={confirmed} />
      </div>
    </Panel>
  );
}
