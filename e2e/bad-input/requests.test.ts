import { afterAll, beforeAll, expect, test } from "bun:test";
import { Problem } from "@restic-manager/protocol/api/errors";
import { Job, JobsPage } from "@restic-manager/protocol/api/jobs";
import { onEveryDatabase } from "@restic-manager/server/testing/databases";
import { RawAgent } from "../stage/raw-agent.ts";
import { Stage } from "../stage/stage.ts";
import { until } from "../stage/until.ts";

/** Requests nobody should send: each gets a 4xx that names the field, or is handled; none a 5xx. */

const ULID = "01JD0000000000000000000000";
const TOKENS = "/api/enrollment-tokens";
const machine = (change: Record<string, unknown>) => ({
  host_name: "m1",
  repository_url: "/srv/repository",
  ...change,
});

interface Case {
  what: string;
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  body?: unknown;
  status: number;
  code: string;
  /** The field that is named. */
  field?: string;
}

const CASES: Case[] = [
  {
    what: "10 MB of JSON",
    method: "POST",
    path: TOKENS,
    body: machine({ host_name: "x".repeat(10e6) }),
    status: 413,
    code: "too_large",
  },
  {
    what: "a name of 1 MB",
    method: "POST",
    path: TOKENS,
    body: machine({ host_name: "x".repeat(1e6) }),
    status: 422,
    code: "validation_failed",
    field: "host_name",
  },
  {
    what: "a name with a line break",
    method: "POST",
    path: TOKENS,
    body: machine({ host_name: "a\nb" }),
    status: 422,
    code: "validation_failed",
    field: "host_name",
  },
  {
    what: "a name of another alphabet",
    method: "POST",
    path: TOKENS,
    body: machine({ host_name: "ホスト" }),
    status: 422,
    code: "validation_failed",
    field: "host_name",
  },
  {
    what: "a field that is not known",
    method: "POST",
    path: TOKENS,
    body: machine({ colour: "red" }),
    status: 422,
    code: "validation_failed",
    field: "colour",
  },
  {
    what: "a missing field",
    method: "POST",
    path: TOKENS,
    body: { host_name: "m1" },
    status: 422,
    code: "validation_failed",
    field: "repository_url",
  },
  {
    what: "a relative folder",
    method: "POST",
    path: TOKENS,
    body: machine({ includes: ["/ok", "home"] }),
    status: 422,
    code: "validation_failed",
    field: "includes.1",
  },
  {
    what: "a folder with NUL",
    method: "POST",
    path: TOKENS,
    body: machine({ includes: ["/a\u0000b"] }),
    status: 422,
    code: "validation_failed",
    field: "includes.0",
  },
  {
    what: "a folder that is half a character",
    method: "POST",
    path: TOKENS,
    body: '{"host_name":"m1","repository_url":"/r","includes":["/srv/\\ud800"]}',
    status: 422,
    code: "validation_failed",
    field: "includes.0",
  },
  {
    what: "more folders than a frame can carry",
    method: "POST",
    path: TOKENS,
    body: machine({ includes: Array.from({ length: 100 }, (_, n) => `/${n}${"x".repeat(4_000)}`) }),
    status: 422,
    code: "validation_failed",
    field: "includes",
  },
  {
    what: "an address with a line break",
    method: "POST",
    path: TOKENS,
    body: machine({ repository_url: "/srv\n/x" }),
    status: 422,
    code: "validation_failed",
    field: "repository_url",
  },
  {
    what: "a password with NUL",
    method: "POST",
    path: TOKENS,
    body: machine({ repository_password: "a\u0000b" }),
    status: 422,
    code: "validation_failed",
    field: "repository_password",
  },
  { what: "no JSON", method: "POST", path: TOKENS, body: "{", status: 400, code: "malformed_json" },
  {
    what: "bytes that are no UTF-8",
    method: "POST",
    path: TOKENS,
    body: new Blob([new Uint8Array([0x22, 0xff, 0x22])]),
    status: 422,
    code: "validation_failed",
  },
  {
    what: "a list",
    method: "POST",
    path: TOKENS,
    body: [],
    status: 422,
    code: "validation_failed",
    field: "body",
  },
  {
    what: "a bad ULID in the path",
    method: "GET",
    path: "/api/hosts/not-a-ulid",
    status: 422,
    code: "validation_failed",
    field: "id",
  },
  {
    what: "a bad ULID of a job",
    method: "GET",
    path: "/api/jobs/%00",
    status: 422,
    code: "validation_failed",
    field: "id",
  },
  {
    what: "a ULID in lower case",
    method: "DELETE",
    path: `/api/hosts/${ULID.toLowerCase()}`,
    status: 422,
    code: "validation_failed",
    field: "id",
  },
  { what: "a host nobody knows", method: "GET", path: `/api/hosts/${ULID}`, status: 404, code: "not_found" },
  {
    what: "a negative cap",
    method: "POST",
    path: `/api/hosts/${ULID}/source-groups/${ULID}/run`,
    body: { bandwidth: { upload_kib_per_s: -1 } },
    status: 422,
    code: "validation_failed",
    field: "bandwidth.upload_kib_per_s",
  },
  {
    what: "half a cap",
    method: "POST",
    path: `/api/hosts/${ULID}/source-groups/${ULID}/run`,
    body: { bandwidth: { upload_kib_per_s: 0.5 } },
    status: 422,
    code: "validation_failed",
    field: "bandwidth.upload_kib_per_s",
  },
  {
    what: "a negative line",
    method: "GET",
    path: `/api/jobs/${ULID}/log?from=-1`,
    status: 422,
    code: "validation_failed",
    field: "from",
  },
  {
    what: "a line past all numbers",
    method: "GET",
    path: `/api/jobs/${ULID}/log?from=1e300`,
    status: 422,
    code: "validation_failed",
    field: "from",
  },
  {
    what: "a limit of nothing",
    method: "GET",
    path: "/api/hosts?limit=0",
    status: 422,
    code: "validation_failed",
    field: "limit",
  },
  {
    what: "a query that is not known",
    method: "GET",
    path: "/api/hosts?colour=red",
    status: 422,
    code: "validation_failed",
    field: "colour",
  },
  {
    what: "a cursor that is none",
    method: "GET",
    path: "/api/jobs?cursor=%00",
    status: 422,
    code: "validation_failed",
    field: "cursor",
  },
  {
    what: "a cursor of hosts that is none",
    method: "GET",
    path: "/api/hosts?cursor=e30",
    status: 422,
    code: "validation_failed",
    field: "cursor",
  },
  { what: "an unknown path", method: "GET", path: "/api/no/such/path", status: 404, code: "not_found" },
  {
    what: "a method that is not served",
    method: "DELETE",
    path: "/api/hosts",
    status: 405,
    code: "method_not_allowed",
  },
  {
    what: "a path that is no URL encoding",
    method: "GET",
    path: "/api/hosts/%E0%A4%A",
    status: 422,
    code: "validation_failed",
    field: "id",
  },
];

onEveryDatabase("a request", (open, kind) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open(kind === "sqlite" ? {} : { databaseUrl: await open() });
  }, 30_000);
  afterAll(() => stage?.strike());

  test.each(CASES)(
    "with $what is answered with $status $code",
    ({ method, path, body, status, code, field }) =>
      stage.tell(async () => {
        const answer = await stage.server.api.ask(method, path, body);
        const text = await answer.text();
        expect({ status: answer.status, text: text.slice(0, 500) }).toMatchObject({ status });
        // It never repeats a megabyte.
        expect(text.length).toBeLessThan(4_000);
        const problem = Problem.parse(JSON.parse(text));
        expect(problem.code).toBe(code);
        if (field !== undefined) expect(Object.keys(problem.fields ?? {})).toContain(field);
      }),
  );

  test.each([
    { what: "a search with NUL", method: "GET" as const, path: "/api/hosts?search=%00", status: [200, 422] },
    {
      what: "a search with wildcards",
      method: "GET" as const,
      path: "/api/hosts?search=%25_%5C",
      status: [200],
    },
    {
      what: "a name with NUL at sign-in",
      method: "POST" as const,
      path: "/api/session",
      body: { username: "a\u0000", password: "x" },
      status: [401, 422],
    },
    {
      what: "half a character at sign-in",
      method: "POST" as const,
      path: "/api/session",
      body: '{"username":"\\ud800","password":"x"}',
      status: [401, 422],
    },
    {
      what: "an agent's facts with NUL",
      method: "POST" as const,
      path: "/api/agents/enroll",
      body: {
        token: "a\u0000",
        hostname: "\u0000",
        machine_id: "\u0000",
        os: "x",
        os_name: "x",
        arch: "x",
        agent_version: "x",
      },
      status: [401, 422],
    },
  ])("with $what is handled", ({ method, path, body, status }) =>
    stage.tell(async () => {
      const answer = await stage.server.api.ask(method, path, body);
      expect({ answered: answer.status, text: await answer.text() }).toSatisfy(({ answered }) =>
        status.some((one) => one === answered),
      );
    }),
  );

  test("of an agent whose own facts hold NUL does not keep it out", () =>
    stage.tell(async () => {
      const agent = await RawAgent.enroll(stage, "nul");
      await agent.greet({
        hostname: "a\u0000b",
        os_name: "\ud800",
        boot_id: "\u0000",
        restic: { state: "ok", version: "\u0000" },
      });
      await agent.hears("welcome");
      agent.hangUp();
    }));

  test("of an agent about a job with NUL in its words is kept, and does not hold up what follows", () =>
    stage.tell(async () => {
      const agent = await RawAgent.enroll(stage, "nul-job");
      await agent.greet();
      const { id } = await firstJob(stage, agent);
      const at = new Date().toISOString();
      const error = { code: "failed", message: "a\u0000b \ud800 c" };
      const finished = {
        kind: "init",
        started_at: at,
        finished_at: at,
        outcome: { state: "failed", error },
        log_lines: 0,
      };
      agent.say({ type: "durable", seq: 1, message: { type: "job.finished", job_id: id, ...finished } });
      agent.say({
        type: "durable",
        seq: 2,
        message: { type: "log.gap", job_id: id, first_line: 0, count: 1 },
      });
      await until("both are acknowledged", async () => (await agent.hears("ack")).seq === 2);
      const job = await stage.server.api.call("GET", `/api/jobs/${id}`, Job);
      expect(job.state).toBe("failed");
      agent.hangUp();
    }));
});

/** The job that opens a new machine's repository. */
async function firstJob(stage: Stage, agent: RawAgent): Promise<Job> {
  const { items } = await stage.server.api.call("GET", `/api/jobs?host_id=${agent.hostId}`, JobsPage);
  const [job] = items;
  if (job === undefined) throw new Error("there is no job");
  return job;
}
