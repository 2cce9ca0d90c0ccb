import type { Job } from "@restic-manager/protocol/api/jobs";
import { countOf } from "../format/numbers.ts";

/** As many missed runs or more (protocol/limits.ts): the agent stops counting there. */
const MISSED_COUNTED = 1_000;

/** Who or what caused a job, for a cell and after "by". */
export function startedBy({ actor, schedule }: Pick<Job, "actor" | "schedule">): string {
  if (schedule === undefined) {
    if (actor.kind === "schedule") return "a schedule";
    return actor.kind === "system" ? "the server" : actor.name;
  }
  if (schedule.attempt > 0) return "a schedule, tried again";
  if (schedule.missed_count > 0) return "a schedule, catching up";
  return "a schedule";
}

/** What there is to know of a job that is not a schedule's run in time; null for every other. `at` is the scheduled time in words. */
export function lateWords(
  schedule: NonNullable<Job["schedule"]>,
  at: string,
): { title: string; text: string } | null {
  const { attempt, missed_count: missed } = schedule;
  if (attempt > 0) {
    return {
      title: `Tried again, attempt ${attempt + 1} of the run of ${at}`,
      text: "The one before it failed for want of the network or for a lock.",
    };
  }
  if (missed === 0) return null;
  const counted = missed >= MISSED_COUNTED ? "1,000 or more missed runs" : countOf(missed, "missed run");
  return {
    title: `This run stands for ${counted}, the last of ${at}`,
    text: "The machine was off, asleep, or its clock was set. One backup catches up with all of them.",
  };
}
