import { IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { countOf } from "../format/numbers.ts";
import { restoreQuery } from "../queries.ts";
import { folderOf } from "../restore/paths.ts";
import { wizardHref } from "../restore/wizard-search.ts";
import { useMay } from "../session/may.ts";
import { LinkButton } from "../ui/link-button.tsx";

/** What a restore was asked for, in a few words; for who may know names in snapshots. */
export function RestoreOf({ job }: { job: Job }) {
  const { operate } = useMay();
  const { data } = useQuery({ ...restoreQuery(job.host.id, job.id), enabled: operate });
  if (data === undefined) return null;
  const { paths, snapshot_id: snapshot, dry_run: dry } = data.request;
  const [first = ""] = paths;
  return (
    <>
      {dry && (
        <>
          <span>preview, nothing is written</span>
          <span aria-hidden="true">·</span>
        </>
      )}
      <span>
        {paths.length === 1 ? <span className="mono">{first}</span> : countOf(paths.length, "path")} from
        snapshot <span className="mono">{snapshot.slice(0, 8)}</span>
      </span>
      <span aria-hidden="true">·</span>
    </>
  );
}

/** Back to the snapshot's files, at the folder from which something was restored. */
export function RestoreAgain({ job }: { job: Job }) {
  const { data } = useQuery(restoreQuery(job.host.id, job.id));
  const request = data?.request;
  const folder = folderOf(request?.paths[0] ?? "/");
  const href =
    request === undefined
      ? `/hosts/${job.host.id}/restore`
      : wizardHref(job.host.id, request.snapshot_id, folder === "/" ? {} : { at: folder });
  return (
    <LinkButton href={href} leftSection={<IconRefresh size={15} />}>
      Restore again
    </LinkButton>
  );
}
