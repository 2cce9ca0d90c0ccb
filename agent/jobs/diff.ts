import {
  DIFF_BATCH,
  DIFF_KEPT,
  DIFF_KEPT_BYTES,
  type DiffChange,
  type DiffCounts,
} from "@restic-manager/protocol/jobs/diff";
import { JobId } from "@restic-manager/protocol/ids";
import type { JobInput } from "@restic-manager/protocol/jobs";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import { diff, type Change } from "@restic-manager/restic/commands/diff";
import type { ResticContext } from "@restic-manager/restic/context";
import type { TreeReader } from "../browse/tree-reader.ts";
import { FolderSums, noChanges } from "../diff/folder-sums.ts";
import { Sizes } from "../diff/sizes.ts";
import { failure, type JobRunner, type JobTools } from "../job-runner.ts";
import { watchOpening } from "../opening.ts";
import { toJobError } from "../restic-access.ts";

/** A batch is sent when it has so many bytes, so that it fits a frame whatever the names are. */
const BATCH_BYTES = 256 * 1024;
/** Or when it has waited so long: somebody may be watching. */
const BATCH_MS = 500;

/** Compares two snapshots. What differs goes to the server as it is found; the result has the sums. */
export const runDiff: JobRunner<"diff"> = async (input, tools) => {
  const restic = tools.restic();
  if (!restic.ok) return failure(restic.error);
  const { context } = restic;
  const compared = (before?: TreeReader, after?: TreeReader) => compare(context, input, tools, before, after);
  // Indexes are nice to have: what differs is told without them as well.
  const { lookInto } = tools;
  if (lookInto === undefined) return await compared();
  const [before, after] = [
    { id: input.from, tree: input.from_tree },
    { id: input.to, tree: input.to_tree },
  ] as const;
  return await lookInto(before, tools.cancel, (from) =>
    lookInto(after, tools.cancel, (to) => compared(from, to)),
  );
};

async function compare(
  context: ResticContext,
  input: JobInput<"diff">,
  tools: JobTools<"diff">,
  before: TreeReader | undefined,
  after: TreeReader | undefined,
): Promise<JobOutcome> {
  const began = tools.timers.now();
  const seconds = (): number => Math.max(0, tools.timers.now() - began) / 1_000;
  const told = new Telling(tools);
  const sums = new FolderSums();
  const counts = noChanges();
  const sizes = { before: before && new Sizes(before), after: after && new Sizes(after) };
  let cause: string | undefined;
  const say = (): void =>
    tools.progress({
      phase: cause === undefined ? "comparing" : "waiting_for_repository",
      counts: { ...counts },
      seconds_elapsed: Math.round(seconds()),
      ...(cause === undefined ? {} : { waiting_cause: cause.slice(0, 1_024) }),
    });
  const opening = watchOpening(context, tools);
  const outcome = await diff(
    context,
    { from: input.from, to: input.to },
    {
      cancel: opening.cancel,
      kill: tools.kill,
      onSpawn: tools.spawned,
      onLog: ({ stream, text }) => tools.log(stream, text),
      onWaiting(why) {
        cause = why;
        say();
      },
      onChange(found) {
        opening.opened();
        const change = withSizes(found, sizes);
        counts[change.kind] += 1;
        sums.add(change);
        told.add(change);
        say();
      },
    },
  );
  opening.end();
  told.flush();
  if (!outcome.ok) {
    const cancelledByPerson = tools.cancel.aborted || tools.kill.aborted;
    return failure(cancelledByPerson ? undefined : (opening.failed ?? toJobError(outcome.error)));
  }
  const { added, removed } = outcome.value;
  return {
    state: "succeeded",
    result: {
      from: input.from,
      to: input.to,
      added,
      removed,
      counts: { ...counts } satisfies DiffCounts,
      kept: told.kept,
      truncated: told.truncated,
      sizes_known: before !== undefined && after !== undefined,
      folders: sums.top(),
      duration_seconds: seconds(),
    },
  };
}

/** Sends changes in batches, up to as many as are kept. */
class Telling {
  readonly #tools: JobTools<"diff">;
  #batch: DiffChange[] = [];
  #batchBytes = 0;
  #since = 0;
  #bytes = 0;
  kept = 0;
  truncated = false;

  constructor(tools: JobTools<"diff">) {
    this.#tools = tools;
  }

  add(change: DiffChange): void {
    const bytes = Buffer.byteLength(JSON.stringify(change));
    if (this.truncated || this.kept >= DIFF_KEPT || this.#bytes + bytes > DIFF_KEPT_BYTES) {
      this.truncated = true;
      return;
    }
    const now = this.#tools.timers.now();
    if (this.#batch.length === 0) this.#since = now;
    this.#batch.push(change);
    this.#batchBytes += bytes;
    this.#bytes += bytes;
    this.kept += 1;
    const old = Math.abs(now - this.#since) >= BATCH_MS;
    if (this.#batch.length >= DIFF_BATCH || this.#batchBytes >= BATCH_BYTES || old) this.flush();
  }

  flush(): void {
    if (this.#batch.length === 0) return;
    const job_id = JobId.parse(this.#tools.jobId);
    this.#tools.tell?.({
      type: "diff.changes",
      job_id,
      first: this.kept - this.#batch.length,
      changes: this.#batch,
    });
    this.#batch = [];
    this.#batchBytes = 0;
  }
}

function withSizes(
  { path, is_folder, kind, suspicious }: Change,
  sizes: { before: Sizes | undefined; after: Sizes | undefined },
): DiffChange {
  const size_before = is_folder || kind === "added" ? undefined : sizes.before?.of(path);
  const size_after = is_folder || kind === "removed" ? undefined : sizes.after?.of(path);
  return {
    path: path.slice(0, 16_384),
    kind,
    is_folder,
    ...(suspicious ? { suspicious } : {}),
    ...(size_before === undefined ? {} : { size_before }),
    ...(size_after === undefined ? {} : { size_after }),
  };
}
