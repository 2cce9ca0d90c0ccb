import { resolve } from "node:path";
import { AgentFileError, type TlsSettings } from "../agent-file.ts";
import { agentPaths } from "../paths.ts";
import { parsePin } from "../tls.ts";
import { agentVersion } from "../version.ts";
import { type Command, type CommandContext, EXIT, type FlagValues, FOLDER_FLAGS, text } from "./command.ts";

/** `enroll`: turns a one-time token into this machine's identity. */
export const enrollCommand: Command = {
  summary: "turn a one-time token into this machine's identity",
  flags: {
    server: { value: "URL", summary: "address of the server (or RM_SERVER)" },
    token: {
      value: "TOKEN",
      summary: "the token from the console (or RM_TOKEN, which other users cannot see)",
    },
    "ca-file": { value: "FILE", summary: "trust the CAs in this PEM file instead of the system's" },
    "pin-sha256": { value: "HEX", summary: "trust this one certificate of the server and nothing else" },
    proxy: { value: "URL", summary: "reach the server through this HTTP proxy" },
    restic: { value: "FILE", summary: "run this restic instead of the one on PATH" },
    force: { summary: "take the place of an enrolment that is there" },
    ...FOLDER_FLAGS,
  },
  run: runEnroll,
};

async function runEnroll({ flags, env, log, say, signal }: CommandContext) {
  const server = text(flags, "server") ?? env["RM_SERVER"];
  const token = text(flags, "token") ?? env["RM_TOKEN"];
  if (server === undefined || server === "" || token === undefined || token === "") {
    const missing =
      server === undefined || server === "" ? "--server URL (or RM_SERVER)" : "--token TOKEN (or RM_TOKEN)";
    log.error(`enroll needs ${missing}; the console shows both under "Add host"`);
    return EXIT.usage;
  }
  log.hide(token);
  const pin = text(flags, "pin-sha256");
  if (pin !== undefined && parsePin(pin) === undefined) {
    log.error("--pin-sha256 must be a SHA-256 in hex (64 digits, colons allowed)");
    return EXIT.usage;
  }
  const proxy = text(flags, "proxy");
  if (proxy !== undefined && !/^https?:\/\/[^/\s]+/.test(proxy)) {
    log.error("--proxy must be an address such as http://proxy.example.com:3128");
    return EXIT.usage;
  }
  const paths = agentPaths({
    configDir: text(flags, "config-dir"),
    stateDir: text(flags, "state-dir"),
    programData: env["ProgramData"],
  });
  // Loaded for this command only: what an enrolment needs would stay in the memory of every running agent.
  const { enroll } = await import("../enroll.ts");
  const { EnrollError } = await import("../enroll-error.ts");
  const { readSysinfo } = await import("../sysinfo.ts");
  try {
    const file = await enroll({
      server,
      token,
      paths,
      sysinfo: readSysinfo({ machineIdFile: paths.machineIdFile }),
      version: agentVersion(),
      tls: tlsSettings(flags),
      proxy,
      resticPath: absolute(text(flags, "restic")),
      force: flags["force"] === true,
      log,
      signal,
    });
    say(`Enrolled at ${file.server} as host ${file.host_id}. Next: restic-manager-agent run`);
    return EXIT.ok;
  } catch (error) {
    if (signal.aborted)
      log.error("enrolling was interrupted; if the console shows this machine, the token is used up");
    else log.error(error instanceof Error ? error.message : String(error));
    if (error instanceof AgentFileError) return EXIT.misconfigured;
    if (error instanceof EnrollError && error.code === "already_enrolled") return EXIT.misconfigured;
    return EXIT.failed;
  }
}

function tlsSettings(flags: FlagValues): TlsSettings | undefined {
  const caFile = absolute(text(flags, "ca-file"));
  const pin = text(flags, "pin-sha256");
  if (caFile === undefined && pin === undefined) return undefined;
  return {
    ...(caFile === undefined ? {} : { ca_file: caFile }),
    ...(pin === undefined ? {} : { pin_sha256: parsePin(pin) }),
  };
}

/** The service runs in another folder than the person who types. */
function absolute(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(path);
}
