import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { templatesQuery } from "../queries.ts";
import { AppLink } from "../ui/app-link.tsx";
import styles from "./bulk-bar.module.css";

/** Which template the chosen hosts are to follow; the next page shows what that changes before it does. */
export function ChooseTemplate({ ids, onCancel }: { ids: readonly string[]; onCancel: () => void }) {
  const router = useRouter();
  const { data } = useQuery(templatesQuery);
  return (
    <div className={styles.verbs} role="group" aria-label="Template to apply">
      {data === undefined ? (
        <span className="quiet">Asking for the templates…</span>
      ) : data.items.length === 0 ? (
        <span>
          There is no template yet.{" "}
          <AppLink className="link" href="/policies/new">
            Make one
          </AppLink>
        </span>
      ) : (
        <label className={styles.choose}>
          <span className="visually-hidden">Template to apply</span>
          <select
            className="select"
            defaultValue=""
            onChange={({ currentTarget }) =>
              router.history.push(`/policies/${currentTarget.value}/apply`, { hostIds: ids })
            }
          >
            <option value="" disabled>
              Which template?
            </option>
            {data.items.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <Button size="xs" variant="subtle" onClick={onCancel}>
        Cancel
      </Button>
    </div>
  );
}
