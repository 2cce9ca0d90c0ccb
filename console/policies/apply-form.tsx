import { Button, Radio } from "@mantine/core";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import type { Others, Template, TemplatePreview } from "@restic-manager/protocol/api/templates";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { countOf } from "../format/numbers.ts";
import { tagsQuery, templatesQuery } from "../queries.ts";
import { AppLink } from "../ui/app-link.tsx";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import { Applied } from "./applied.tsx";
import { ChangeList } from "./change-list.tsx";
import styles from "./policies.module.css";

interface ApplyFormProps {
  template: Template;
  /** Chosen before; undefined: by tag, or everybody who follows it. */
  hostIds: readonly string[] | undefined;
  tag: string | undefined;
}

/** Who, what becomes of the rest, the difference, and the button. */
export function ApplyForm({ template, hostIds, tag }: ApplyFormProps) {
  const router = useRouter();
  const queryClient = useQueryClient();
  const [others, setOthers] = useState<Others>("keep");
  const { data: tags } = useQuery(tagsQuery);
  const target = hostIds !== undefined ? { host_ids: [...hostIds] } : tag === undefined ? undefined : { tag };
  const preview = useQuery({
    queryKey: ["template-preview", template.id, target, others] as const,
    queryFn: () => (target === undefined ? null : api.previewTemplate(template.id, { ...target, others })),
    enabled: target !== undefined,
    placeholderData: keepPreviousData,
    // What is shown is what is applied: it stays until it is asked for again.
    staleTime: Infinity,
    gcTime: 0,
  });
  const apply = useMutation({
    mutationFn: async (seen: TemplatePreview) => {
      const hosts = seen.items.flatMap((item) => item.hosts);
      const answer = await api.applyTemplate(template.id, {
        host_ids: hosts.map(({ id }) => id),
        others,
        template_version: seen.template_version,
        schedule_versions: Object.fromEntries(hosts.map((host) => [host.id, host.schedule_version])),
      });
      return { hosts, items: answer.items };
    },
    onSuccess: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: templatesQuery.queryKey }),
        queryClient.invalidateQueries({ queryKey: ["following"] }),
      ]),
  });
  if (apply.data !== undefined) return <Applied template={template} {...apply.data} />;

  const seen = preview.data ?? undefined;
  const hosts = seen?.items.flatMap((item) => item.hosts) ?? [];
  const base = `/policies/${template.id}/apply`;
  return (
    <>
      <Panel title="To whom">
        <div className={styles.part}>
          {hostIds !== undefined ? (
            <p>
              {countOf(hostIds.length, "chosen host")}.{" "}
              <AppLink className="link" href={base}>
                Choose by tag instead
              </AppLink>
            </p>
          ) : (
            <fieldset className={styles.set}>
              <legend>Hosts with the tag</legend>
              <div className={styles.boxes}>
                {(tags?.items ?? []).map((known) => (
                  <Radio
                    key={known.tag}
                    name="tag"
                    label={
                      <>
                        <span className="mono">{known.tag}</span>{" "}
                        <span className="quiet">{countOf(known.hosts, "host")}</span>
                      </>
                    }
                    checked={tag === known.tag}
                    onChange={() => router.history.replace(`${base}?tag=${encodeURIComponent(known.tag)}`)}
                  />
                ))}
              </div>
              {tags?.items.length === 0 && (
                <p className="quiet">
                  No host has a tag yet: give them on a host’s Settings tab. Or choose hosts in the{" "}
                  <AppLink className="link" href="/">
                    fleet
                  </AppLink>{" "}
                  and apply the template from there.
                </p>
              )}
            </fieldset>
          )}
          <Radio.Group
            label="What the hosts have beside the template"
            value={others}
            onChange={(value) => setOthers(value === "remove" ? "remove" : "keep")}
          >
            <div className={styles.boxes}>
              <Radio value="keep" label="Keep it" />
              <Radio value="remove" label="Remove it; snapshots stay" />
            </div>
          </Radio.Group>
        </div>
      </Panel>
      {preview.error !== null && (
        <Notice state="fail" title={asProblem(preview.error).message}>
          {asProblem(preview.error).hint}
        </Notice>
      )}
      {target !== undefined && seen === undefined && preview.error === null && (
        <p className="quiet">Comparing…</p>
      )}
      {seen !== undefined && (
        <>
          {seen.items.map((item) => (
            <Difference key={item.hosts[0]?.id} item={item} />
          ))}
          {hosts.length === 0 && <p className="quiet">No such host is there any more.</p>}
          {apply.error !== null && (
            <Notice
              state="fail"
              takesFocus
              title={asProblem(apply.error).message}
              actions={
                <Button
                  size="xs"
                  variant="default"
                  onClick={() => {
                    apply.reset();
                    void preview.refetch();
                  }}
                >
                  Compare again
                </Button>
              }
            >
              {asProblem(apply.error).hint}
            </Notice>
          )}
          {hosts.length > 0 && (
            <div className={styles.send}>
              <Button
                loading={apply.isPending}
                disabled={preview.isFetching}
                onClick={() => apply.mutate(seen)}
              >
                Apply to {countOf(hosts.length, "host")}
              </Button>
              <p className="quiet">
                {seen.items.every(({ changes }) => changes.length === 0)
                  ? "They have all of it already; they would only follow the template from now on."
                  : "Agents that are connected hear of it at once, the others when they return."}
              </p>
            </div>
          )}
        </>
      )}
    </>
  );
}

/** Hosts named in a difference before the rest is counted. */
const MOST_NAMED = 8;

function Difference({ item }: { item: TemplatePreview["items"][number] }) {
  const { hosts, changes, others } = item;
  const leaving = hosts.filter(({ leaves }) => leaves !== null);
  return (
    <Panel
      title={countOf(hosts.length, "host")}
      note={
        <>
          <span className="mono">
            {hosts
              .slice(0, MOST_NAMED)
              .map(({ name }) => name)
              .join(", ")}
          </span>
          {hosts.length > MOST_NAMED && ` and ${countOf(hosts.length - MOST_NAMED, "more", "more")}`}
        </>
      }
    >
      <div className={styles.part}>
        {changes.length === 0 ? <p>Nothing to change.</p> : <ChangeList changes={changes} />}
        {others.length > 0 && (
          <p className="quiet">
            Kept beside it:{" "}
            {others
              .map(({ what, name }) => `${what === "group" ? "source group" : "schedule"} ${name}`)
              .join(", ")}
            .
          </p>
        )}
        {leaving.length > 0 && (
          <p className="quiet">
            {leaving.map(({ name, leaves }) => `${name} follows ${leaves} now and leaves it`).join("; ")}.
          </p>
        )}
      </div>
    </Panel>
  );
}
