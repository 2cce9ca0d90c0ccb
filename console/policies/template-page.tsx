import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import type { Template } from "@restic-manager/protocol/api/templates";
import { api } from "../api.ts";
import { countOf } from "../format/numbers.ts";
import { templateQuery, templatesQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { CallProblem } from "../ui/call-problem.tsx";
import { ConfirmInPlace } from "../ui/confirm-in-place.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { PageProblem } from "../ui/page-problem.tsx";
import { Page } from "../ui/page.tsx";
import { TabStrip } from "../ui/tab-strip.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { TemplateContentView } from "./template-content-view.tsx";
import { TemplateForm } from "./template-form.tsx";
import { TemplateHostList } from "./template-host-list.tsx";
import styles from "./policies.module.css";

const route = getRouteApi("/signed-in/policies/$templateId");

/** One policy template: who follows it and how they differ, and what it says. */
export function TemplatePage() {
  const { templateId } = route.useParams();
  const { tab } = route.useSearch();
  const { operate } = useMay();
  const { data: template, error, refetch } = useQuery(templateQuery(templateId));
  const crumbs = [{ title: "Policies", href: "/policies" }, { title: template?.name ?? "Template" }];
  if (template === undefined) {
    return (
      <Page width="narrow">
        <PageHeader title="Template" crumbs={crumbs} />
        <PageProblem
          error={error}
          missing="There is no such template"
          missingText="It was deleted, or the address is not complete. Hosts that followed it keep what they have."
          onRetry={() => void refetch()}
        />
      </Page>
    );
  }
  const base = `/policies/${template.id}`;
  const content = tab === "content";
  return (
    <Page width="narrow">
      <PageHeader
        title={template.name}
        crumbs={crumbs}
        note={
          <>
            Version {template.version}, <TimeAgo at={Date.parse(template.changed.at)} /> by{" "}
            {template.changed.by}
          </>
        }
        {...(operate ? { actions: <Verbs template={template} /> } : {})}
      />
      <TabStrip
        label={`Parts of ${template.name}`}
        active={content ? `${base}?tab=content` : base}
        tabs={[
          {
            title: "Hosts",
            href: base,
            count: template.hosts.following,
            warns: template.hosts.differing > 0,
          },
          { title: "What it says", href: `${base}?tab=content` },
        ]}
      />
      {!content ? (
        <TemplateHostList template={template} />
      ) : operate ? (
        <TemplateForm key={template.id} template={template} />
      ) : (
        <TemplateContentView content={template.content} />
      )}
    </Page>
  );
}

function Verbs({ template }: { template: Template }) {
  const router = useRouter();
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.deleteTemplate(template.id),
    onSuccess: async () => {
      router.history.push("/policies");
      queryClient.removeQueries({ queryKey: templateQuery(template.id).queryKey });
      await queryClient.invalidateQueries({ queryKey: templatesQuery.queryKey });
    },
  });
  const { following } = template.hosts;
  return (
    <div className={styles.verbs}>
      <ConfirmInPlace
        key={String(remove.failureCount)}
        size="sm"
        action="Delete this template"
        short="Delete"
        consequence={
          following === 0 ? "No host follows it." : `${countOf(following, "host")} keep what they have.`
        }
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      />
      <LinkButton href={`/policies/${template.id}/apply`}>Apply to hosts…</LinkButton>
      <CallProblem error={remove.error} />
    </div>
  );
}
