import type { RepositoryCredentials } from "@restic-manager/protocol/config";
import type { JobId } from "@restic-manager/protocol/ids";
import type { HeldJob } from "./journal.ts";

/** True for a job that is done with what may delete; its input says so, and is all of it that is written down. */
export function needsAdmin(job: HeldJob): boolean {
  return "use_admin" in job.input && job.input.use_admin;
}

/**
 * What may delete in the repository, for the jobs that came with it and no longer than they take. In memory only: an agent that
 * restarts has none, and asks for the command once more before it begins such a job.
 */
export class AdminCredentials {
  readonly #held = new Map<JobId, RepositoryCredentials>();
  /** Jobs of an earlier life whose command has not come again yet. */
  readonly #parked = new Map<JobId, HeldJob>();

  keep(id: JobId, credentials: RepositoryCredentials): void {
    this.#held.set(id, credentials);
  }

  of(id: JobId): RepositoryCredentials | undefined {
    return this.#held.get(id);
  }

  drop(id: JobId): void {
    this.#held.delete(id);
  }

  /** Those of the jobs that cannot begin before their command has come once more. */
  missing(jobs: readonly HeldJob[]): HeldJob[] {
    return jobs.filter((job) => job.state === "accepted" && needsAdmin(job) && !this.#held.has(job.id));
  }

  /** Sets aside what is `missing`, and gives the others. */
  park(jobs: readonly HeldJob[]): HeldJob[] {
    const missing = new Set(this.missing(jobs));
    for (const job of missing) this.#parked.set(job.id, job);
    return jobs.filter((job) => !missing.has(job));
  }

  /** Takes a job that was set aside; undefined when it was not. */
  unpark(id: JobId): HeldJob | undefined {
    const job = this.#parked.get(id);
    this.#parked.delete(id);
    return job;
  }
}
