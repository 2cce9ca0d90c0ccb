import { readdirSync, writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

/** How much further back than the agent itself, and the last place there is; see nice(1). */
const BEHIND = 10;
const LAST = 19;
/** A second pass finds what was started during the first; a system that gives another place than was asked for needs an end. */
const PASSES = 4;

/**
 * Lets a process run behind whatever else wants the processor. Where the system does not want that, or the process is over already, all
 * stay equals.
 */
export function behindOthers(pid: number): void {
  const place = Math.min(LAST, getPriority() + BEHIND);
  // On Linux each thread has a place of its own and gives it to those that it starts; a program that has begun may have some already.
  for (let pass = 0; pass < PASSES; pass += 1)
    for (const thread of threadsOf(pid)) if (placeOf(thread) < place) moveTo(thread, place);
  try {
    // A child is a session of its own, and Linux may share the processor among sessions first: sched(7), autogroup.
    if (process.platform === "linux") writeFileSync(`/proc/${pid}/autogroup`, String(place));
  } catch {
    // Not every kernel has it.
  }
}

/** Elsewhere than on Linux a process is one. */
function threadsOf(pid: number): number[] {
  if (process.platform !== "linux") return [pid];
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

function placeOf(thread: number): number {
  try {
    return getPriority(thread);
  } catch {
    return LAST;
  }
}

function moveTo(thread: number, place: number): void {
  try {
    setPriority(thread, place);
  } catch {
    // It has ended, or may not be moved.
  }
}
