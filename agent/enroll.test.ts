import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentEnroll, type AgentEnrolled } from "@restic-manager/protocol/api/enrolment";
import { API_ERRORS, type ApiErrorCode, type Problem } from "@restic-manager/protocol/api/errors";
import { AgentFileError, readAgentFile, sealingKey } from "./agent-file.ts";
import { enroll, type EnrollOptions } from "./enroll.ts";
import { EnrollError } from "./enroll-error.ts";
import { createLog } from "./log.ts";
import { agentPaths } from "./paths.ts";
import { readSecrets } from "./secrets.ts";
import { selfSigned, type TestCertificate } from "./test-certificates.ts";

const TOKEN = "rmt_one-time-token";
const BEARER = "rma_the-bearer";
const answer = {
  host_id: "01K2Z7M8N9P0Q1R2S3T4V5W6X7",
  bearer: BEARER,
  config: {
    version: 1,
    host_name: "web-1",
    repository: { url: "rest:https://r.example/web-1", repository_password: "pass-of-the-repository" },
    bandwidth: {},
  },
};

let root: string;
let certificates: string;
let certificate: TestCertificate;
let lines: string[];
let asked: AgentEnroll[];
const stops: (() => unknown)[] = [];

beforeAll(() => {
  certificates = mkdtempSync(join(tmpdir(), "rm-enroll-tls-"));
  certificate = selfSigned(certificates, "server");
});
afterAll(() => rmSync(certificates, { recursive: true, force: true }));
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rm-enroll-"));
  lines = [];
  asked = [];
});
afterEach(() => {
  for (const stop of stops.splice(0)) void stop();
  rmSync(root, { recursive: true, force: true });
});

/** A server that takes the one token once, as the real one does. */
function startServer(
  respond?: (request: Request) => Response | Promise<Response>,
  tls?: TestCertificate,
): string {
  let used = false;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } }),
    async fetch(request) {
      if (new URL(request.url).pathname !== "/api/agents/enroll" || request.method !== "POST")
        return problem("not_found");
      const body = AgentEnroll.parse(await request.json());
      asked.push(body);
      if (respond !== undefined) return respond(request);
      if (body.token !== TOKEN) return problem("token_unknown");
      if (used) return problem("token_used");
      used = true;
      return Response.json(answer satisfies Omit<AgentEnrolled, "host_id"> & { host_id: string }, {
        status: 201,
      });
    },
  });
  stops.push(() => server.stop(true));
  return `http${tls === undefined ? "" : "s"}://127.0.0.1:${server.port}`;
}

function problem(code: ApiErrorCode, more: Partial<Problem> = {}): Response {
  return Response.json({ code, message: `it is ${code}`, ...more } satisfies Problem, {
    status: API_ERRORS[code],
  });
}

function optionsFor(server: string, more: Partial<EnrollOptions> = {}): EnrollOptions {
  const log = createLog({
    write: (line) => lines.push(line),
    now: () => new Date(0),
    journal: false,
    level: "debug",
  });
  return {
    server,
    token: TOKEN,
    paths: agentPaths({ configDir: join(root, "etc"), stateDir: join(root, "var"), platform: "linux" }),
    sysinfo: {
      hostname: "web-1",
      os: "linux",
      os_name: "Debian",
      arch: "x64",
      boot_id: "b",
      machine_id: "m",
    },
    version: "0.1.0",
    force: false,
    log,
    ...more,
  };
}

async function failure(options: EnrollOptions): Promise<EnrollError> {
  const error: unknown = await enroll(options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EnrollError);
  const { message } = error as EnrollError;
  for (const secret of [TOKEN, BEARER]) expect(message + lines.join("")).not.toContain(secret);
  return error as EnrollError;
}

test("a token becomes an identity: the bearer and the configuration are there, private, and nothing secret was logged", async () => {
  const options = optionsFor(`${startServer()}/`, { resticPath: "/opt/restic" });
  const file = await enroll(options);
  expect(asked).toEqual([
    {
      token: TOKEN,
      hostname: "web-1",
      machine_id: "m",
      os: "linux",
      os_name: "Debian",
      arch: "x64",
      agent_version: "0.1.0",
    },
  ]);
  expect(readAgentFile(options.paths.agentFile, (warning) => expect(warning).toBe(""))).toEqual(file);
  expect(file).toMatchObject({ host_id: answer.host_id, bearer: BEARER, restic_path: "/opt/restic" });
  expect(file.server).not.toEndWith("/");
  expect(await readSecrets(options.paths.secretsFile, sealingKey(file), file.host_id)).toEqual(
    answer.config as never,
  );
  for (const path of [options.paths.agentFile, options.paths.secretsFile])
    expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(options.paths.secretsFile, "latin1")).not.toContain("pass-of-the-repository");
  const log = lines.join("");
  for (const secret of [TOKEN, BEARER, file.sealing_key, "pass-of-the-repository"])
    expect(log).not.toContain(secret);
});

test("a machine that is enrolled is not enrolled again unless forced, and the server is not even asked", async () => {
  const options = optionsFor(startServer());
  const first = await enroll(options);
  const again = await failure(options);
  expect(again).toMatchObject({ code: "already_enrolled", tokenSpent: false });
  expect(again.message).toContain(first.server);
  expect(asked).toHaveLength(1);
  const other = startServer();
  const second = await enroll(optionsFor(other, { force: true }));
  expect(second.server).toBe(other);
  expect(second.sealing_key).not.toBe(first.sealing_key);
});

test("a damaged agent.yaml is not overwritten, not even when forced", async () => {
  const options = optionsFor(startServer(), { force: true });
  mkdirSync(options.paths.configDir, { recursive: true });
  writeFileSync(options.paths.agentFile, "server: [", { mode: 0o600 });
  const error: unknown = await enroll(options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AgentFileError);
  expect(readFileSync(options.paths.agentFile, "utf8")).toBe("server: [");
  expect(asked).toEqual([]);
});

test("a used, an expired and an unknown token are sentences that say what to do", async () => {
  const server = startServer();
  await enroll(optionsFor(server));
  const used = await failure(optionsFor(server, { force: true }));
  expect(used).toMatchObject({ code: "refused", refusal: "token_used", tokenSpent: true });
  expect(used.message).toContain("works once");
  const expired = await failure(
    optionsFor(
      startServer(() => problem("token_expired")),
      { force: true },
    ),
  );
  expect(expired.message).toContain("one hour");
  const unknown = optionsFor(server, { force: true, token: "rmt_other" });
  expect((await failure(unknown)).refusal).toBe("token_unknown");
});

test("a refusal leaves a machine that was enrolled as it was", async () => {
  const options = optionsFor(startServer());
  const first = await enroll(options);
  await failure({ ...options, server: startServer(() => problem("token_expired")), force: true });
  expect(readAgentFile(options.paths.agentFile, () => {})).toEqual(first);
  expect(await readSecrets(options.paths.secretsFile, sealingKey(first), first.host_id)).toEqual(
    answer.config as never,
  );
});

test("another problem is told in the server's words, with its hint and its fields", async () => {
  const respond = () =>
    problem("validation_failed", { hint: "Shorten it", fields: { hostname: "too long" } });
  const error = await failure(optionsFor(startServer(respond)));
  expect(error.message).toContain("it is validation_failed (hostname: too long). Shorten it");
});

test("what is not restic-manager is said to be something else", async () => {
  const html = () => new Response("<h1>Bad gateway</h1>", { status: 502 });
  const error = await failure(optionsFor(startServer(html)));
  expect(error.message).toContain("answered 502 and not as restic-manager does");
  const empty = await failure(optionsFor(startServer(() => Response.json({ host_id: "x" }))));
  expect(empty).toMatchObject({ code: "bad_answer", tokenSpent: true });
  expect(empty.message).toContain("host_id");
});

test("a redirect is named and not followed: the token goes nowhere else", async () => {
  const thief = startServer();
  const respond = () =>
    new Response(null, { status: 307, headers: { location: `${thief}/api/agents/enroll` } });
  const error = await failure(optionsFor(startServer(respond)));
  expect(error.message).toContain(`points to ${thief}`);
  expect(asked).toHaveLength(1);
});

test("a server that is not there is named", async () => {
  const error = await failure(optionsFor("http://127.0.0.1:1"));
  expect(error).toMatchObject({ code: "unreachable", tokenSpent: false });
  expect(error.message).toBe("http://127.0.0.1:1 cannot be reached: connection refused");
  const nameless = await failure(optionsFor("http://nowhere.invalid"));
  expect(nameless.message).toContain("http://nowhere.invalid");
});

test.each(["backup.example", "ftp://a.example", "", "https://user:pass@a.example"])(
  "the address %j is refused",
  async (server) => {
    expect((await failure(optionsFor(server))).code).toBe("bad_server");
  },
);

test("when the answer cannot be saved, it is said that the token is used up and which host to remove", async () => {
  const options = optionsFor("");
  const server = startServer(() => {
    mkdirSync(join(options.paths.agentFile, "in the way"), { recursive: true });
    return Response.json(answer);
  });
  const error = await failure({ ...options, server });
  expect(error).toMatchObject({ code: "not_saved", tokenSpent: true });
  for (const part of [answer.host_id, "web-1", options.paths.configDir, "The token is used up"]) {
    expect(error.message).toContain(part);
  }
});

test("a folder that cannot be written is found out before the token is used", async () => {
  const server = startServer();
  writeFileSync(join(root, "file"), "");
  const paths = agentPaths({
    configDir: join(root, "etc"),
    stateDir: join(root, "file", "var"),
    platform: "linux",
  });
  const error = await failure(optionsFor(server, { paths }));
  expect(error).toMatchObject({ code: "not_writable", tokenSpent: false });
  expect(asked).toEqual([]);
  expect(existsSync(paths.agentFile)).toBe(false);
});

test("over TLS an unknown certificate is refused with the way out; a pin or a CA file lets it in and is kept", async () => {
  const server = startServer(undefined, certificate);
  const error = await failure(optionsFor(server));
  expect(error.message).toContain("--pin-sha256");
  expect(asked).toEqual([]);
  const tls = { pin_sha256: certificate.fingerprint };
  expect((await enroll(optionsFor(server, { tls }))).tls).toEqual(tls);
  const byFile = { ca_file: certificate.certFile };
  const anew = optionsFor(startServer(undefined, certificate), { tls: byFile, force: true });
  expect((await enroll(anew)).tls).toEqual(byFile);
});

test("a wrong pin stops before the token is sent", async () => {
  const options = optionsFor(startServer(undefined, certificate), { tls: { pin_sha256: "00".repeat(32) } });
  const error: unknown = await enroll(options).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "TlsError", code: "pin_mismatch" });
  expect(asked).toEqual([]);
});

test("without TLS a server elsewhere is warned about, and one on this machine is not", async () => {
  await enroll(optionsFor(startServer()));
  expect(lines.join("")).not.toContain("plain text");
  await failure(optionsFor("http://nowhere.invalid", { force: true }));
  expect(lines.join("")).toContain("plain text");
});
