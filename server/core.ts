import type { FleetSummary } from "@restic-manager/protocol/api/fleet";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import { wholeAgentConfig } from "./agent-config.ts";
import { refreshHost, refreshHosts } from "./hosts/refresh.ts";
import { jobOver } from "./job-over.ts";
import { createJob, jobIds, type NewJob } from "./jobs/create.ts";
import { ownersOfActive } from "./jobs/jobs.ts";
import { ProgressBoard } from "./jobs/progress.ts";
import { finishLost } from "./jobs/record.ts";
import { recordLogs } from "./jobs/record-logs.ts";
import { hostNames } from "./jobs/store.ts";
import { Link } from "./link/link.ts";
import type { NodeParts } from "./link/nodes.ts";
import type { Audit } from "./platform/audit.ts";
import type { Bus } from "./platform/bus.ts";
import { instant, type Clock } from "./platform/clock.ts";
import { isStoreTrouble } from "./platform/db/errors.ts";
import type { Database, Trx } from "./platform/db/schema.ts";
import { gathered } from "./platform/gathered.ts";
import type { Log } from "./platform/log.ts";
import type { Seal } from "./platform/seal.ts";
import { receiveDurable } from "./reception.ts";
import { adminCredentials } from "./repositories/admin.ts";
import { needInit } from "./repositories/config.ts";
import { agentSchedules } from "./schedules/agent-schedules.ts";

export interface CoreParts {
  db: Database;
  clock: Clock;
  bus: Bus;
  nodes: NodeParts;
  log: Log;
  seal: Seal;
  audit: Audit;
  publicAddress: () => Promise<string>;
  /** How long frames of agents gather before they are committed together; no longer than a turn of the event loop unless told. */
  gatherMs?: number | undefined;
}

/** What several rooms need and one must own: the link to the agents, the making of jobs, their progress. */
export interface Core {
  link: Link;
  progress: ProgressBoard;
  /** Writes the job as queued and refreshes its host. The caller tells the bus after its commit. */
  createJob: (trx: Trx, job: NewJob) => Promise<{ id: JobId }>;
  /** Tells the bus of a job that was committed, so that it is delivered and shown. */
  announceJob: (hostId: HostId, jobId: JobId) => void;
  storeState: () => FleetSummary["store"];
}

const SYSTEM = { kind: "system" as const, id: null, name: "restic-manager", address: null };

/** Builds the core. Nothing runs before `link.start`. */
export function createCore({
  db,
  clock,
  bus,
  nodes,
  log,
  seal,
  audit,
  publicAddress,
  gatherMs,
}: CoreParts): Core {
  const nextId = jobIds(clock);
  const progress = new ProgressBoard(
    bus,
    gathered((jobIds) => ownersOfActive(db, jobIds)),
  );
  const create = async (trx: Trx, job: NewJob): Promise<{ id: JobId }> => {
    const made = await createJob(trx, { clock, nextId }, job);
    await refreshHost(trx, job.hostId);
    return made;
  };

  let storeState: FleetSummary["store"] = { state: "ok" };
  bus.subscribe("store.changed", ({ failing, message }) => {
    storeState = failing
      ? { state: "failing", since: instant(clock.now()), message: message ?? "the store refuses to write" }
      : { state: "ok" };
  });

  const configFor = async (hostId: HostId) => {
    const config = await wholeAgentConfig(db, seal, hostId);
    if (config === undefined || config.repository === null) return config;
    await db.transaction().execute(async (trx) => {
      const name = (await hostNames(trx, [hostId])).get(hostId)?.name ?? config.host_name;
      await audit.record(trx, {
        actor: { kind: "agent", id: hostId, name, address: null },
        action: "credential.read_by_agent",
        target: { kind: "host", id: hostId, name },
        detail: { slot: "repo", config_version: config.version },
      });
    });
    return config;
  };

  const adminFor = async (hostId: HostId, jobIds: readonly JobId[]) => {
    const credentials = await adminCredentials(db, seal, hostId);
    if (credentials === undefined) return undefined;
    await db.transaction().execute(async (trx) => {
      const name = (await hostNames(trx, [hostId])).get(hostId)?.name ?? hostId;
      await audit.record(trx, {
        actor: { kind: "agent", id: hostId, name, address: null },
        action: "credential.read_by_agent",
        target: { kind: "host", id: hostId, name },
        detail: { slot: "admin", job_ids: jobIds.join(" ") },
      });
    });
    return credentials;
  };

  const link = new Link({
    db,
    clock,
    bus,
    nodes,
    publicAddress,
    apply: receiveDurable,
    applyLogs: recordLogs,
    async refreshHosts(trx, hostIds) {
      await refreshHosts(trx, hostIds);
    },
    async finishLost(trx, lost, touched) {
      for (const job of await finishLost(trx, lost, clock.now(), touched))
        for (const next of await jobOver(trx, job)) touched.waiting.set(next.id, next.host_id);
    },
    configFor,
    adminFor,
    schedulesFor: (hostId) => agentSchedules(db, hostId),
    progress(hostId, message) {
      progress.report(hostId, message).catch((error: unknown) => log.error("could not note progress", error));
    },
    async arrived(trx, hostIds) {
      for (const hostId of await needInit(trx, hostIds))
        await create(trx, { kind: "init", input: {}, hostId, actor: SYSTEM });
    },
    ...(gatherMs === undefined
      ? {}
      : { gather: () => new Promise<void>((resolve) => void clock.after(gatherMs, resolve)) }),
    isStoreTrouble,
    onError: (error, doing) => log.error(`could not ${doing}`, error),
    onUnfit: ({ jobId, hostId, event }) =>
      log.info("an event of a job that is over changed nothing", { job: jobId, host: hostId, event }),
  });

  return {
    link,
    progress,
    createJob: create,
    announceJob(hostId, jobId) {
      bus.publish("job.queued", { jobId, hostId });
      bus.publish("job.changed", { jobId, hostId });
      bus.publish("host.changed", { hostId });
    },
    storeState: () => storeState,
  };
}
