import { mkdirSync } from "node:fs";
import type { AgentConfig, Hooks, RepositoryCredentials } from "@restic-manager/protocol/config";
import type { SourceGroupId } from "@restic-manager/protocol/ids";
import { HEARTBEAT_MS } from "@restic-manager/protocol/limits";
import { pickPassthrough } from "@restic-manager/restic/environment";
import { systemTimers as resticTimers } from "@restic-manager/restic/timers";
import { sealingKey, secretsIn, type AgentFile } from "./agent-file.ts";
import { Ballast } from "./ballast.ts";
import { lateBrowser } from "./browse/late-browser.ts";
import { agentCore } from "./core.ts";
import type { CutBackup } from "./cut-hook.ts";
import { belongsToAnother, namingFile, openAgentDb } from "./db.ts";
import { lateDownloads } from "./download/late-downloads.ts";
import { HookMark } from "./hook-mark.ts";
import { FoundRestic } from "./found-restic.ts";
import { Journal } from "./journal.ts";
import type { Log } from "./log.ts";
import { giveBackMemory } from "./memory.ts";
import { Meta } from "./meta.ts";
import { Outbox } from "./outbox.ts";
import type { AgentPaths } from "./paths.ts";
import { recover } from "./recovery.ts";
import { resticContext, type ResticPlaces } from "./restic-access.ts";
import { readSecrets, writeSecrets } from "./secrets.ts";
import { lockState } from "./state-lock.ts";
import { readSysinfo } from "./sysinfo.ts";
import { machineTimezone } from "./timezone.ts";
import { systemTimers, type Timers } from "./timers.ts";
import { websocketConnector } from "./websocket.ts";

/** How often the agent looks for a new restic and tidies its journal. */
const LOOK_MS = HEARTBEAT_MS;
/** After this long without work the agent makes itself small. */
const SETTLE_MS = 3_000;

export interface RunOptions {
  paths: AgentPaths;
  file: AgentFile;
  /** The process's environment; what restic may see of it is picked by name. */
  env: Record<string, string | undefined>;
  /** Aborted when the agent shall end. */
  signal: AbortSignal;
  log: Log;
  /** The machine's own unless a test owns the clock. */
  timers?: Timers;
}

/**
 * Runs the agent until the signal is aborted: connects first, then ends what an earlier life left behind, then works.
 *
 * @throws SecretsError, AgentDbError when a file of its own is damaged, which is not written to then; StateInUse.
 */
export async function runAgent(options: RunOptions): Promise<void> {
  const { paths, file, log } = options;
  for (const secret of secretsIn(file)) log.hide(secret);
  mkdirSync(paths.stateDir, { recursive: true, mode: 0o700 });
  mkdirSync(paths.cacheDir, { recursive: true, mode: 0o700 });
  mkdirSync(paths.tmpDir, { recursive: true, mode: 0o700 });
  const unlock = lockState(paths.lockFile);
  try {
    await live(options);
  } finally {
    unlock();
  }
}

async function live({ paths, file, env, signal, log, timers: given }: RunOptions): Promise<void> {
  const key = sealingKey(file);
  let config = await readSecrets(paths.secretsFile, key, file.host_id);
  hideCredentials(log, config);

  const timers = given ?? systemTimers();
  const { db, outbox, meta, journal, foreign } = openBooks(paths.database, file.host_id, timers.now);
  if (foreign) log.warn("this machine was enrolled anew; what waited for its former host is dropped");
  const system = readSysinfo({ machineIdFile: paths.machineIdFile });
  const places: ResticPlaces = {
    cacheDir: paths.cacheDir,
    tmpDir: paths.tmpDir,
    workDir: paths.stateDir,
    passthrough: pickPassthrough(env),
    timers: resticTimers,
  };
  const restic = new FoundRestic({
    meta,
    path: file.restic_path,
    searchPath: env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    tmpDir: places.tmpDir,
    timers: resticTimers,
  });
  await restic.look();

  const access = (bandwidth?: Parameters<typeof resticContext>[3], instead?: RepositoryCredentials) => {
    const used = config !== undefined && instead !== undefined ? { ...config, repository: instead } : config;
    return resticContext(restic.binary, used, places, bandwidth);
  };
  const parts = {
    journal,
    timers,
    meta,
    log,
    access,
    hostName: () => config?.host_name ?? system.hostname,
    hooks: (groupId: SourceGroupId) => hooksFor(config, groupId),
    places: { restoreDir: paths.restoreDir, own: [paths.stateDir, paths.configDir] },
  };
  // Loaded with the first question, as is the work of jobs.
  const browse = lateBrowser(async () => {
    const { Browser } = await import("./browse/browser.ts");
    return new Browser({ ...parts, folder: paths.browseDir, restic: access });
  });
  let settling = (): void => {};
  const settle = (): void => {
    settling();
    settling = timers.after(SETTLE_MS, () => void giveBackMemory());
  };
  const { link, open, scheduler, stop } = agentCore({
    db,
    hostId: file.host_id,
    timezone: () => machineTimezone(env),
    outbox,
    journal,
    timers,
    log,
    connect: websocketConnector({ ...file, settings: { tls: file.tls, proxy: file.proxy } }),
    machine: () => ({ restic: restic.found, ...system }),
    config: {
      version: () => config?.version ?? 0,
      adopt(next) {
        config = next;
        hideCredentials(log, next);
      },
      save: (next) => writeSecrets(paths.secretsFile, key, file.host_id, next),
    },
    // Loaded with the first job: all that reads restic's output would lie in the memory of an agent that only waits.
    async work(job, signals, say, admin) {
      const { workOn } = await import("./work.ts");
      return workOn(job, signals, {
        ...parts,
        lookInto: (snapshot, cancel, look) => browse.look(snapshot, cancel, look),
        say,
        admin,
      });
    },
    async between(cancel) {
      const { reportRepository } = await import("./work.ts");
      return reportRepository(cancel, parts);
    },
    browse: {
      ...browse,
      async ask(question) {
        const answer = await browse.ask(question);
        settle();
        return answer;
      },
    },
    downloads: (out) =>
      lateDownloads(
        async () => {
          const { Downloads } = await import("./download/downloads.ts");
          return new Downloads({ ...out, restic: access, timers });
        },
        (error) => log.error("could not send a file", { error: toError(error) }),
      ),
    onIdle: settle,
  });

  const ended = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  link.start();
  const look = async (): Promise<void> => {
    journal.tidy();
    // The server learns of a new restic from a new hello.
    if (await restic.look()) link.reconnect();
  };
  const looking = setInterval(() => {
    look().catch((error: unknown) => log.error("could not look around", { error: toError(error) }));
  }, LOOK_MS);
  const context = () => {
    const found = access();
    return found.ok ? found.context : undefined;
  };
  const mark = new HookMark({ journal, meta, log });
  const hooks = {
    mark,
    // Loaded when it is needed, as is the work of jobs.
    async after(job: CutBackup) {
      const { runCutHook } = await import("./cut-hook.ts");
      const where = { cwd: places.workDir, tmpDir: places.tmpDir, hostName: parts.hostName() };
      await runCutHook(job, { journal, mark, timers, hooks: parts.hooks, ...where, stop: signal });
    },
  };
  const earlier = await recover({ journal, timers: resticTimers, log, restic: context, hooks });
  // What was accepted and has not begun keeps for the next start.
  if (!signal.aborted) {
    open(earlier);
    scheduler.start();
  }
  await ended;
  clearInterval(looking);
  await stop();
  settling();
  db.close();
}

/** `foreign`: the file was another host's, and is empty now. */
function openBooks(path: string, hostId: string, now: () => number) {
  const ballast = new Ballast(`${path}.ballast`);
  return namingFile(path, () => {
    const db = openAgentDb(path);
    const foreign = belongsToAnother(db, hostId);
    const outbox = new Outbox(db);
    const journal = new Journal({ db, outbox, ballast, now });
    // What a damaged page hides is better known before anything is promised to the server.
    journal.held();
    return { db, outbox, meta: new Meta(db), journal, foreign };
  });
}

/** A group's own hooks stand instead of the host's, both of them. */
function hooksFor(config: AgentConfig | undefined, groupId: SourceGroupId): Hooks | undefined {
  const own = config?.hooks?.groups.find((group) => group.source_group_id === groupId);
  return own?.hooks ?? config?.hooks?.host;
}

function hideCredentials(log: Log, config: AgentConfig | undefined): void {
  const repository = config?.repository;
  if (repository === undefined || repository === null) return;
  log.hide(repository.repository_password);
  if (repository.password !== undefined) log.hide(repository.password);
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error("unknown error");
}
