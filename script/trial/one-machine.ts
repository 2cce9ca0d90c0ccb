import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { EnrollmentToken } from "../../protocol/api/enrolment.ts";
import { Host, HostsPage } from "../../protocol/api/hosts.ts";
import { SourceGroups } from "../../protocol/api/sources.ts";
import { CreatedJob, Job } from "../../protocol/api/jobs.ts";
import { type ApiClient, apiClient } from "./api-client.ts";
import { Program } from "./program.ts";
import { type RestServers, startRestServers } from "./rest-servers.ts";
import { found, type Stage, until, watching } from "./stage.ts";

/** How to start the two halves: the executables, or the sources with reload. */
export interface Commands {
  server: string[];
  agent: string[];
}

export interface OneMachine {
  api: ApiClient;
  admin: { username: string; password: string };
  host: Host;
  token: EnrollmentToken;
  repositoryUrl: string;
}

/**
 * Sets up a whole installation with this machine in it, by the public API and the agent's own commands: rest-server, server,
 * first administrator, enrolment, repository.
 *
 * @param port where the server listens.
 * @param baseUrl the address that people use, if it is another one.
 * @param source what the machine will back up.
 */
export async function setUpOneMachine(
  stage: Stage,
  commands: Commands,
  { port, baseUrl, source }: { port: number; baseUrl?: string; source: string },
): Promise<OneMachine> {
  const folder = join(stage.folder, "rest-server");
  mkdirSync(folder);
  const rest = await startRestServers(found("RM_TEST_REST_SERVER", "rest-server"), folder);
  stage.programs.push(...rest.programs);

  const origin = `http://127.0.0.1:${port}`;
  const server = new Program({
    name: "the server",
    argv: commands.server,
    env: {
      RM_LISTEN: `127.0.0.1:${port}`,
      RM_DATA_DIR: join(stage.folder, "server"),
      RM_BASE_URL: baseUrl ?? origin,
      RM_COOKIE_SECURE: "false", // the page is on this machine only, without TLS
    },
    logFile: join(stage.folder, "server.log"),
  });
  stage.programs.push(server);
  const [, setupToken] = await server.says(/\/setup\?token=(\S+)/);
  const api = apiClient(origin);
  const admin = { username: "admin", password: crypto.randomUUID() };
  await watching(server, () =>
    api.call(
      "POST",
      "/api/setup",
      { parse: (value) => value },
      { token: setupToken, ...admin, base_url: baseUrl ?? origin },
    ),
  );
  const enrolled = await watching(server, () => enrol(stage, api, rest, { commands, origin, source }));
  return { api, admin, ...enrolled };
}

/** Enrols this machine by the token that the console would show, and waits until its repository is ready. */
async function enrol(
  stage: Stage,
  api: ApiClient,
  rest: RestServers,
  { commands, origin, source }: { commands: Commands; origin: string; source: string },
): Promise<Pick<OneMachine, "host" | "token" | "repositoryUrl">> {
  const name = hostname().replaceAll(/[^a-zA-Z0-9.-]/g, "-");
  const repositoryUrl = `${rest.everydayUrl}${name}/`;
  const wanted = { host_name: name, repository_url: repositoryUrl, username: name, includes: [source] };
  const token = await api.call("POST", "/api/enrollment-tokens", EnrollmentToken, wanted);
  if (token.credentials.htpasswd_line !== null) rest.admit(token.credentials.htpasswd_line);

  const folders = [
    "--config-dir",
    join(stage.folder, "agent"),
    "--state-dir",
    join(stage.folder, "agent-state"),
  ];
  const restic = ["--restic", found("RM_TEST_RESTIC", "restic")];
  const enrolling = new Program({
    name: "the agent's enrolment",
    argv: [...commands.agent, "enroll", "--server", origin, ...restic, ...folders],
    env: { RM_TOKEN: token.token },
    logFile: join(stage.folder, "enroll.log"),
  });
  await enrolling.says(/Enrolled/);
  await enrolling.exited;
  const agent = new Program({
    name: "the agent",
    argv: [...commands.agent, "run", ...folders],
    env: { HOME: stage.folder },
    logFile: join(stage.folder, "agent.log"),
  });
  stage.programs.push(agent);

  const host = await watching(agent, async () => {
    const connected = await until("the agent is connected", 30, async () => {
      const { items } = await api.call("GET", "/api/hosts", HostsPage);
      return items.find((item) => item.online);
    });
    return until("the repository is ready", 90, async () => {
      const one = await api.call("GET", `/api/hosts/${connected.id}`, Host);
      if (one.repository.state === "failed")
        throw new Error(`the repository: ${one.repository.error.message}`);
      return one.repository.state === "ready" ? one : undefined;
    });
  });
  return { host, token, repositoryUrl };
}

/**
 * Starts a backup as the console's button does and waits for its end.
 *
 * @throws Error with the job's own error, unless it succeeds.
 */
export async function backUp({ api, host }: OneMachine): Promise<Job> {
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
  if (job.state === "failed") throw new Error(`the backup failed: ${job.error.message} (${job.error.code})`);
  if (job.state !== "succeeded") throw new Error(`the backup was ${job.state}`);
  return job;
}

/** A finished backup in a sentence. */
export function describeBackup(job: Job, source: string): string {
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
