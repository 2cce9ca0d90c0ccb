import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useRouterState } from "@tanstack/react-router";
import { templateQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { PageProblem } from "../ui/page-problem.tsx";
import { Page } from "../ui/page.tsx";
import { ApplyForm } from "./apply-form.tsx";

const route = getRouteApi("/signed-in/policies/$templateId/apply");

/** To whom a template is given, and what that changes, before it does. Chosen hosts come along from the page before. */
export function ApplyPage() {
  const { templateId } = route.useParams();
  const { tag } = route.useSearch();
  const { operate } = useMay();
  const hostIds = useRouterState({ select: ({ location }) => idsIn(location.state) });
  const { data: template, error, refetch } = useQuery(templateQuery(templateId));
  const title = template === undefined ? "Apply" : `Apply ${template.name}`;
  return (
    <Page width="narrow">
      <PageHeader
        title={title}
        crumbs={[
          { title: "Policies", href: "/policies" },
          { title: template?.name ?? "Template", href: `/policies/${templateId}` },
          { title: "Apply" },
        ]}
        note="Nothing changes on a host before you apply it."
      />
      {template === undefined ? (
        <PageProblem
          error={error}
          missing="There is no such template"
          missingText="It was deleted, or the address is not complete."
          onRetry={() => void refetch()}
        />
      ) : operate ? (
        <ApplyForm template={template} hostIds={hostIds} tag={tag} />
      ) : (
        <EmptyState kind="refused" title="Operators apply templates" text="Your account may only look." />
      )}
    </Page>
  );
}

/** Hosts that the page before chose; a selection is in no address. */
function idsIn(state: unknown): readonly string[] | undefined {
  if (typeof state !== "object" || state === null || !("hostIds" in state)) return undefined;
  const { hostIds } = state;
  return Array.isArray(hostIds) ? hostIds.filter((id): id is string => typeof id === "string") : undefined;
}
