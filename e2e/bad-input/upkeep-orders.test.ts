import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Problem } from "@restic-manager/protocol/api/errors";
import { CreatedJob, Job } from "@restic-manager/protocol/api/jobs";
import { CreatedJobs, Schedule } from "@restic-manager/protocol/api/schedules";
import { SourceGroup, SourceGroups } from "@restic-manager/protocol/api/sources";
import { onEveryDatabase } from "@restic-manager/server/testing/databases";
import { RawAgent } from "../stage/raw-agent.ts";
import { Stage } from "../stage/stage.ts";

/**
 * Schedules, source groups and maintenance as nobody should order them: each is refused by name with a 4xx before anything is written,
 * or handled. Where each seed of bad input is tried, for the whole product:
 *
 * | seed | at the API, on both stores | where it reaches restic |
 * | --- | --- | --- |
 * | bad cron, 6 fields, `@daily`, Feb 30 | here: five places that take one; server/schedules/routes.test.ts for the words; protocol/cron.test.ts | never: an agent takes no other (protocol/schedule.ts) |
 * | foreign group, unknown group, none, twice | here; server/schedules/routes.test.ts | – |
 * | deleted group while queued | here: waiting for a machine that is away | bad-input/hooks-and-paths.test.ts: taken by its agent |
 * | group taken out of its schedule while queued | here; server/schedules/routes.test.ts | – |
 * | empty retention | here; server/maintenance/routes.test.ts | restic/maintenance.real.test.ts, protocol/jobs/forget.ts |
 * | includes of `-o`, excludes of `-o` | here | bad-input/hooks-and-paths.test.ts; agent/jobs/jobs.test.ts |
 * | 10,000 includes | here; server/sources/change.test.ts for many such groups | bad-input/hooks-and-paths.test.ts |
 * | hook that forks and hangs | – | bad-input/hooks-and-paths.test.ts; agent/hooks.test.ts |
 * | hook printing 1 GB | – | bad-input/hooks-and-paths.test.ts; agent/hooks.test.ts |
 * | subset 0, 101, abc | here | e2e/maintenance.test.ts reads 100 %; bad-input/hooks-and-paths.test.ts 0 % |
 * | admin credential that is wrong | here: its shape | e2e/maintenance.test.ts, e2e/chosen-snapshots.test.ts |
 */

setDefaultTimeout(60_000);

const NOBODYS = "01JD0000000000000000000000";
const BAD_CRONS = [
  "",
  "often",
  "0 0 0 1 1 *",
  "* * * *",
  "@daily",
  "@reboot",
  "0 0 30 2 *",
  "0 0 31 4,6 *",
  "60 * * * *",
  "* 24 * * *",
  "-1 * * * *",
  "*/0 * * * *",
  "5-1 * * * *",
  "1,,2 * * * *",
  "0 0 * * 8",
  "0 3 * * L",
  "0 3 ? * *",
  "0x1 * * * *",
  "٣ 3 * * *",
  "0 3 * * *; rm -rf /",
  "9 ".repeat(400),
];
const TASK = { cron: "0 3 * * *", enabled: true };
const MAINTENANCE = { forget: TASK, prune: TASK, check: { ...TASK, read_data_percent: 1 } };
const GROUP = { name: "photos", includes: ["/srv/photos"] };

onEveryDatabase("an order", (open, kind) => {
  let stage: Stage;
  /** A machine that never connected, with its first group, and another one's group. */
  let away: RawAgent;
  let base: string;
  let own: string;
  let foreign: string;

  beforeAll(async () => {
    stage = await Stage.open(kind === "sqlite" ? {} : { databaseUrl: await open() });
    away = await RawAgent.enroll(stage, "away");
    base = `/api/hosts/${away.hostId}`;
    own = await firstGroup(away);
    foreign = await firstGroup(await RawAgent.enroll(stage, "other"));
  }, 60_000);
  afterAll(() => stage?.strike());

  async function firstGroup(agent: RawAgent): Promise<string> {
    const path = `/api/hosts/${agent.hostId}/source-groups`;
    const [group] = (await stage.server.api.call("GET", path, SourceGroups)).items;
    if (group === undefined) throw new Error("there is no group");
    return group.id;
  }

  /** Asks, and wants a refusal that names `field` in few words. */
  async function refused(
    method: "POST" | "PUT",
    path: string,
    body: unknown,
    field: string,
  ): Promise<string> {
    const answer = await stage.server.api.ask(method, path, body);
    const text = await answer.text();
    expect({ path, field, status: answer.status, text: text.slice(0, 300) }).toMatchObject({ status: 422 });
    expect(text.length).toBeLessThan(4_000);
    const problem = Problem.parse(JSON.parse(text));
    expect(problem.code).toBe("validation_failed");
    expect(Object.keys(problem.fields ?? {})).toContain(field);
    return problem.fields?.[field] ?? "";
  }

  test.each(BAD_CRONS.map((cron) => [cron]))(
    "with the expression %j is refused wherever one is taken",
    (cron) =>
      stage.tell(async () => {
        const schedule = { cron, source_group_ids: [own] };
        const content = {
          groups: [GROUP],
          schedules: [{ name: "nightly", cron, groups: [GROUP.name] }],
        };
        const words = await refused("POST", `${base}/schedules`, schedule, "cron");
        expect(words).not.toBe("");
        await refused("PUT", `${base}/schedules/${NOBODYS}`, schedule, "cron");
        await refused("POST", `${base}/schedules/preview`, { cron }, "cron");
        for (const task of ["forget", "prune", "check"] as const)
          await refused(
            "PUT",
            `${base}/repo-maintenance`,
            { ...MAINTENANCE, [task]: { ...MAINTENANCE[task], cron } },
            `${task}.cron`,
          );
        await refused("POST", "/api/policy-templates", { name: "t", content }, "content.schedules.0.cron");
      }),
  );

  test.each([
    ["of another host", () => [foreign], "source_group_ids.0"],
    ["of another host beside its own", () => [own, foreign], "source_group_ids.1"],
    ["that nobody has", () => [NOBODYS], "source_group_ids.0"],
    ["twice", () => [own, own], "source_group_ids"],
    ["that is none", () => ["everything"], "source_group_ids.0"],
    ["in no number", () => [], "source_group_ids"],
  ])("for a group %s is refused, new and changed", (_what, groups, field) =>
    stage.tell(async () => {
      const good = { cron: "0 3 * * *", source_group_ids: [own] };
      const { id } = await stage.server.api.call("POST", `${base}/schedules`, Schedule, good);
      const bad = { cron: "0 3 * * *", source_group_ids: groups() };
      await refused("POST", `${base}/schedules`, bad, field);
      await refused("PUT", `${base}/schedules/${id}`, bad, field);
      await stage.server.api.ask("DELETE", `${base}/schedules/${id}`);
    }),
  );

  test.each([
    ["an option", ["-o"], "includes.0"],
    ["an option with a value", ["/srv", "-o rest.connections=1"], "includes.1"],
    ["a long option", ["--files-from=/etc/shadow"], "includes.0"],
    ["a relative path", ["srv"], "includes.0"],
    ["nothing", [""], "includes.0"],
    ["NUL", ["/a\u0000b"], "includes.0"],
    ["no path at all", [], "includes"],
    ["one path too many", Array.from({ length: 10_001 }, (_, n) => `/${n}`), "includes"],
    [
      "paths that no frame carries",
      Array.from({ length: 10_000 }, (_, n) => `/${"x".repeat(60)}${n}`),
      "includes",
    ],
  ])("to back up %s is refused, in a group and in a template", (_what, includes, field) =>
    stage.tell(async () => {
      await refused("POST", `${base}/source-groups`, { ...GROUP, includes }, field);
      await refused("PUT", `${base}/source-groups/${own}`, { ...GROUP, includes }, field);
      const content = { groups: [{ ...GROUP, includes }] };
      await refused("POST", "/api/policy-templates", { name: "t", content }, `content.groups.0.${field}`);
    }),
  );

  test("to back up ten thousand paths is taken and shown whole", () =>
    stage.tell(async () => {
      const includes = Array.from({ length: 10_000 }, (_, n) => `/srv/data/${n}`);
      const made = await stage.server.api.call("POST", `${base}/source-groups`, SourceGroup, {
        ...GROUP,
        name: "many",
        includes,
        excludes: ["-o", "--exclude-file=/etc/shadow"],
      });
      const path = `${base}/source-groups/${made.id}`;
      const shown = await stage.server.api.call("GET", path, SourceGroup);
      expect(shown.includes).toEqual(includes);
      expect(shown.excludes).toEqual(["-o", "--exclude-file=/etc/shadow"]);
      expect((await stage.server.api.ask("DELETE", path)).status).toBe(204);
    }));

  test.each([
    [{ daily: -1 }, "daily"],
    [{ daily: 1.5 }, "daily"],
    [{ keep_last: "7" }, "keep_last"],
    [{ weekly: 1e9 }, "weekly"],
    [{ yearly: null }, "yearly"],
    [{ forever: 1 }, "forever"],
  ])("to keep %j is refused in a group, a template and a preview", (retention_policy, field) =>
    stage.tell(async () => {
      const group = { ...GROUP, retention_policy };
      await refused("POST", `${base}/source-groups`, group, `retention_policy.${field}`);
      const content = { groups: [group] };
      await refused(
        "POST",
        "/api/policy-templates",
        { name: "t", content },
        `content.groups.0.retention_policy.${field}`,
      );
      const preview = { dry_run: true, source_group_ids: [own], retention_policy };
      await refused("POST", `${base}/repo/forget`, preview, `retention_policy.${field}`);
    }),
  );

  test.each([[{}], [{ keep_last: 0 }], [{ daily: 0, yearly: 0 }]])(
    "to forget by the policy %j, which keeps nothing, is refused: it would delete everything",
    (retention_policy) =>
      stage.tell(async () => {
        const path = `${base}/source-groups/${own}`;
        const { name, includes } = await stage.server.api.call("GET", path, SourceGroup);
        await stage.server.api.call("PUT", path, SourceGroup, { name, includes, retention_policy });
        for (const wish of [
          {},
          { dry_run: true },
          { dry_run: true, source_group_ids: [own], retention_policy },
        ]) {
          const answer = await stage.server.api.ask("POST", `${base}/repo/forget`, wish);
          expect(Problem.parse(await answer.json()).code).toBe("missing_retention");
          expect(answer.status).toBe(400);
        }
      }),
  );

  test.each([[101], [-1], [0.5], ["abc"], ["5%"], [null], [[1]], [1e300]])(
    "to read %j percent of the data is refused, now and for later",
    (read_data_percent) =>
      stage.tell(async () => {
        await refused("POST", `${base}/repo/check`, { read_data_percent }, "read_data_percent");
        const settings = { ...MAINTENANCE, check: { ...TASK, read_data_percent } };
        await refused("PUT", `${base}/repo-maintenance`, settings, "check.read_data_percent");
      }),
  );

  test("to read nothing of the data is taken: the structure alone is a check", () =>
    stage.tell(async () => {
      const settings = { ...MAINTENANCE, check: { ...TASK, read_data_percent: 0 } };
      expect((await stage.server.api.ask("PUT", `${base}/repo-maintenance`, settings)).status).toBe(200);
      const path = `${base}/repo/check`;
      const { job } = await stage.server.api.call("POST", path, CreatedJob, { read_data_percent: 0 });
      expect((await stage.server.api.ask("POST", `/api/jobs/${job.id}/cancel`, {})).status).toBe(200);
    }));

  test.each([
    [{ url: "-o" }, "url"],
    [{ url: "rest:http://" }, "url"],
    [{ url: "sftp:-oProxyCommand=touch /tmp/x" }, "url"],
    [{ url: "rest:https://vault/a\n/" }, "url"],
    [{ username: "a:b" }, "username"],
    [{ username: "boss", password: "" }, "password"],
    [{ username: "boss", password: "a\u0000b" }, "password"],
    [{ repository_password: "\ud800" }, "repository_password"],
    [{ username: "boss", password: "x".repeat(1_025) }, "password"],
    [{ secret: "x" }, "secret"],
  ])("of admin credentials like %j is refused", (credentials, field) =>
    stage.tell(async () => {
      await refused("PUT", `${base}/admin-credentials`, credentials, field);
      expect((await stage.server.api.ask("GET", `${base}/admin-credentials`)).status).toBe(404);
    }),
  );

  test("that waits for its machine goes with its group, and with its place in a schedule; the machine never hears of it", () =>
    stage.tell(async () => {
      const { api } = stage.server;
      const groups = [];
      for (const name of ["deleted", "taken-out", "stays"])
        groups.push(await api.call("POST", `${base}/source-groups`, SourceGroup, { ...GROUP, name }));
      const [deleted, takenOut, stays] = groups.map(({ id }) => id);
      const cron = "0 3 * * *";
      const schedule = await api.call("POST", `${base}/schedules`, Schedule, {
        cron,
        source_group_ids: [takenOut, stays],
      });
      const byHand = await api.call("POST", `${base}/source-groups/${deleted}/run`, CreatedJob, {});
      const { jobs } = await api.call("POST", `${base}/schedules/${schedule.id}/run`, CreatedJobs, {});
      expect((await api.ask("DELETE", `${base}/source-groups/${deleted}`)).status).toBe(204);
      await api.call("PUT", `${base}/schedules/${schedule.id}`, Schedule, {
        cron,
        source_group_ids: [stays],
      });
      const stateOf = async (id: string) => (await api.call("GET", `/api/jobs/${id}`, Job)).state;
      const [goes, waits] = jobs.map(({ id }) => id);
      if (goes === undefined || waits === undefined) throw new Error("there are no two jobs");
      expect([await stateOf(byHand.job.id), await stateOf(goes), await stateOf(waits)]).toEqual([
        "cancelled",
        "cancelled",
        "queued",
      ]);
      await away.greet();
      await away.hears("command.run", 2);
      const told = away.heard.flatMap((message) => (message.type === "command.run" ? [message.job_id] : []));
      expect(told).toContain(waits);
      expect(told).not.toContain(goes);
      expect(told).not.toContain(byHand.job.id);
      away.hangUp();
    }));
});
