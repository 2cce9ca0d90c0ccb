import { AgentEnrolled, type AgentEnroll } from "@restic-manager/protocol/api/enrolment";
import { DEADLINE_MS, EnrollError, refusal, unreachable } from "./enroll-error.ts";
import { readAgentFile, SEALING_KEY_BYTES, secretsInProxy, writeAgentFile } from "./agent-file.ts";
import type { AgentFile, TlsSettings } from "./agent-file.ts";
import { makePrivateFolder, probeFolder } from "./atomic-file.ts";
import type { Log } from "./log.ts";
import type { AgentPaths } from "./paths.ts";
import { writeSecrets } from "./secrets.ts";
import type { Sysinfo } from "./sysinfo.ts";
import { connectionOptions, type ConnectionSettings } from "./tls.ts";

export interface EnrollOptions {
  server: string;
  token: string;
  paths: AgentPaths;
  sysinfo: Sysinfo;
  /** This agent's version. */
  version: string;
  tls?: TlsSettings | undefined;
  proxy?: string | undefined;
  systemCaFiles?: ConnectionSettings["systemCaFiles"];
  resticPath?: string | undefined;
  /** Takes the place of an enrolment that is there. */
  force: boolean;
  log: Log;
  signal?: AbortSignal;
}

/**
 * Turns a one-time token into this machine's identity: asks the server, then writes `secrets.enc` and `agent.yaml`, in this
 * order, so that an `agent.yaml` always has its configuration. Everything that can fail without the server is tried first: the
 * token works once. Answers what was written.
 *
 * Throws `EnrollError`; `AgentFileError` when an `agent.yaml` is there and damaged (not even `force` overwrites that);
 * `TlsError` when the server cannot be trusted.
 */
export async function enroll(options: EnrollOptions): Promise<AgentFile> {
  const { paths, log } = options;
  for (const secret of [options.token, ...secretsInProxy(options.proxy)]) log.hide(secret);
  const server = serverAddress(options.server);
  const before = readAgentFile(paths.agentFile, (message) => log.warn(message));
  if (before !== undefined && !options.force) {
    const what = `this machine is enrolled already, at ${before.server} as host ${before.host_id}`;
    throw new EnrollError("already_enrolled", `${what}. To leave that server and enrol anew, say --force.`);
  }
  prepare(paths);
  if (server.protocol === "http:" && !isLoopback(server)) {
    log.warn("the server's address has no TLS: token and passwords travel in plain text", {
      server: server.href,
    });
  }
  const enrolled = await ask(server, options);
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(SEALING_KEY_BYTES)));
  for (const secret of [enrolled.bearer, key.toString("base64")]) log.hide(secret);
  const file: AgentFile = {
    server: withoutSlash(server),
    host_id: enrolled.host_id,
    bearer: enrolled.bearer,
    sealing_key: key.toString("base64"),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
    ...(options.resticPath === undefined ? {} : { restic_path: options.resticPath }),
  };
  try {
    await writeSecrets(paths.secretsFile, key, enrolled.host_id, enrolled.config);
    writeAgentFile(paths.agentFile, file);
  } catch (error) {
    const what = `the server took this machine in as host ${enrolled.host_id} (${enrolled.config.host_name}), but its answer could not be saved in ${paths.configDir}: ${reason(error)}`;
    const then = `The token is used up. Remove that host in the console, put the folder right, and enrol with a new token.`;
    throw new EnrollError("not_saved", `${what}. ${then}`, { tokenSpent: true });
  }
  log.info("enrolled", { server: file.server, host: enrolled.config.host_name, host_id: enrolled.host_id });
  return file;
}

/** Reads what a person typed. Throws `EnrollError` `bad_server`. */
function serverAddress(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new EnrollError(
      "bad_server",
      `--server must be an address such as https://backup.example.com, not ${JSON.stringify(text)}`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new EnrollError(
      "bad_server",
      "--server must not hold a user or a password; the token is what this machine signs in with",
    );
  }
  url.search = "";
  url.hash = "";
  return url;
}

function prepare(paths: AgentPaths): void {
  for (const folder of [paths.configDir, paths.stateDir]) {
    try {
      makePrivateFolder(folder);
      probeFolder(folder);
    } catch (error) {
      throw new EnrollError(
        "not_writable",
        `${folder} cannot be written: ${reason(error)}. The token was not used. Run as root, or choose another folder.`,
      );
    }
  }
}

async function ask(server: URL, options: EnrollOptions): Promise<AgentEnrolled> {
  const { hostname, machine_id, os, os_name, arch } = options.sysinfo;
  const body: AgentEnroll = {
    token: options.token,
    hostname,
    machine_id,
    os,
    os_name,
    arch,
    agent_version: options.version,
  };
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]);
  const address = `${withoutSlash(server)}/api/agents/enroll`;
  const connection = await connectionOptions(server, options, signal).catch((error: unknown) => {
    if (error instanceof Error && error.name === "TlsError") throw error;
    throw unreachable(server, error);
  });
  let response: Response;
  let text: string;
  try {
    response = await fetch(address, {
      ...connection,
      // Only a proxy that was asked for: the socket later would not know of the environment's.
      proxy: connection.proxy ?? false,
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
      // The token goes to the server that was named and to no other.
      redirect: "manual",
      signal,
    });
    text = await response.text();
  } catch (error) {
    throw unreachable(server, error);
  }
  const location = response.headers.get("location");
  if (response.status >= 300 && response.status < 400 && location !== null) {
    throw new EnrollError(
      "refused",
      `${server.origin} points to ${location}; if that is the server, enrol with that address`,
    );
  }
  if (!response.ok) throw refusal(server, response.status, jsonOf(text));
  const answer = AgentEnrolled.safeParse(jsonOf(text));
  if (answer.success) return answer.data;
  const field = answer.error.issues[0]?.path.join(".") ?? "";
  throw new EnrollError(
    "bad_answer",
    `${server.origin} answered ${response.status}, but not as this agent understands${field === "" ? "" : ` (${field})`}. Is it restic-manager, and as new as the agent? The token may be used up.`,
    { tokenSpent: true },
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function withoutSlash(url: URL): string {
  return url.href.replace(/\/+$/, "");
}

function isLoopback(url: URL): boolean {
  return url.hostname === "localhost" || url.hostname === "[::1]" || url.hostname.startsWith("127.");
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
