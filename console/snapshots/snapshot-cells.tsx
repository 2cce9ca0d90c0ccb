import type { Snapshot } from "@restic-manager/protocol/snapshot";

/** What a snapshot is of, in one line. */
export function PathsInLine({ snapshot }: { snapshot: Snapshot }) {
  const [first, ...rest] = snapshot.paths;
  const more = snapshot.paths_total - 1;
  return (
    <>
      <span className="mono">{more <= 2 ? [first, ...rest].join(", ") : first}</span>
      {more > 2 && <span className="quiet"> and {more} more</span>}
    </>
  );
}

export function TagsInLine({ snapshot }: { snapshot: Snapshot }) {
  return <>{snapshot.tags.join(", ") || <span className="quiet">none</span>}</>;
}
