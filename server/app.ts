import { OpenAPIHono } from "@hono/zod-openapi";
import type { JobId } from "@restic-manager/protocol/ids";
import type { Audit } from "./platform/audit.ts";
import { sessionCookie } from "./auth/cookie.ts";
import { identify } from "./auth/identify.ts";
import { sessionRoom } from "./auth/session-routes.ts";
import { isSessionAlive } from "./auth/sessions.ts";

import { setupRoom } from "./auth/setup-routes.ts";
import type { Bus } from "./platform/bus.ts";
import type { Clock } from "./platform/clock.ts";
import type { Config } from "./platform/config.ts";
import type { OpenStore } from "./platform/db/open.ts";
import type { Database } from "./platform/db/schema.ts";
import { bodyLimit } from "./platform/http/body-limit.ts";
import type { RoomEnv } from "./platform/http/caller.ts";
import { docsRoom } from "./platform/http/docs-room.ts";
import { answerError, front } from "./platform/http/front.ts";
import { healthRoom } from "./platform/http/health-room.ts";
import { unrouted, type KnownRoute } from "./platform/http/methods.ts";
import { problemResponse } from "./platform/http/problem.ts";
import type { Ids } from "./platform/ids.ts";
import type { Instance } from "./platform/instance.ts";
import type { Leases } from "./platform/lease.ts";
import type { Log } from "./platform/log.ts";
import type { Seal } from "./platform/seal.ts";
import { wholeAgentConfig } from "./agent-config.ts";
import { browseRoom } from "./browse/routes.ts";
import { compareRoom } from "./compare/routes.ts";
import type { Core } from "./core.ts";
import { installRoom } from "./enrolment/install-routes.ts";
import { INSTALL_SCRIPT } from "./enrolment/install-script.ts";
import { enrolmentRoom } from "./enrolment/routes.ts";
import { eventsRoom } from "./events/routes.ts";
import { jobOver } from "./job-over.ts";
import { viewHosts } from "./hosts/list.ts";
import { refreshHost } from "./hosts/refresh.ts";
import { hostsRoom } from "./hosts/routes.ts";
import { jobsRoom } from "./jobs/routes.ts";
import { isAppendOnly } from "./maintenance/append-only.ts";
import { orderUpkeep } from "./maintenance/order.ts";
import { maintenanceRoom } from "./maintenance/routes.ts";
import { countUpkeepFrom } from "./maintenance/store.ts";
import { findJob, findJobs } from "./jobs/jobs.ts";
import { dropWaiting } from "./jobs/waiting-store.ts";
import { serveAgentBinaries } from "./platform/http/agent-binaries.ts";
import { hasCredentials, storeCredentials } from "./repositories/config.ts";
import { hasAdmin } from "./repositories/admin.ts";
import { adminCredentialsRoom } from "./repositories/admin-routes.ts";
import { repositoriesRoom } from "./repositories/routes.ts";
import { hostPartsOf } from "./repositories/host-parts.ts";
import { nextRuns } from "./schedules/next-runs.ts";
import { restoreRoom } from "./restore/routes.ts";
import { schedulesRoom } from "./schedules/routes.ts";
import { schedulesUsing } from "./schedules/store.ts";
import { chosenSnapshotsRoom } from "./snapshots/chosen-routes.ts";
import { snapshotsRoom } from "./snapshots/routes.ts";
import { defaultHooks } from "./sources/hooks.ts";
import { seedSourceGroup } from "./sources/groups.ts";
import { sourcesRoom } from "./sources/routes.ts";
import { templatesRoom } from "./templates/routes.ts";

/** The parts that `start.ts` builds and rooms are made from. A room names the few it needs in its own `…Parts`. */
export interface AppParts {
  config: Config;
  clock: Clock;
  log: Log;
  bus: Bus;
  store: OpenStore;
  db: Database;
  seal: Seal;
  ids: Ids;
  audit: Audit;
  instance: Instance;
  version: string;
  /** This server's place among others, and work that one of them does for all. */
  leases: Leases;
  /** Aborts when the server is about to stop: nothing new should be sent to it. */
  leaving: AbortSignal;
  /** Aborts when the server stops; streams end with it. */
  stopping: AbortSignal;
  /** The link, the making of jobs and their progress. */
  core: Core;
  /** Folder with the agents' executables. */
  agentsFolder: string;
  /** Answers what no route takes: the console. */
  pages: (request: Request) => Response | Promise<Response>;
}

/** The composition root of everything over HTTP: the only place that knows every room. */
export function createApp(parts: AppParts) {
  const { config, db, clock, log, instance, store, seal, ids, core } = parts;
  const cookie = sessionCookie(config.cookieSecure);

  const app = new OpenAPIHono<RoomEnv>();
  app.onError(answerError(log));
  app.use(front({ proxies: config.trustedProxies, publicAddress: () => instance.baseUrl() }));
  app.use(bodyLimit());
  app.use("/api/*", identify(db, clock, cookie));

  const viewJob = (jobId: JobId) => findJob({ db, progress: core.progress }, jobId);
  const sessionAlive = (sessionHash: string) => isSessionAlive(db, clock, sessionHash);
  const streams = {
    clock,
    stopping: parts.stopping,
    onError: (error: unknown) => log.error("a stream ended with an error", error),
  };

  let document: ReturnType<typeof app.getOpenAPI31Document> | null = null;
  const describe = () =>
    (document ??= app.getOpenAPI31Document({
      openapi: "3.1.0",
      info: { title: "restic-manager", version: parts.version },
    }));

  const rooms = app
    .route(
      "/",
      healthRoom({
        instanceId: instance.id,
        probe: () => store.probe(),
        nats: () => (config.nats === null ? "alone" : parts.bus.cutOffSince() === null ? "ok" : "cut_off"),
        leaving: parts.leaving,
      }),
    )
    .route("/", docsRoom(describe))
    .route("/", sessionRoom({ ...parts, cookie }))
    .route("/", setupRoom({ ...parts, cookie, secretKeyFile: config.secretKeyFile, keyId: seal.keyId }))
    .route(
      "/",
      hostsRoom({
        ...parts,
        progressOf: (jobId) => core.progress.latest(jobId),
        partsOf: async (hostId) => ({
          ...(await hostPartsOf(db, hostId)),
          ...(await nextRuns(db, [hostId], clock.now())).get(hostId),
          default_hooks: await defaultHooks(db, hostId),
        }),
        nextRuns: (ids) => nextRuns(db, ids, clock.now()),
        storeState: core.storeState,
      }),
    )
    .route("/", snapshotsRoom(parts))
    .route("/", adminCredentialsRoom(parts))
    .route("/", maintenanceRoom({ ...parts, createJob: core.createJob, viewJob }))
    .route("/", browseRoom({ ...parts, ask: (...question) => core.link.questions.ask(...question) }))
    .route(
      "/",
      restoreRoom({
        ...parts,
        ...core,
        hasCredentials,
        begin: (...wish) => core.link.downloads.begin(...wish),
        isSessionAlive: sessionAlive,
        viewJob,
        viewJobs: (ids) => findJobs({ db, progress: core.progress }, ids),
      }),
    )
    .route("/", compareRoom({ ...parts, ...core, viewJob }))
    .route(
      "/",
      chosenSnapshotsRoom({
        ...parts,
        ...core,
        viewJob,
        hasAdmin,
        isAppendOnly,
      }),
    )
    .route(
      "/",
      sourcesRoom({
        ...parts,
        hasCredentials,
        createJob: core.createJob,
        viewJob,
        usedBy: schedulesUsing,
        dropWaiting: (trx, sourceGroupId) => dropWaiting(trx, { sourceGroupId }, clock.now()),
      }),
    )
    .route(
      "/",
      schedulesRoom({
        ...parts,
        hasCredentials,
        createJob: core.createJob,
        viewJob,
        dropWaitingOf: (trx, scheduleId, groups) => dropWaiting(trx, { scheduleId, groups }, clock.now()),
        countUpkeepFrom,
      }),
    )
    .route("/", templatesRoom({ ...parts, dropWaiting: (trx, of) => dropWaiting(trx, of, clock.now()) }))
    .route(
      "/",
      repositoriesRoom({
        ...parts,
        createInitJob: (trx, hostId, actor) =>
          core.createJob(trx, { kind: "init", input: {}, hostId, actor }),
      }),
    )
    .route(
      "/",
      enrolmentRoom({
        ...parts,
        baseUrl: () => instance.baseUrl(),
        storeCredentials: (trx, hostId, credentials) =>
          storeCredentials(trx, seal, hostId, credentials, clock.now()),
        seedSourceGroup: (trx, host, wished) => seedSourceGroup(trx, ids, host, wished, clock.now()),
        configOf: (trx, hostId) => wholeAgentConfig(trx, seal, hostId),
      }),
    )
    .route(
      "/",
      installRoom({
        ...parts,
        installScript: INSTALL_SCRIPT,
        binaries: serveAgentBinaries(parts.agentsFolder),
      }),
    )
    .route(
      "/",
      jobsRoom({
        ...parts,
        ...core,
        create: core.createJob,
        orderUpkeep: (trx, hostId, wish, actor) =>
          orderUpkeep({ ...parts, createJob: core.createJob }, trx, hostId, wish, actor),
        refreshHost,
        jobOver,
        streams,
        isSessionAlive: sessionAlive,
      }),
    )
    .route(
      "/",
      eventsRoom({
        ...parts,
        ...streams,
        viewHosts: async (ids) => {
          const rows = await viewHosts(db, ids, (jobId) => core.progress.latest(jobId));
          const next = await nextRuns(db, ids, clock.now());
          return rows.map((row) => ({ ...row, ...next.get(row.id) }));
        },
        viewJobs: (ids) => findJobs({ db, progress: core.progress }, ids),
        isSessionAlive: sessionAlive,
      }),
    );

  const known = knownRoutes(app);
  app.notFound((c) => {
    const outside = !/^\/(api|healthz|readyz|install|agent)(\/|$)/.test(c.req.path);
    return outside ? parts.pages(c.req.raw) : problemResponse(unrouted(c.req.raw, known));
  });
  return rooms;
}

/** What a typed client (hono `hc`, `import type`) is made from; `app.test.ts` proves that it fits. */
export type AppType = ReturnType<typeof createApp>;

function knownRoutes(app: OpenAPIHono<RoomEnv>): KnownRoute[] {
  return app.openAPIRegistry.definitions.flatMap((definition) =>
    definition.type === "route" ? [{ method: definition.route.method, path: definition.route.path }] : [],
  );
}
