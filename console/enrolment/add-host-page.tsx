import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import type { EnrollmentToken } from "@restic-manager/protocol/api/enrolment";
import { useMay } from "../session/may.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { AddHostForm, NOTHING_WRITTEN, type Written } from "./add-host-form.tsx";
import { Arrival } from "./arrival.tsx";

const route = getRouteApi("/signed-in/hosts/add");

/** Adds a machine: first what it is called and where its backups go, then the command for it and how far it has come. */
export function AddHostPage() {
  const router = useRouter();
  const { operate } = useMay();
  const { enrollment } = route.useSearch();
  // What is secret lives in this page alone, until it is left.
  const [made, setMade] = useState<EnrollmentToken | null>(null);
  const [written, setWritten] = useState<Written>(NOTHING_WRITTEN);
  return (
    <Page width="form">
      <PageHeader title="Add host" crumbs={[{ title: "Fleet", href: "/" }, { title: "Add host" }]} />
      {!operate ? (
        <Panel>
          <EmptyState
            kind="refused"
            title="Your account may look and not change things"
            text="Ask an operator to add the machine."
          />
        </Panel>
      ) : enrollment === undefined ? (
        <AddHostForm
          written={written}
          onMade={(token, values) => {
            setMade(token);
            setWritten({ ...values, password: "", repositoryPassword: "" });
            router.history.push(`/hosts/add?enrollment=${token.id}`);
          }}
        />
      ) : (
        <Arrival key={enrollment} id={enrollment} made={made?.id === enrollment ? made : null} />
      )}
    </Page>
  );
}
