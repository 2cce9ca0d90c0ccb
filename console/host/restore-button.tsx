import { IconRestore } from "@tabler/icons-react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { useMay } from "../session/may.ts";
import { LinkButton } from "../ui/link-button.tsx";

/** Leads to restoring files of this host; not there when there is nothing to restore, or for viewers. */
export function RestoreButton({ host }: { host: Host }) {
  const { operate } = useMay();
  if (!operate || host.snapshot_count === 0) return null;
  return (
    <LinkButton href={`/hosts/${host.id}/restore`} variant="default" leftSection={<IconRestore size={16} />}>
      Restore files
    </LinkButton>
  );
}
