import { Button } from "@mantine/core";
import type { ErrorComponentProps } from "@tanstack/react-router";
import { useRouter } from "@tanstack/react-router";
import { asProblem } from "../api-problem.ts";
import { AppLink } from "../ui/app-link.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Notice } from "../ui/notice.tsx";
import { Page } from "../ui/page.tsx";

/** Says why a page could not be shown, and offers to try again. */
export function RouteProblem({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const problem = asProblem(error);
  return (
    <Page width="form">
      <Notice
        state="fail"
        title={problem.message}
        actions={
          <Button
            variant="default"
            size="xs"
            onClick={() => {
              reset();
              void router.invalidate();
            }}
          >
            Try again
          </Button>
        }
      >
        {problem.hint ?? "This page could not be shown."} <code>{problem.code}</code>
      </Notice>
    </Page>
  );
}

/** An address that leads nowhere. */
export function NotFound() {
  return (
    <Page width="form">
      <h1>Nothing is at this address</h1>
      <EmptyState
        kind="filtered"
        title="What was here may have been removed"
        text="Jobs and hosts keep their address for as long as they exist."
        actions={
          <AppLink className="link" href="/">
            Go to the fleet
          </AppLink>
        }
      />
    </Page>
  );
}
