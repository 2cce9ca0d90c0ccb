import { useQuery } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { asProblem } from "../api-problem.ts";
import { countOf } from "../format/numbers.ts";
import { shortDateTime } from "../format/times.ts";
import { versionsQuery } from "../queries.ts";
import { AppLink } from "../ui/app-link.tsx";
import { Bytes } from "../ui/quantity.tsx";
import { folderOf } from "./paths.ts";
import { wizardHref } from "./wizard-search.ts";
import styles from "./wizard.module.css";

/** A file as each snapshot of the host has it; equal ones that follow each other are one line. */
export function FileVersionsList({ host, path }: { host: Host; path: string }) {
  const { data, error } = useQuery(versionsQuery(host.id, path));
  if (data === undefined) {
    return (
      <p className={styles.versions} role="status">
        {error === null ? "Looking through every snapshot of this host…" : asProblem(error).message}
      </p>
    );
  }
  const versions = distinct(data.items);
  return (
    <div className={styles.versions}>
      <p className="quiet">
        {countOf(versions.length, "version")} in {countOf(data.items.length, "snapshot")}
        {data.truncated ? ", the newest of more" : ""}
      </p>
      <ul>
        {versions.map((version) => (
          <li key={version.snapshot_id}>
            <AppLink
              className="link mono"
              href={wizardHref(host.id, version.snapshot_id, { at: folderOf(path) })}
            >
              {version.snapshot_id.slice(0, 8)}
            </AppLink>
            <span>{shortDateTime(version.mtime_ms)}</span>
            <Bytes value={version.size} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Of each version the snapshot that is named last: the repository's order, from old to new. */
function distinct<Version extends { size: number; mtime_ms: number; mode: number }>(
  items: readonly Version[],
): Version[] {
  const by = new Map<string, Version>();
  for (const item of items) by.set(`${item.size} ${item.mtime_ms} ${item.mode}`, item);
  return [...by.values()].toSorted((a, b) => b.mtime_ms - a.mtime_ms);
}
