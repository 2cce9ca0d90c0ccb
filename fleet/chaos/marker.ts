/**
 * Each order of a backup gets a cap of its own, far above what any disk can do: the cap travels from the API through the job's
 * input to restic's arguments, so that a run of restic can be told to belong to one order.
 */
const FIRST = 1_000_000;
const LAST = 9_999_999;

export const MARKER_FLAG = /--limit-upload=(\d+)/;

export function markers(): () => number {
  let next = FIRST;
  return () => {
    if (next > LAST) throw new Error("no marker is left");
    return next++;
  };
}

/** The marker in a job's input; undefined for jobs that nobody ordered here. */
export function markerOf(input: string): number | undefined {
  const found = /"upload_kib_per_s":(\d+)/.exec(input)?.[1];
  return found === undefined ? undefined : Number(found);
}
