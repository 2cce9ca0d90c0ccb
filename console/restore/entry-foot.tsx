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
  const download = (title: string, archive?: "tar" | "zip") => (
    <Button
      component="a"
      size="xs"
      variant="default"
      href={api.downloadHref(host.id, snapshot.id, path, archive)}
      download
      leftSection={<IconDownload size={14} />}
      data-disabled={!host.online || undefined}
    >
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
            {download("Download")}
          </>
        )}
      </div>
      {versionsOf === path && <FileVersionsList host={host} path={path} />}
    </>
  );
}
