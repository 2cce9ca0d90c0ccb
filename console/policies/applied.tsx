import type { AppliedTemplate, Template, TemplatePreview } from "@restic-manager/protocol/api/templates";
import { countOf } from "../format/numbers.ts";
import { AppLink } from "../ui/app-link.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import styles from "./policies.module.css";

interface AppliedProps {
  template: Template;
  hosts: TemplatePreview["items"][number]["hosts"];
  items: AppliedTemplate["items"];
}

/** What became of each host. */
export function Applied({ template, hosts, items }: AppliedProps) {
  const names = new Map(hosts.map(({ id, name }) => [id, name]));
  const refused = items.filter((item) => item.outcome === "refused");
  const changed = items.filter((item) => item.outcome === "applied" && item.changes > 0).length;
  const done = items.length - refused.length;
  return (
    <>
      {done > 0 && (
        <Notice
          state="ok"
          takesFocus
          title={`${template.name} is applied to ${countOf(done, "host")}`}
          actions={
            <LinkButton size="xs" variant="default" href={`/policies/${template.id}`}>
              See who follows it
            </LinkButton>
          }
        >
          {changed === 0
            ? "They had all of it already."
            : `${countOf(changed, "host")} changed. Their agents are told at once, or when they return.`}
        </Notice>
      )}
      {refused.length > 0 && (
        <Panel
          title={`${countOf(refused.length, "host")} ${refused.length === 1 ? "was" : "were"} not changed`}
        >
          <ul className={styles.refused}>
            {refused.map((item) => (
              <li key={item.host_id}>
                <AppLink className="link mono" href={`/hosts/${item.host_id}?tab=sources`}>
                  {names.get(item.host_id) ?? item.host_id}
                </AppLink>{" "}
                {item.outcome === "refused" &&
                  [item.problem.message, item.problem.hint].filter(Boolean).join(": ")}
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}
