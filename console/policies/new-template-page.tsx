import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { Schedules } from "@restic-manager/protocol/api/schedules";
import type { SourceGroups } from "@restic-manager/protocol/api/sources";
import type { Template } from "@restic-manager/protocol/api/templates";
import { hostQuery, schedulesQuery, sourceGroupsQuery } from "../queries.ts";
import { cronWords } from "../schedules/cron-words.ts";
import { useMay } from "../session/may.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { Page } from "../ui/page.tsx";
import { TemplateForm } from "./template-form.tsx";

const route = getRouteApi("/signed-in/policies/new");

/** A new template, empty or with what a host has. */
export function NewTemplatePage() {
  const { from } = route.useSearch();
  const { operate } = useMay();
  const wanted = from !== undefined;
  const { data: host } = useQuery({ ...hostQuery(from ?? ""), enabled: wanted });
  const { data: groups } = useQuery({ ...sourceGroupsQuery(from ?? ""), enabled: wanted });
  const { data: schedules } = useQuery({ ...schedulesQuery(from ?? ""), enabled: wanted });
  const known = host !== undefined && groups !== undefined && schedules !== undefined;
  return (
    <Page width="narrow">
      <PageHeader
        title="New template"
        crumbs={[{ title: "Policies", href: "/policies" }, { title: "New template" }]}
        {...(host === undefined ? {} : { note: `Begins with what ${host.name} has.` })}
      />
      {!operate ? (
        <EmptyState kind="refused" title="Operators make templates" text="Your account may only look." />
      ) : !wanted ? (
        <TemplateForm template={null} />
      ) : !known ? (
        <p className="quiet">Asking for what the host has…</p>
      ) : (
        <TemplateForm template={null} start={{ name: "", content: contentOf(groups, schedules) }} />
      )}
    </Page>
  );
}

/** What a host has, as a template says it. Schedules have no names on hosts: they get their words. */
function contentOf(groups: SourceGroups, schedules: Schedules): Template["content"] {
  const taken = new Set<string>();
  const named = (words: string) => {
    let name = words.slice(0, 120);
    for (let n = 2; taken.has(name); n += 1) name = `${words.slice(0, 120)} ${n}`;
    taken.add(name);
    return name;
  };
  return {
    groups: groups.items.map(
      ({ name, includes, excludes, retention_policy, retry_max, retry_backoff_seconds }) => ({
        name,
        includes,
        excludes,
        retention_policy,
        retry_max,
        retry_backoff_seconds,
      }),
    ),
    schedules: schedules.items.map(({ cron, timezone, enabled, spread_seconds, source_groups }) => ({
      name: named(cronWords(cron)),
      cron,
      timezone,
      enabled,
      spread_seconds,
      groups: source_groups.map(({ name }) => name),
    })),
    // Each host has times of its own, which no other should get by accident.
    maintenance: null,
  };
}
