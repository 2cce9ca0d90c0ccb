import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { EnrollmentToken } from "../protocol/api/enrolment.ts";
import { Host, HostsPage, SourceGroups } from "../protocol/api/hosts.ts";
import { CreatedJob, Job } from "../protocol/api/jobs.ts";
import { build } from "./build.ts";
import { house } from "./files.ts";
import { type ApiClient, apiClient } from "./trial/api-client.ts";
import { Program } from "./trial/program.ts";
import { proveBackup } from "./trial/proof.ts";
import { type RestServers, startRestServers } from "./trial/rest-servers.ts";

const source = "/usr/share/doc";
const anything = { parse: (value: unknown) => value };

/** Everything that has to end when the demo does, in the order in which it was started. */
interface Stage {
  folder: string;
  programs: Program[];
}

function say(text: string): void {
  console.log(text);
}

async function main(once: boolean): Promise<void> {
  const stage: Stage = { folder: mkdtempSync(join(tmpdir(), "rm-demo-")), programs: [] };
  let ending: Promise<void> | undefined;
  const end = () => (ending ??= strike(stage));
  const interrupted = new Promise<"interrupted">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => resolve("interrupted"));
  });
  try {
    const outcome = await Promise.race([play(stage, once), interrupted]);
    if (outcome !== "interrupted" && !once) {
      say("\nCtrl-C ends the demo and removes what it made.");
      const died = stage.programs.map(async (program) => {
        await program.exited;
        await program.mustRun();
      });
      await Promise.race([interrupted, ...died]);
    }
    await end();
    process.exit(outcome === "interrupted" && once ? 130 : 0);
  } catch (error) {
    console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
    await end();
    process.exit(1);
  }
}

/** Ends what runs, the last one first, and removes the folder. */
async function strike({ folder, programs }: Stage): Promise<void> {
  for (const program of programs.toReversed()) await program.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function play(stage: Stage, once: boolean): Promise<void> {
  const dist = await executables();
  const restic = found("RM_TEST_RESTIC", "restic");
  mkdirSync(join(stage.folder, "rest-server"));
  const rest = await startRestServers(
    found("RM_TEST_REST_SERVER", "rest-server"),
    join(stage.folder, "rest-server"),
  );
  stage.programs.push(...rest.programs);

  const { origin, server, setupToken } = await startTheServer(stage, dist, once);
  const admin = { username: "admin", password: crypto.randomUUID() };
  const api = apiClient(origin);
  await watching(server, () =>
    api.call("POST", "/api/setup", anything, { token: setupToken, ...admin, base_url: origin }),
  );

  say("Enrolling this machine…");
  const { host, token, repositoryUrl } = await enrol(stage, api, rest, { dist, origin, restic });
  say(`Backing up ${source}…`);
  const job = await backUp(stage, api, host);

  if (once) {
    const proof = await proveBackup(
      {
        program: restic,
        url: repositoryUrl,
        username: token.credentials.username ?? "",
        password: token.credentials.password ?? "",
        repositoryPassword: token.credentials.repository_password ?? "",
      },
      source,
      stage.folder,
    );
    say(`\n${describe(job)}\nProven without us: ${proof}.`);
    return;
  }
  say(
    `\n${describe(job)}\n\n  Console   ${origin}\n  Sign in   ${admin.username}\n  Password  ${admin.password}`,
  );
}

/** The executables that a user gets, built when the sources are newer. */
async function executables(): Promise<string> {
  say("Building…");
  await build({ root: house, fast: true });
  return join(house, "dist");
}

/** The server on port 8080, or on another one if that is taken (always on another one for `--once`). */
async function startTheServer(stage: Stage, dist: string, once: boolean) {
  const wanted = once ? 0 : 8080;
  const port = wanted !== 0 && (await isFree(wanted)) ? wanted : await freePort();
  if (wanted !== 0 && port !== wanted) say(`Port ${wanted} is taken by another program: using ${port}.`);
  const origin = `http://127.0.0.1:${port}`;
  const server = new Program({
    name: "the server",
    argv: [join(dist, "restic-manager-server")],
    cwd: stage.folder,
    env: {
      RM_LISTEN: `127.0.0.1:${port}`,
      RM_DATA_DIR: join(stage.folder, "server"),
      RM_BASE_URL: origin,
      RM_COOKIE_SECURE: "false", // this page is on this machine only, without TLS
    },
    logFile: join(stage.folder, "server.log"),
  });
  stage.programs.push(server);
  const [, setupToken = ""] = await server.says(/\/setup\?token=(\S+)/);
  return { origin, server, setupToken };
}

/** Enrols this machine by the token and the command line that the console would show. */
async function enrol(
  stage: Stage,
  api: ApiClient,
  rest: RestServers,
  { dist, origin, restic }: { dist: string; origin: string; restic: string },
) {
  const name = hostname().replaceAll(/[^a-zA-Z0-9.-]/g, "-");
  const repositoryUrl = `${rest.everydayUrl}${name}/`;
  const token = await api.call("POST", "/api/enrollment-tokens", EnrollmentToken, {
    host_name: name,
    repository_url: repositoryUrl,
    username: name,
    includes: [source],
  });
  if (token.credentials.htpasswd_line !== null) rest.admit(token.credentials.htpasswd_line);

  const folders = [
    "--config-dir",
    join(stage.folder, "agent"),
    "--state-dir",
    join(stage.folder, "agent-state"),
  ];
  const agent = join(dist, "restic-manager-agent");
  const enrolling = new Program({
    name: "the agent's enrolment",
    argv: [agent, "enroll", "--server", origin, "--restic", restic, ...folders],
    env: { RM_TOKEN: token.token },
    logFile: join(stage.folder, "enroll.log"),
  });
  if ((await enrolling.exited) !== 0) await enrolling.says(/(?!)/);
  const running = new Program({
    name: "the agent",
    argv: [agent, "run", ...folders],
    env: { HOME: stage.folder },
    logFile: join(stage.folder, "agent.log"),
  });
  stage.programs.push(running);

  const host = await watching(running, async () => {
    const first = await until("the agent is connected", 30, async () => {
      const { items } = await api.call("GET", "/api/hosts", HostsPage);
      return items.find((item) => item.online);
    });
    return until("the repository is ready", 60, async () => {
      const one = await api.call("GET", `/api/hosts/${first.id}`, Host);
      if (one.repository.state === "failed")
        throw new Error(`the repository: ${one.repository.error.message}`);
      return one.repository.state === "ready" ? one : undefined;
    });
  });
  return { host, token, repositoryUrl };
}

/** Starts a backup as the console's button does and waits for its end. */
async function backUp(stage: Stage, api: ApiClient, host: Host): Promise<Job> {
  const agent = stage.programs.at(-1);
  if (!agent) throw new Error("there is no agent");
  return watching(agent, async () => {
    const { items } = await api.call("GET", `/api/hosts/${host.id}/source-groups`, SourceGroups);
    const [group] = items;
    if (!group) throw new Error("the new host has no source group");
    const started = await api.call(
      "POST",
      `/api/hosts/${host.id}/source-groups/${group.id}/run`,
      CreatedJob,
      {},
    );
    const job = await until("the backup has ended", 600, async () => {
      const now = await api.call("GET", `/api/jobs/${started.job.id}`, Job);
      return now.state === "queued" || now.state === "running" ? undefined : now;
    });
    if (job.state === "failed")
      throw new Error(`the backup failed: ${job.error.message} (${job.error.code})`);
    if (job.state !== "succeeded") throw new Error(`the backup was ${job.state}`);
    return job;
  });
}

function describe(job: Job): string {
  if (job.state !== "succeeded" || !("total_files_processed" in job.result))
    return `Job ${job.id} is ${job.state}.`;
  const {
    total_files_processed: files,
    total_bytes_processed: bytes,
    data_added_packed: stored,
  } = job.result;
  const megabytes = (count: number) => `${(count / 1e6).toFixed(1)} MB`;
  return `Backed up ${source}: ${files} files, ${megabytes(bytes)}, stored in ${megabytes(stored)}.`;
}

/** Adds the end of a program's log to whatever fails meanwhile. */
async function watching<T>(program: Program, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}${program.tail()}`, {
      cause: error,
    });
  }
}

/** Asks four times a second until there is an answer. */
async function until<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  const late = Date.now() + seconds * 1000;
  while (Date.now() < late) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await Bun.sleep(250);
  }
  throw new Error(`waited ${seconds} s in vain until ${what}`);
}

function found(variable: string, name: string): string {
  const path = process.env[variable];
  if (!path || !existsSync(path)) throw new Error(`${name} is missing: run script/demo, which sets it up`);
  return path;
}

async function isFree(port: number): Promise<boolean> {
  try {
    await Bun.serve({ hostname: "127.0.0.1", port, fetch: () => new Response() }).stop(true);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port } = server;
  await server.stop(true);
  if (port === undefined) throw new Error("no free port");
  return port;
}

if (import.meta.main) {
  const words = process.argv.slice(2);
  const unknown = words.find((word) => word !== "--once");
  if (unknown !== undefined) {
    console.error(`script/demo takes --once or nothing, not ${unknown}`);
    process.exit(2);
  }
  await main(words.includes("--once"));
}
