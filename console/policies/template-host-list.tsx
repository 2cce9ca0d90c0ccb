import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import type { Template, TemplateHosts } from "@restic-manager/protocol/api/templates";
import { countOf } from "../format/numbers.ts";
import { templateHostsQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { AppLink } from "../ui/app-link.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Notice } from "../ui/notice.tsx";
import { PageProblem } from "../ui/page-problem.tsx";
import { Panel } from "../ui/panel.tsx";
import { StatusMark } from "../ui/status-mark.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { ChangeList } from "./change-list.tsx";
import styles from "./policies.module.css";

type Follower = TemplateHosts["items"][number];

/** Hosts shown at once; the list is for those that differ, which come first. */
const MOST_SHOWN = 200;

/** Who follows a template; those that differ first, each with its differences. */
export function TemplateHostList({ template }: { template: Template }) {
  const router = useRouter();
  const { operate } = useMay();
  const { data, error, refetch } = useQuery(templateHostsQuery(template.id));
  if (data === undefined) {
    return (
      <PageProblem
        error={error}
        missing="There is no such template"
        missingText="It was deleted meanwhile."
        onRetry={() => void refetch()}
      />
    );
  }
  const differing = data.items.filter(({ changes }) => changes.length > 0);
  if (data.items.length === 0) {
    return (
      <Panel>
        <EmptyState
          kind="first"
          title="No host follows this template"
          text="Apply it to hosts or to a tag: you see what changes on each before it does. Afterwards this page shows who differs from it."
        />
      </Panel>
    );
  }
  return (
    <>
      {differing.length > 0 && (
        <Notice
          state="warn"
          title={`${countOf(differing.length, "host")} ${differing.length === 1 ? "differs" : "differ"} from the template`}
          {...(operate
            ? {
                actions: (
                  <Button
                    size="xs"
                    variant="default"
                    onClick={() =>
                      router.history.push(`/policies/${template.id}/apply`, {
                        hostIds: differing.map(({ host }) => host.id),
                      })
                    }
                  >
                    Look and apply again…
                  </Button>
                ),
              }
            : {})}
        >
          {differing.some(({ version }) => version < template.version)
            ? "The template was changed since it was applied, or somebody changed the host."
            : `Somebody changed ${differing.length === 1 ? "it" : "them"} since it was applied.`}
        </Notice>
      )}
      <Panel flush>
        <ul className={styles.followers}>
          {data.items.slice(0, MOST_SHOWN).map((item) => (
            <Row key={item.host.id} item={item} template={template} />
          ))}
        </ul>
        {data.items.length > MOST_SHOWN && (
          <p className={`quiet ${styles.rest}`}>
            and {countOf(data.items.length - MOST_SHOWN, "more host", "more hosts")}
          </p>
        )}
      </Panel>
    </>
  );
}

function Row({ item, template }: { item: Follower; template: Template }) {
  const { host, changes, version } = item;
  const behind = version < template.version;
  return (
    <li className={styles.follower}>
      <div className={styles.stands}>
        {changes.length === 0 ? (
          <StatusMark state="ok" icon="done" word="In sync" />
        ) : (
          <StatusMark state="warn" icon="issues" word={countOf(changes.length, "difference")} />
        )}
        <AppLink className="link mono" href={`/hosts/${host.id}?tab=sources`}>
          {host.name}
        </AppLink>
        <span className="quiet">
          {behind && changes.length > 0 ? `has version ${version}, ` : ""}applied{" "}
          <TimeAgo at={Date.parse(item.applied_at)} inRow /> by {item.applied_by}
        </span>
      </div>
      {changes.length > 0 && (
        <details className={styles.differences} open={changes.length <= 3}>
          <summary className={styles.open}>Applying it again would</summary>
          <ChangeList changes={changes} />
        </details>
      )}
    </li>
  );
}
