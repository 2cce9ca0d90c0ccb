import { useState } from "react";
import { Button } from "@mantine/core";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { SourceGroup } from "@restic-manager/protocol/api/sources";
import { useMay } from "../session/may.ts";
import { Panel } from "../ui/panel.tsx";
import { HooksForm } from "./hooks-form.tsx";
import { HooksInWords } from "./hooks-in-words.tsx";

/** The hooks of a group, or with null the host's own. Admins change them; what they say is shown to nobody. */
export function HooksPanel({ host, group }: { host: Host; group: SourceGroup | null }) {
  const { administer } = useMay();
  const [open, setOpen] = useState(false);
  const own = group === null ? (host.default_hooks ?? null) : group.hooks;
  return (
    <Panel
      title={group === null ? "Default hooks" : "Hooks"}
      note={
        group === null
          ? "Commands that run around backups of groups without hooks of their own."
          : "Commands that run around backups of this group, instead of the host’s."
      }
      {...(administer && !open
        ? {
            actions: (
              <Button size="xs" variant="default" onClick={() => setOpen(true)}>
                {own === null ? "Set hooks" : "Replace or remove"}
              </Button>
            ),
          }
        : {})}
    >
      {open ? (
        <HooksForm hostId={host.id} groupId={group?.id ?? null} stored={own} onDone={() => setOpen(false)} />
      ) : (
        <HooksInWords own={own} {...(group === null ? {} : { inherited: host.default_hooks ?? null })} />
      )}
    </Panel>
  );
}
