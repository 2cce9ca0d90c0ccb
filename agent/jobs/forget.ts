import { ResticId } from "@restic-manager/protocol/ids";
import { FORGET_LISTED, type ForgetEntry, type ForgottenGroup } from "@restic-manager/protocol/jobs/forget";
import type { RetentionPolicy } from "@restic-manager/protocol/retention";
import {
  forget,
  keepPolicy,
  type ForgetResult,
  type KeepCounts,
} from "@restic-manager/restic/commands/forget";
import { failure, type JobRunner } from "../job-runner.ts";
import { alone, openFor } from "./alone.ts";

/** Bytes of listed snapshots as JSON: a frame has 1 MiB, and the job's input may take half of it. */
const LISTED_BYTES = 256 * 1024;

/** Forgets group after group. Ends with the first that cannot be done; the log says what was done before it. */
export const runForget: JobRunner<"forget"> = async (input, tools) => {
  const opened = await openFor(tools, input.use_admin);
  if (!opened.ok) return failure(opened.error);
  const wanted = input.groups.map((group) => ({ group, keep: keepPolicy(countsOf(group.retention_policy)) }));
  const groups: ForgottenGroup[] = [];
  const room = { bytes: LISTED_BYTES };
  for (const { group, keep } of wanted) {
    const { source_group_id, source_group_name } = group;
    const named = { source_group_id, source_group_name };
    if (keep === undefined) {
      groups.push({ ...named, outcome: "skipped", why: "no_retention" });
      continue;
    }
    const done = await alone(opened.context, tools, (lock, hooks) =>
      forget(
        opened.context,
        { host: tools.hostName, tag: source_group_name, keep, dryRun: input.dry_run, ...lock },
        hooks,
      ),
    );
    if (!done.ok) return failure(done.error);
    const { kept, removed, not_removed } = done.value;
    tools.log(
      "manager",
      `${source_group_name}: ${kept.length} kept, ${removed.length} ${input.dry_run ? "would go" : "removed"}`,
    );
    groups.push({
      ...named,
      outcome: "done",
      kept_count: kept.length,
      removed_count: removed.length,
      removed: listed(removed, room),
      kept: listed(kept, room),
      not_removed_count: not_removed.length,
    });
  }
  for (const group of input.skipped) {
    tools.log("manager", `${group.source_group_name}: has no retention policy, nothing is forgotten`);
    groups.push({ ...group, outcome: "skipped", why: "no_retention" });
  }
  return { state: "succeeded", result: { dry_run: input.dry_run, groups } };
};

/** Without the dimensions that were left out. */
function countsOf(policy: RetentionPolicy): KeepCounts {
  return Object.fromEntries(Object.entries(policy).filter(([, count]) => count !== undefined));
}

type Listed = ForgetResult["removed"][number] & { reasons?: string[] };

/** The newest, as many as fit. */
function listed(snapshots: readonly Listed[], room: { bytes: number }): ForgetEntry[] {
  const entries: ForgetEntry[] = [];
  for (const { id, time, reasons } of snapshots.toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time))) {
    const known = ResticId.safeParse(id);
    const at = Date.parse(time);
    if (!known.success || Number.isNaN(at)) continue;
    const entry: ForgetEntry = {
      id: known.data,
      time: new Date(at).toISOString(),
      ...(reasons === undefined ? {} : { reasons: reasons.slice(0, 20).map((why) => why.slice(0, 128)) }),
    };
    room.bytes -= Buffer.byteLength(JSON.stringify(entry));
    if (room.bytes < 0 || entries.length >= FORGET_LISTED) break;
    entries.push(entry);
  }
  return entries;
}
