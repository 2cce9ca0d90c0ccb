import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { Template } from "@restic-manager/protocol/api/templates";
import { countOf, formatCount } from "../format/numbers.ts";
import { templatesQuery } from "../queries.ts";
import { cronWords } from "../schedules/cron-words.ts";
import { useMay } from "../session/may.ts";
import type { Column } from "../ui/data-table/column.ts";
import { DataTable } from "../ui/data-table/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { PageProblem } from "../ui/page-problem.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { StatusMark } from "../ui/status-mark.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { LoadChart } from "./load-chart.tsx";

const columns: readonly Column<Template>[] = [
  {
    id: "state",
    title: "Hosts",
    width: "150px",
    phone: "state",
    cell: (template) => <Standing hosts={template.hosts} />,
  },
  {
    id: "name",
    title: "Template",
    width: "minmax(160px, 1.2fr)",
    phone: "name",
    cell: (template) => <b>{template.name}</b>,
  },
  {
    id: "groups",
    title: "Source groups",
    width: "minmax(140px, 1.2fr)",
    from: 1080,
    cell: ({ content }) => <span className="mono">{content.groups.map(({ name }) => name).join(", ")}</span>,
  },
  {
    id: "schedules",
    title: "Schedules",
    width: "minmax(200px, 1.8fr)",
    phone: "detail",
    cell: ({ content }) =>
      content.schedules.length === 0 ? (
        <span className="quiet">By hand only</span>
      ) : (
        content.schedules.map(({ cron }) => cronWords(cron)).join("; ")
      ),
  },
  {
    id: "changed",
    title: "Changed",
    width: "minmax(150px, 1fr)",
    from: 1240,
    cell: ({ changed }) => (
      <span className="quiet">
        <TimeAgo at={Date.parse(changed.at)} inRow /> by {changed.by}
      </span>
    ),
  },
];
const idOf = (template: Template) => template.id;
const nameOf = (template: Template) => template.name;

/** What the fleet backs up and when, kept as named things; and what all schedules come to over a day. */
export function PoliciesPage() {
  const { operate } = useMay();
  const { data, error, refetch } = useQuery(templatesQuery);
  const header = (
    <PageHeader
      title="Policies"
      note="A policy template keeps source groups, schedules and maintenance under one name, to be given to many hosts."
      {...(operate
        ? {
            actions: (
              <LinkButton href="/policies/new" leftSection={<IconPlus size={16} />}>
                New template
              </LinkButton>
            ),
          }
        : {})}
    />
  );
  if (data === undefined) {
    return (
      <Page>
        {header}
        <PageProblem
          error={error}
          missing="There are no policies here"
          missingText="This server does not know policy templates."
          onRetry={() => void refetch()}
        />
      </Page>
    );
  }
  return (
    <Page>
      {header}
      <Panel flush>
        <DataTable
          label="Policy templates"
          columns={columns}
          rows={data.items}
          idOf={idOf}
          nameOf={nameOf}
          hrefOf={(template) => `/policies/${template.id}`}
          total={data.items.length}
          listId="templates"
          empty={
            <EmptyState
              kind="first"
              title="No policy template yet"
              text="Make one, or begin with what a host has: open its Sources tab and keep it as a template. Nothing changes on a host before you have seen the difference and applied it."
            />
          }
        />
      </Panel>
      <LoadChart />
    </Page>
  );
}

function Standing({ hosts: { following, differing } }: Pick<Template, "hosts">) {
  if (following === 0) return <StatusMark state="idle" icon="new" word="No host" />;
  if (differing === 0) return <StatusMark state="ok" icon="done" word={countOf(following, "host")} />;
  return (
    <StatusMark
      state="warn"
      icon="issues"
      word={`${formatCount(differing)} of ${formatCount(following)} ${differing === 1 ? "differs" : "differ"}`}
    />
  );
}
