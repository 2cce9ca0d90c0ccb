import { jobKinds, type JobKind } from "@restic-manager/protocol/jobs";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { TransientMessage } from "@restic-manager/protocol/messages";
import type { Bus } from "../platform/bus.ts";

/** The last progress of each running job. Never stored: it is old within a second. */
export class ProgressBoard {
  readonly #bus: Bus;
  readonly #latest = new Map<JobId, { hostId: HostId; progress: Record<string, unknown> }>();
  readonly #ownerOf: (jobId: JobId) => Promise<HostId | undefined>;
  /** Jobs whose owner was looked up; an agent cannot report for another's. */
  readonly #owners = new Map<JobId, Promise<HostId | undefined>>();

  /** `ownerOf`: the host of a job that runs or waits; `undefined` for any other. */
  constructor(bus: Bus, ownerOf: (jobId: JobId) => Promise<HostId | undefined>) {
    this.#bus = bus;
    this.#ownerOf = ownerOf;
    bus.subscribe("job.changed", ({ jobId }) => void this.#forgetIfOver(jobId));
    // Also what another server's agent reports: a page that opens here shows it at once.
    bus.subscribe("job.progress", ({ jobId, hostId, progress: reported }) => {
      this.#latest.set(jobId, { hostId, progress: reported });
    });
    bus.subscribe("bus.resync", () => {
      for (const jobId of this.#latest.keys()) void this.#forgetIfOver(jobId);
    });
  }

  latest(jobId: JobId): Record<string, unknown> | undefined {
    return this.#latest.get(jobId)?.progress;
  }

  async report(hostId: HostId, message: Extract<TransientMessage, { type: "job.progress" }>): Promise<void> {
    const parsed = jobKinds[message.kind].progress.safeParse(message.progress);
    if (!parsed.success) return;
    const { job_id: jobId } = message;
    if ((await this.#owner(jobId)) !== hostId) return;
    // Its end may have come while this waited.
    if (!this.#owners.has(jobId)) return;
    const kind: JobKind = message.kind;
    this.#bus.publish("job.progress", { jobId, hostId, kind, progress: parsed.data });
  }

  /** Only the owners of jobs that run are remembered: whoever makes up job ids must not fill the memory. */
  async #owner(jobId: JobId): Promise<HostId | undefined> {
    const known = this.#owners.get(jobId);
    if (known !== undefined) return await known;
    const asked = this.#ownerOf(jobId);
    this.#owners.set(jobId, asked);
    const owner = await asked.catch((error: unknown) => {
      this.#owners.delete(jobId);
      throw error;
    });
    if (owner === undefined) this.#owners.delete(jobId);
    return owner;
  }

  /** Jobs that are remembered. */
  get size(): number {
    return Math.max(this.#owners.size, this.#latest.size);
  }

  async #forgetIfOver(jobId: JobId): Promise<void> {
    if (!this.#owners.has(jobId) && !this.#latest.has(jobId)) return;
    const owner = await this.#ownerOf(jobId).catch(() => undefined);
    if (owner !== undefined) return;
    this.#owners.delete(jobId);
    this.#latest.delete(jobId);
  }
}
