import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { asProblem } from "../api-problem.ts";
import { countOf, formatCount } from "../format/numbers.ts";
import { summaryQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { LinkButton } from "../ui/link-button.tsx";
import { Notice } from "../ui/notice.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { Page } from "../ui/page.tsx";
import { EmptyFleet } from "./empty-fleet.tsx";
import { fleetHref, isFiltered } from "./fleet-search.ts";
import { HostTable } from "./host-table.tsx";
import { Problems } from "./problems.tsx";
import { useRunNow } from "./run-now.ts";
import { Tiles } from "./tiles.tsx";

const route = getRouteApi("/signed-in/");

/** The whole fleet: how it stands, what is wrong, and every host, the most urgent first. */
export function FleetPage() {
  const router = useRouter();
  const search = route.useSearch();
  const { operate } = useMay();
  const summary = useQuery(summaryQuery);
  const runNow = useRunNow();
  const run = operate ? runNow : null;
  const filtered = isFiltered(search);
  const known = summary.data;
  if (known?.hosts === 0 && !filtered) return <EmptyFleet mayAdd={run !== null} />;
  return (
    <Page>
      <PageHeader
        title="Fleet"
        note={
          known === undefined
            ? "Asking for the fleet…"
            : `${countOf(known.hosts, "host")}, ${formatCount(known.online)} connected.`
        }
        {...(run === null
          ? {}
          : {
              actions: (
                <LinkButton href="/hosts/add" leftSection={<IconPlus size={16} />}>
                  Add host
                </LinkButton>
              ),
            })}
      />
      {summary.isError && (
        <Notice
          state="fail"
          title={asProblem(summary.error).message}
          actions={
            <Button size="xs" variant="default" onClick={() => void summary.refetch()}>
              Try again
            </Button>
          }
        >
          {asProblem(summary.error).hint ?? "How the fleet stands could not be asked for."}
        </Notice>
      )}
      {known !== undefined && <Tiles summary={known} />}
      {known !== undefined && !filtered && <Problems problems={known.problems} run={run} />}
      <HostTable
        search={search}
        onSearch={(wanted, how) => {
          if (how === "typed") router.history.replace(fleetHref(wanted));
          else router.history.push(fleetHref(wanted));
        }}
        summary={known}
        run={run}
      />
    </Page>
  );
}
