import { hostname } from "node:os";
import { createApp, type AppParts } from "./app.ts";
import { createAudit } from "./audit/record.ts";
import { renewSetupToken } from "./auth/setup-token.ts";
import { runBackground } from "./background.ts";
import { createCore, type Core } from "./core.ts";
import type { Link } from "./link/link.ts";
import { tickers } from "./tickers.ts";
import { agentEntrance, type SocketData } from "./link/entrance.ts";
import { z } from "zod";
import { localBus, type Bus } from "./platform/bus.ts";
import type { Clock } from "./platform/clock.ts";
import type { Config } from "./platform/config.ts";
import { openDatabase } from "./platform/db/open.ts";
import { storeTime } from "./platform/db/store-time.ts";
import { clientFacts } from "./platform/http/client-address.ts";
import { createIds } from "./platform/ids.ts";
import { loadInstance } from "./platform/instance.ts";
import { NODE_GRACE_MS, sharedLeases, soleLeases, type LeaseParts, type Leases } from "./platform/lease.ts";
import type { Log } from "./platform/log.ts";
import { openSeal } from "./platform/seal.ts";
import { serverVersion } from "./platform/version.ts";

/** How long requests may take to finish when the server stops. */
const GRACE_MS = 10_000;
/** Bun ends a connection that is quiet for so long; streams lift it for themselves. */
const IDLE_SECONDS = 30;
/** What Bun reads of a body at most before the app, which allows far less, has seen the request. */
const MOST_BODY_BYTES = 16 * 1024 * 1024;

/** Strangers that knock all day must not fill the log. */
const TURNED_AWAY_MS = 10_000;

export interface StartOptions {
  clock: Clock;
  log: Log;
  /** The console; see `AppParts.pages`. */
  pages: AppParts["pages"];
  /** Folder with the agents' executables; see `agent-binaries.ts`. */
  agentsFolder: string;
  /** On PostgreSQL, how long frames of agents gather before they are committed together; not at all unless told. */
  gatherMs?: number;
}

/** A server that accepts requests. */
export interface RunningServer {
  /** Where it listens, without a trailing slash. */
  url: string;
  /** One-time address of the set-up page; null when there is an administrator. */
  setupUrl: string | null;
  parts: AppParts;
  /** Stops accepting, tells agents and viewers, lets requests finish for 10 s, closes the store. Repeated calls wait for the first. */
  stop(): Promise<void>;
}

/**
 * Builds a whole server and listens. Nothing is served before the database is up to date and the key has proven right.
 *
 * @throws SealError, MigrationError, DatabaseUrlError, the store's errors, or Bun's when the address is taken.
 */
export async function startServer(
  config: Config,
  { clock, log, pages, agentsFolder, gatherMs }: StartOptions,
): Promise<RunningServer> {
  const store = await openDatabase(config.databaseUrl);
  try {
    const { db } = store;
    const seal = await openSeal(db, config.secretKeyFile);
    const ids = createIds(clock);
    const scheme = config.tls === null ? "http" : "https";
    let url = `${scheme}://${reachable(config.listen.hostname)}:${config.listen.port}`;
    const instance = await loadInstance(db, ids, config.baseUrl, () => url);
    const stopping = new AbortController();
    const leaving = new AbortController();
    const node = ids.mint(z.string());
    const bus = await openBus(config, { node, instance: instance.id, clock, log });
    const leases = await openLeases(store.kind, {
      db,
      clock,
      time: storeTime(db, clock),
      node,
      name: hostname(),
      onError: (error, doing) => log.error(`could not ${doing}`, error),
      changed({ gone }) {
        if (gone.length === 0) return;
        log.warn("another server is gone; its agents come to the others", { servers: gone.join(" ") });
        // What it committed last it may not have told.
        bus.publish("bus.resync", {});
        clock.after(NODE_GRACE_MS, () => core.link.judgeAbsent());
      },
      lapsed() {
        log.warn("the database was out of reach for longer than this server's lease");
        bus.publish("bus.resync", {});
      },
    });
    const audit = createAudit(clock, ids);
    const core: Core = createCore({
      db,
      clock,
      bus,
      nodes: {
        node,
        alone: store.kind === "sqlite",
        live: () => leases.live(),
        time: storeTime(db, clock),
      },
      log,
      seal,
      audit,
      publicAddress: () => instance.baseUrl(),
      gatherMs: store.kind === "postgres" ? gatherMs : undefined,
    });
    const parts: AppParts = {
      config,
      clock,
      log,
      bus,
      core,
      agentsFolder,
      store,
      db,
      seal,
      ids,
      audit,
      instance,
      version: serverVersion(),
      leases,
      leaving: leaving.signal,
      stopping: stopping.signal,
      pages,
    };
    const app = createApp(parts);
    const sockets = agentEntrance(core.link, db, {
      onError: (error) => log.error("an agent's socket could not be served", error),
      turnedAway: atMostEvery(TURNED_AWAY_MS, clock, (address: string | null) =>
        log.warn("an agent was turned away: its bearer is not known, or was revoked", { address }),
      ),
      storeAway: atMostEvery(TURNED_AWAY_MS, clock, (error: unknown) =>
        log.error("agents cannot be let in: the store is away", error),
      ),
    });
    const setupToken = await renewSetupToken(db);
    if (setupToken !== null) log.redact(setupToken);

    const http = Bun.serve<SocketData>({
      hostname: config.listen.hostname,
      port: config.listen.port,
      ...(config.tls === null
        ? {}
        : { tls: { cert: Bun.file(config.tls.certFile), key: Bun.file(config.tls.keyFile) } }),
      idleTimeout: IDLE_SECONDS,
      maxRequestBodySize: MOST_BODY_BYTES,
      async fetch(request, server) {
        const peer = server.requestIP(request)?.address ?? null;
        const upgrades = request.headers.get("upgrade")?.toLowerCase() === "websocket";
        // A plain request to an agents' path is theirs to refuse: the console would answer it with its page.
        if (upgrades || new URL(request.url).pathname.startsWith("/ws/")) {
          const taken = await sockets.upgrade(
            request,
            server,
            clientFacts(request, peer, config.trustedProxies),
          );
          if (taken !== null) return taken;
        }
        return app.fetch(request, { peer, keepOpen: () => server.timeout(request, 0) });
      },
      error(error) {
        log.error("request failed outside every room", error);
        return Response.json(
          { code: "internal", message: "something went wrong in the server; its log says what" },
          { status: 500 },
        );
      },
      websocket: sockets.websocket,
    });
    url = `${scheme}://${reachable(config.listen.hostname)}:${http.port}`;

    core.link.start();
    const endBackground = await runBackground(
      {
        db,
        clock,
        bus,
        leases,
        retention: config.retention,
        tickers: tickers({
          ...parts,
          createJob: core.createJob,
          onError: (error, doing) => log.error(`could not ${doing}`, error),
        }),
      },
      (error, doing) => log.error(`could not ${doing}`, error),
    );

    let stopped: Promise<void> | null = null;
    const stop = async () => {
      leaving.abort();
      if (store.kind === "postgres") await leaveOthers({ leases, link: core.link, clock, log });
      const drained = http.stop();
      stopping.abort();
      const resting = Promise.all([endBackground(), leases.stop()]);
      await Promise.race([Promise.all([sockets.stop(), drained]), after(clock, GRACE_MS)]);
      await http.stop(true);
      await resting;
      await bus.close();
      await store.close();
    };
    return {
      url,
      setupUrl: setupToken === null ? null : `${await instance.baseUrl()}/setup?token=${setupToken}`,
      parts,
      stop: () => (stopped ??= stop()),
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Hands over to the other servers what this one holds: leases at once, agents in small steps. */
async function leaveOthers(parts: { leases: Leases; link: Link; clock: Clock; log: Log }): Promise<void> {
  const { leases, link, clock, log } = parts;
  const others = leases.live().length > 1;
  // One that cannot be given up ends by itself.
  await leases
    .release()
    .catch((error: unknown) => log.error("could not give up this server's leases", error));
  if (others) await Promise.race([link.drain(), after(clock, GRACE_MS)]);
}

/** The code for NATS is loaded only by those who use it. */
async function openBus(
  config: Config,
  parts: { node: string; instance: string; clock: Clock; log: Log },
): Promise<Bus> {
  const { node, log } = parts;
  if (config.nats === null)
    return localBus((error, topic) => log.error("a listener failed", error, { topic }), node);
  for (const secret of [config.nats.pass, config.nats.token]) if (secret !== undefined) log.redact(secret);
  const { natsBus } = await import("./platform/nats-bus.ts");
  const bus = natsBus({
    ...parts,
    address: config.nats,
    onError: (error, topic) => log.error("trouble between servers", error, { topic }),
  });
  bus.subscribe("bus.changed", ({ cutOff }) =>
    cutOff
      ? log.warn("NATS is out of reach: the other servers are not heard")
      : log.info("NATS is reached: the other servers are heard"),
  );
  return bus;
}

async function openLeases(kind: "sqlite" | "postgres", parts: LeaseParts): Promise<Leases> {
  return kind === "sqlite" ? soleLeases(parts.clock, parts.node, parts.onError) : await sharedLeases(parts);
}

/** A wildcard is no place to go to. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::" || host === "") return hostname();
  return host.includes(":") ? `[${host}]` : host;
}

function after(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}

/** Lets a call through unless one did within the last `ms` milliseconds. */
function atMostEvery<T>(ms: number, clock: Clock, tell: (what: T) => void): (what: T) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (what) => {
    if (clock.now() - last < ms) return;
    last = clock.now();
    tell(what);
  };
}
