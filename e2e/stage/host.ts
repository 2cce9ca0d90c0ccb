import { FleetSummary } from "@restic-manager/protocol/api/fleet";
import { Host, SnapshotsPage } from "@restic-manager/protocol/api/hosts";
import { SourceGroups } from "@restic-manager/protocol/api/sources";
import { CreatedJob, Job, JobLogPage, JobsPage } from "@restic-manager/protocol/api/jobs";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Bandwidth } from "@restic-manager/protocol/jobs/backup";
import type { AgentProcess } from "./agent-process.ts";
import type { ServerProcess } from "./server-process.ts";
import { until } from "./until.ts";

/** A job that is over. */
export type FinishedJob = Extract<Job, { finished_at: string }>;

/** A machine as the API shows it, with its agent. */
export class HostOnStage {
  readonly server: ServerProcess;
  readonly agent: AgentProcess;
  readonly id: HostId;
  readonly name: string;

  constructor(server: ServerProcess, agent: AgentProcess, id: HostId, name: string) {
    this.server = server;
    this.agent = agent;
    this.id = id;
    this.name = name;
  }

  look(): Promise<Host> {
    return this.server.api.call("GET", `/api/hosts/${this.id}`, Host);
  }

  /** Starts a backup as the console's button does. `bandwidth`: caps for this run. */
  async backUp(bandwidth: Bandwidth = {}): Promise<Job> {
    const { api } = this.server;
    const { items } = await api.call("GET", `/api/hosts/${this.id}/source-groups`, SourceGroups);
    const group = items[0]?.id ?? "none";
    const path = `/api/hosts/${this.id}/source-groups/${group}/run`;
    return (await api.call("POST", path, CreatedJob, { bandwidth })).job;
  }

  job(id: string): Promise<Job> {
    return this.server.api.call("GET", `/api/jobs/${id}`, Job);
  }

  async finished(id: string, seconds?: number): Promise<FinishedJob> {
    const over = async (): Promise<FinishedJob | undefined> => {
      const job = await this.job(id);
      return job.state === "queued" || job.state === "running" ? undefined : job;
    };
    return await until(`job ${id} is over`, over, seconds);
  }

  /** The whole log of a job. Throws when a line is missing, comes twice or stands in the wrong place. */
  async log(id: string): Promise<string[]> {
    const texts: string[] = [];
    for (;;) {
      const path = `/api/jobs/${id}/log?from=${texts.length}&limit=10000`;
      const page = await this.server.api.call("GET", path, JobLogPage);
      if (page.gaps.length > 0) throw new Error(`the log of ${id} has gaps: ${JSON.stringify(page.gaps)}`);
      if (page.lines.length === 0) return texts;
      for (const line of page.lines) {
        if (line.n !== texts.length)
          throw new Error(`line ${line.n} of ${id} stands in place ${texts.length}`);
        texts.push(line.text);
      }
    }
  }

  async jobs(): Promise<Job[]> {
    const path = `/api/jobs?host_id=${this.id}&limit=500`;
    return (await this.server.api.call("GET", path, JobsPage)).items;
  }

  async snapshots(): Promise<SnapshotsPage["items"]> {
    return (await this.server.api.call("GET", `/api/hosts/${this.id}/snapshots`, SnapshotsPage)).items;
  }

  async online(): Promise<void> {
    await until(`${this.name} is connected`, async () => (await this.look()).online, 90);
  }

  /** Nothing waits or runs, and the server has everything the agent had to say. */
  async atRest(): Promise<void> {
    await until(
      "everything is at rest",
      async () => {
        const { running_jobs, queued_jobs } = await this.server.api.call(
          "GET",
          "/api/fleet/summary",
          FleetSummary,
        );
        return running_jobs === 0 && queued_jobs === 0 && this.agent.waiting() === 0;
      },
      90,
    );
  }
}
