import { mkdirSync } from "node:fs";
import type { JobError } from "@restic-manager/protocol/job-error";
import type { JobInput } from "@restic-manager/protocol/jobs";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import {
  restore,
  type RestoreInput,
  type RestoreItem,
  type RestoreOutcome,
} from "@restic-manager/restic/commands/restore";
import type { ResticContext } from "@restic-manager/restic/context";
import { failure, type JobRunner, type JobTools } from "../job-runner.ts";
import { watchOpening } from "../opening.ts";
import { toJobError } from "../restic-access.ts";
import { rootInPlace } from "../restore/above.ts";
import { commandLine } from "../restore/command-line.ts";
import { Measure, type Measured } from "../restore/measure.ts";
import { canDropOwnership, dropOwnership } from "../restore/ownership.ts";
import { inBytes, Report } from "../restore/report.ts";
import { keepAbove, putBack } from "../restore/untouched.ts";
import { destinationOf, refusedInPlace, type Destination, type RestorePlaces } from "../restore/target.ts";

/** A restore in the making: what is asked, where it goes, and what is known of it so far. */
interface Work {
  input: JobInput<"restore">;
  tools: JobTools<"restore">;
  context: ResticContext;
  destination: Destination;
  places: RestorePlaces;
  report: Report;
  /** In place: see `rootInPlace`. */
  root: string | undefined;
}

/**
 * Brings files back. First a dry run: it tells how much there is, whether the disk has room, what of the picked is not there at all, and
 * whether the agent itself would be written over; nothing is touched before. Then restic, then the ownership.
 */
export const runRestore: JobRunner<"restore"> = async (input, tools) => {
  const restic = tools.restic();
  if (!restic.ok) return failure(restic.error);
  const { places } = tools;
  if (places === undefined) return failure({ code: "target_refused", message: "This agent cannot restore." });
  const found = destinationOf(input.target, tools.jobId, places);
  if (!found.ok) return failure(found.error);
  const { destination } = found;
  const refused = destination.inPlace ? refusedInPlace(input.paths, places.platform) : undefined;
  if (refused !== undefined) return failure(refused);
  const { context } = restic;
  const root = destination.inPlace ? rootInPlace(input.paths) : undefined;
  const command = commandLine(
    input,
    destination,
    context.access.url,
    !destination.inPlace && canDropOwnership(),
    root,
  );
  const report = new Report({ input, tools, destination, command });
  const what = input.paths.includes("/") ? "everything" : `${input.paths.length} picked`;
  tools.log(
    "manager",
    `${input.dry_run ? "Trying out a restore of" : "Restoring"} ${what} of snapshot ${input.snapshot_id.slice(0, 8)} ${destination.inPlace ? "in place" : `to ${destination.where}`}`,
  );
  return await run({ input, tools, context, destination, places, report, root });
};

async function run(work: Work): Promise<JobOutcome> {
  const { input, tools, destination, report } = work;
  const first = await measure(work);
  if (!first.ok) return first.outcome;
  const { measured } = first;
  report.measured(measured);
  tools.log("manager", report.planInWords());
  const refused = whyNot(measured, work);
  if (refused !== undefined) return failure(refused);
  if (input.dry_run) return { state: "succeeded", result: report.result(true) };
  try {
    if (!destination.inPlace) mkdirSync(destination.where, { recursive: true, mode: 0o700 });
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown error";
    return failure({ code: "target_refused", message: `${destination.where} cannot be made: ${why}.` });
  }
  report.begin("restoring");
  const above = destination.inPlace ? keepAbove(input.paths, work.root) : [];
  const done = await call(work, {}, (item) => report.item(item));
  for (const issue of putBack(above)) report.issue(issue);
  if (!destination.inPlace) {
    report.begin("finishing");
    const trouble = await dropOwnership(destination.where, tools.kill);
    if (trouble !== undefined) report.issue({ path: "(ownership)", message: trouble });
    else if (canDropOwnership()) report.ownershipDropped();
  }
  const left = report.result(done.ok);
  tools.log("manager", report.inWords());
  if (done.ok && report.diskFull)
    return {
      state: "failed",
      error: {
        code: "disk_full",
        message: "The disk became full before everything was restored.",
        hint: "Free some space, and restore again: what is there already is not read again.",
      },
      left,
    };
  if (done.ok) return { state: "succeeded", result: left };
  return done.error === undefined
    ? { state: "cancelled", left }
    : { state: "failed", error: done.error, left };
}

/** The dry run. For a job that is nothing else, it is the restore itself. */
async function measure(
  work: Work,
): Promise<{ ok: true; measured: Measured } | { ok: false; outcome: JobOutcome }> {
  const { input, destination, places, report } = work;
  const picked = input.paths.includes("/") ? [] : input.paths.map((path) => path.replace(/(?<=.)\/+$/, ""));
  const adding = new Measure({ destination, picked, own: places.own });
  report.begin("measuring");
  // Comparing contents takes as long as restoring; sizes and times tell enough of how much room is needed.
  const cheap = !input.dry_run && input.overwrite === "always" ? { overwrite: "if-changed" as const } : {};
  const done = await call(work, { ...cheap, dryRun: true }, (item) => {
    adding.add(item);
    report.planned(item);
    if (input.dry_run) report.item(item);
  });
  if (!done.ok) return { ok: false, outcome: failure(done.error) };
  return { ok: true, measured: adding.result() };
}

/** One restic. `error` is undefined when somebody cancelled it. */
async function call(
  { input, tools, context, destination, report, root }: Work,
  changes: Partial<RestoreInput>,
  onItem: (item: RestoreItem) => void,
): Promise<{ ok: true } | { ok: false; error: JobError | undefined }> {
  const opening = watchOpening(context, tools);
  const outcome: RestoreOutcome = await restore(
    context,
    {
      snapshotId: input.snapshot_id,
      paths: input.paths.includes("/") ? "everything" : input.paths,
      target: root ?? destination.where,
      ...(root === undefined ? {} : { subfolder: root }),
      overwrite: input.overwrite,
      delete: input.delete,
      verify: input.verify && !input.dry_run && changes.dryRun !== true,
      sparse: input.sparse && changes.dryRun !== true,
      ...changes,
    },
    {
      cancel: opening.cancel,
      kill: tools.kill,
      onSpawn: tools.spawned,
      onLog: ({ stream, text }) => tools.log(stream, text),
      onWaiting: (cause) => report.waiting(cause),
      onProgress(progress) {
        opening.opened();
        report.progress(progress);
      },
      onItem(item) {
        opening.opened();
        onItem(item);
      },
    },
  );
  opening.end();
  report.ended(outcome, changes.dryRun === true && !input.dry_run);
  if (outcome.ok) return { ok: true };
  const cancelledByPerson = tools.cancel.aborted || tools.kill.aborted;
  return {
    ok: false,
    error: cancelledByPerson ? undefined : (opening.failed ?? toJobError(outcome.error)),
  };
}

function whyNot(measured: Measured, { input, places, report }: Work): JobError | undefined {
  if (measured.own !== undefined)
    return {
      code: "target_refused",
      message: `This would write over or delete what the agent itself keeps in ${measured.own} while it runs.`,
      hint: `Pick what you need beside ${places.own.join(" and ")}, or restore to a new folder.`,
    };
  if (report.nothingMatched)
    return { code: "path_missing", message: "Nothing of what was picked is in this snapshot." };
  const tight = measured.space[0];
  if (tight === undefined || tight.needed <= tight.free || input.dry_run) return undefined;
  const message = `There is not enough room: ${inBytes(tight.needed)} are to be written, and ${tight.at} has ${inBytes(tight.free)} free.`;
  // Holes take no room, and nobody knows before how many there are.
  if (input.sparse) {
    report.note(`${message} Going on, since holes take none.`);
    return undefined;
  }
  return {
    code: "disk_full",
    message,
    hint: "Free some space, restore less, or choose a folder on another disk.",
  };
}
