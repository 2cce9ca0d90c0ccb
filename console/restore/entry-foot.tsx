import { Button } from "@mantine/core";
import { IconDownload, IconFolderOpen, IconHistory } from "@tabler/icons-react";
import { useState } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { api } from "../api.ts";
import type { Picked } from "./picks.ts";
import styles from "./tree.module.css";
import { FileVersionsList } from "./versions.tsx";

interface EntryFootProps {
  host: Host;
  snapshot: Snapshot;
  entry: Picked | undefined;
  onRoot: (folder: string) => void;
}

/** What can be done with the one thing that has the focus, besides picking it. */
export function EntryFoot({ host, snapshot, entry, onRoot }: EntryFootProps) {
  const [versionsOf, setVersionsOf] = useState<string | null>(null);
  if (entry === undefined) {
    return (
      <div className={styles.foot}>
        <span className="quiet">Press a row to pick it. What can be done with it besides stands here.</span>
      </div>
    );
  }
  const { path, folder } = entry;
  // restic cannot be given such a name; a restore, or the folder around it as an archive, has it.
  const nameless = path.includes("\ufffd");
  const download = (title: string, as: "file" | "tar" | "zip") =>
    host.online && !nameless ? (
      <Button
        component="a"
        size="xs"
        variant="default"
        href={api.downloadHref(host.id, snapshot.id, { path, as })}
        download
        leftSection={<IconDownload size={14} />}
      >
        {title}
      </Button>
    ) : (
      <Button size="xs" variant="default" disabled leftSection={<IconDownload size={14} />}>
        {title}
      </Button>
    );
  return (
    <>
      <div className={styles.foot}>
        <span className={styles.path}>{path}</span>
        {folder ? (
          <>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconFolderOpen size={14} />}
              onClick={() => onRoot(path)}
            >
              Go into
            </Button>
            {download("Download as tar", "tar")}
            {download("Download as zip", "zip")}
          </>
        ) : (
          <>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconHistory size={14} />}
              aria-expanded={versionsOf === path}
              onClick={() => setVersionsOf(versionsOf === path ? null : path)}
            >
              Versions
            </Button>
            {download("Download", "file")}
          </>
        )}
      </div>
      {nameless && (
        <p className={styles.why}>
          The name has bytes that are no UTF-8: download the folder around it, or restore it.
        </p>
      )}
      {!host.online && (
        <p className={styles.why}>
          Downloads are blocked while {host.name} is offline: its own agent reads them.
        </p>
      )}
      {versionsOf === path && <FileVersionsList host={host} path={path} />}
    </>
  );
}
