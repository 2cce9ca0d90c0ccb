import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentEnroll } from "@restic-manager/protocol/api/enrolment";

const MAIN = join(import.meta.dir, "main.ts");
const HOST = "01K2Z7M8N9P0Q1R2S3T4V5W6X7";
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rm-main-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const folders = () => ["--config-dir", join(root, "etc"), "--state-dir", join(root, "var")];

/** Runs the real program to its end, in an environment of its own. */
async function agent(argv: string[], env: Record<string, string> = {}) {
  const run = Bun.spawn([process.execPath, MAIN, ...argv], {
    env,
    cwd: root,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out, err] = await Promise.all([run.exited, run.stdout.text(), run.stderr.text()]);
  return { code, out, err };
}

function startServer() {
  const tokens: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      tokens.push(AgentEnroll.parse(await request.json()).token);
      const config = { version: 1, host_name: "web-1", repository: null, bandwidth: {} };
      return Response.json({ host_id: HOST, bearer: "rma_bearer", config });
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, tokens, stop: () => server.stop(true) };
}

test("without a command, or with one that is not there, it says which there are", async () => {
  for (const argv of [[], ["enrol"]]) {
    const { code, out, err } = await agent(argv);
    expect([code, out]).toEqual([2, ""]);
    for (const name of ["enroll", "run", "version", "help"]) expect(err).toContain(`\n  ${name} `);
  }
});

test("help and version answer on stdout and succeed", async () => {
  expect((await agent(["help"])).code).toBe(0);
  expect(await agent(["version"])).toEqual({ code: 0, out: "restic-manager-agent 0.0.0-dev\n", err: "" });
  expect((await agent(["--version"])).out).toBe("restic-manager-agent 0.0.0-dev\n");
  const { code, out } = await agent(["enroll", "--help"]);
  expect(code).toBe(0);
  expect(out).toContain("--pin-sha256 HEX");
});

test.each([
  [["enroll", "--tokn", "rmt_secret"], "enroll does not know the flag --tokn"],
  [["enroll", "rmt_secret"], "flags only"],
  [["enroll", "--token"], "--token needs a value"],
  [["enroll", "--server", "--token", "rmt_secret"], "--server needs a value"],
  [["enroll", "--force=rmt_secret"], "--force takes no value"],
])("%j is refused with the flags it knows, and the token is not repeated", async (argv, words) => {
  const { code, err } = await agent(argv);
  expect(code).toBe(2);
  expect(err).toContain(words);
  expect(err).toContain("--server URL");
  expect(err).not.toContain("rmt_secret");
});

test("enroll without a server or a token says what is missing and where to find it", async () => {
  const noServer = await agent(["enroll", "--token", "rmt_secret", ...folders()]);
  expect([noServer.code, noServer.err]).toEqual([2, expect.stringContaining("--server URL (or RM_SERVER)")]);
  const noToken = await agent(["enroll", ...folders()], { RM_SERVER: "https://a.example" });
  expect([noToken.code, noToken.err]).toEqual([2, expect.stringContaining("--token TOKEN (or RM_TOKEN)")]);
});

test("enroll takes server and token from the environment; a flag wins; the second time it refuses", async () => {
  const server = startServer();
  try {
    const env = { RM_SERVER: server.url, RM_TOKEN: "rmt_from-env" };
    const first = await agent(["enroll", ...folders(), "--restic", "bin/restic"], env);
    expect([first.code, first.out]).toEqual([0, expect.stringContaining(`as host ${HOST}`)]);
    expect(first.out + first.err).not.toContain("rmt_from-env");
    expect(readFileSync(join(root, "etc", "agent.yaml"), "utf8")).toContain(join(root, "bin/restic"));
    expect(existsSync(join(root, "etc", "secrets.enc"))).toBe(true);
    const second = await agent(["enroll", ...folders()], env);
    expect(second.code).toBe(78);
    expect(second.err).toContain(server.url);
    const forced = await agent(["enroll", ...folders(), "--force", "--token", "rmt_from-flag"], env);
    expect(forced.code).toBe(0);
    expect(server.tokens).toEqual(["rmt_from-env", "rmt_from-flag"]);
  } finally {
    await server.stop();
  }
});

test("run on a machine that is not enrolled says so, in one line that the journal understands", async () => {
  const { code, err } = await agent(["run", ...folders()], { JOURNAL_STREAM: "8:1" });
  expect(code).toBe(78);
  expect(err).toMatch(/^<3>this machine is not enrolled: .*agent\.yaml.*\n$/);
});

test("run with a damaged agent.yaml names file and field and leaves it alone", async () => {
  mkdirSync(join(root, "etc"));
  writeFileSync(join(root, "etc", "agent.yaml"), "server: 5\n", { mode: 0o600 });
  const { code, err } = await agent(["run", ...folders()]);
  expect(code).toBe(78);
  expect(err).toContain(`${join(root, "etc", "agent.yaml")}: server`);
  expect(readFileSync(join(root, "etc", "agent.yaml"), "utf8")).toBe("server: 5\n");
});

test("a signal ends an enrolment that the server never answers, and says what may have become of the token", async () => {
  const asked = Promise.withResolvers<void>();
  const never = Promise.withResolvers<Response>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch() {
      asked.resolve();
      return never.promise;
    },
  });
  try {
    const argv = [
      "enroll",
      ...folders(),
      "--server",
      `http://127.0.0.1:${server.port}`,
      "--token",
      "rmt_secret",
    ];
    const run = Bun.spawn([process.execPath, MAIN, ...argv], { env: {}, stdout: "ignore", stderr: "pipe" });
    await asked.promise;
    run.kill("SIGTERM");
    const [code, err] = await Promise.all([run.exited, run.stderr.text()]);
    expect([code, err]).toEqual([1, expect.stringContaining("was interrupted")]);
    expect(existsSync(join(root, "etc", "agent.yaml"))).toBe(false);
  } finally {
    never.resolve(new Response());
    await server.stop(true);
  }
});
