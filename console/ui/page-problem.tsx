import { Button } from "@mantine/core";
import { asProblem } from "../api-problem.ts";
import { AppLink } from "./app-link.tsx";
import { EmptyState } from "./empty-state.tsx";
import { Notice } from "./notice.tsx";
import { Panel } from "./panel.tsx";

interface PageProblemProps {
  /** What asking for the page's subject led to; null while the answer is under way. */
  error: unknown;
  /** Said when the subject is not there. */
  missing: string;
  missingText: string;
  onRetry: () => void;
}

/** What a page shows instead of its subject: that it is on its way, that it is not there, or why it could not be read. */
export function PageProblem({ error, missing, missingText, onRetry }: PageProblemProps) {
  if (error === null) {
    return (
      <Panel flush>
        <EmptyState kind="filtered" title="Loading…" />
      </Panel>
    );
  }
  const problem = asProblem(error);
  // An id that cannot be one is refused as bad input; for the reader it is the same.
  if (problem.status === 404 || problem.status === 422) {
    return (
      <Panel flush>
        <EmptyState
          kind="refused"
          title={missing}
          text={missingText}
          actions={
            <Button variant="default" renderRoot={(root) => <AppLink {...root} href="/" />}>
              Open the fleet
            </Button>
          }
        />
      </Panel>
    );
  }
  return (
    <Notice
      state="fail"
      title={problem.message}
      actions={
        <Button variant="default" onClick={onRetry}>
          Try again
        </Button>
      }
    >
      {problem.hint}
    </Notice>
  );
}
