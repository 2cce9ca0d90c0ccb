import { expect, test } from "bun:test";
import {
  AgentEnroll,
  AgentEnrolled,
  EnrollmentToken,
  EnrollmentTokenInput,
} from "@restic-manager/protocol/api/enrolment";
import type { Database } from "../platform/db/schema.ts";
import { renameHost } from "../hosts/store.ts";
import { hashToken } from "../platform/token.ts";
import { agentConfig, storeCredentials } from "../repositories/config.ts";
import { seedSourceGroup } from "../sources/groups.ts";
import { ADA, testParts } from "../testing/parts.ts";
import { addHost } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { thrownBy } from "../testing/thrown.ts";
import { createEnrollment } from "./create.ts";
import { enrollAgent } from "./enroll.ts";
import { enrollmentProgress } from "./progress.ts";
import { followEnrolments, noteStep, sweepEnrollments } from "./steps.ts";
import { readToken } from "./token.ts";

const wish = { host_name: "db-ams-01", repository_url: "rest:https://vault/db/", username: "db" };
const machine = {
  hostname: "db",
  machine_id: "m",
  os: "linux",
  os_name: "Debian GNU/Linux 12 (bookworm)",
  arch: "x64",
  agent_version: "0.1.0",
};

/** The room as app.ts puts it together. */
function enrolment(db: Database) {
  const parts = testParts(db);
  const { clock, ids, seal } = parts;
  const room = {
    ...parts,
    baseUrl: async () => "https://backup.example.org",
    storeCredentials: (
      ...[trx, hostId, credentials]: Parameters<Parameters<typeof enrollAgent>[0]["storeCredentials"]>
    ) => storeCredentials(trx, seal, hostId, credentials, clock.now()),
    seedSourceGroup: (
      ...[trx, host, wished]: Parameters<Parameters<typeof enrollAgent>[0]["seedSourceGroup"]>
    ) => seedSourceGroup(trx, ids, host, wished, clock.now()),
    configOf: (...[trx, hostId]: Parameters<Parameters<typeof enrollAgent>[0]["configOf"]>) =>
      agentConfig(trx, seal, hostId),
  };
  return {
    ...parts,
    create: async (input: object = {}) =>
      EnrollmentToken.parse(
        await createEnrollment(room, EnrollmentTokenInput.parse({ ...wish, ...input }), ADA),
      ),
    enroll: async (token: string, more: object = {}) =>
      AgentEnrolled.parse(
        await enrollAgent(room, AgentEnroll.parse({ token, ...machine, ...more }), "192.0.2.9"),
      ),
  };
}

/** Everything in the database as text. */
async function dump(db: Database): Promise<string> {
  const tables = [
    "hosts",
    "enrollments",
    "enrollment_steps",
    "repository_credentials",
    "source_groups",
    "audit",
  ] as const;
  const rows = [];
  for (const table of tables) rows.push(await db.selectFrom(table).selectAll().execute());
  return JSON.stringify(rows);
}

onEveryStore("an enrolment", (open) => {
  test("makes a machine a host with its credentials and what to back up", async () => {
    const db = await open();
    const { create, enroll, published } = enrolment(db);
    const made = await create();
    const { host_id, bearer, config } = await enroll(made.token);
    expect(config).toEqual({
      version: 1,
      host_name: "db-ams-01",
      repository: {
        url: "rest:https://vault/db/",
        username: "db",
        password: made.credentials.password ?? "",
        repository_password: made.credentials.repository_password ?? "",
      },
      bandwidth: {},
    });
    const host = await db.selectFrom("hosts").selectAll().where("id", "=", host_id).executeTakeFirstOrThrow();
    expect(host).toMatchObject({
      name: "db-ams-01",
      bearer_hash: hashToken(bearer),
      hostname: "db",
      address: "192.0.2.9",
      os_name: machine.os_name,
      online: 0,
      status: "new",
    });
    const groups = await db.selectFrom("source_groups").select(["name", "includes"]).execute();
    expect(groups).toEqual([
      { name: "default", includes: expect.stringContaining('"/etc"') as unknown as string },
    ]);
    const acts = await db
      .selectFrom("audit")
      .select(["action", "actor_kind", "detail"])
      .orderBy("id")
      .execute();
    expect(acts.map(({ action, actor_kind }) => [action, actor_kind])).toEqual([
      ["enrollment.created", "user"],
      ["host.enrolled", "agent"],
      ["credential.read_by_agent", "agent"],
    ]);
    expect(JSON.parse(acts[1]?.detail ?? "")).toEqual({
      hostname: "db",
      os: "linux",
      os_name: machine.os_name,
      arch: "x64",
      credentials: true,
    });
    expect(published).toEqual([
      ["enrollment.changed", { enrollmentId: made.id }],
      ["host.changed", { hostId: host_id }],
    ]);
  });

  test("leaves no secret in plain text in the database", async () => {
    const db = await open();
    const { create, enroll } = enrolment(db);
    const made = await create();
    const before = await dump(db);
    const { bearer } = await enroll(made.token);
    const all = before + (await dump(db));
    const { password, repository_password } = made.credentials;
    for (const secret of [made.token, readToken(made.token)?.secret, password, repository_password, bearer])
      expect(secret?.length).toBeGreaterThan(20);
    for (const secret of [readToken(made.token)?.secret, password, repository_password, bearer])
      expect(all).not.toContain(secret ?? "");
    expect((await db.selectFrom("enrollments").select("sealed").execute())[0]?.sealed).toBe("");
  });

  test("lets one of two racing agents win", async () => {
    const db = await open();
    const { create, enroll } = enrolment(db);
    const { token } = await create();
    const ends = await Promise.all([enroll(token), enroll(token), enroll(token)].map(thrownBy));
    expect(ends.filter((end) => end === null)).toHaveLength(1);
    for (const end of ends.filter((one) => one !== null)) expect(end).toMatchObject({ code: "token_used" });
    expect(await db.selectFrom("hosts").select("name").execute()).toEqual([{ name: "db-ams-01" }]);
  });

  test("refuses a token that is used, expired, wrong or none", async () => {
    const db = await open();
    const { create, enroll, clock } = enrolment(db);
    const { token, id } = await create();
    const other = await create({ host_name: "b" });
    for (const wrong of ["", "x", `${id}.`, `${id}.wrong`, `${other.id}.${token.split(".")[1]}`, `${token}x`])
      expect(await thrownBy(enroll(wrong === "" ? "." : wrong))).toMatchObject({ code: "token_unknown" });
    await enroll(token);
    expect(await thrownBy(enroll(token))).toMatchObject({ code: "token_used" });
    clock.advance(3600_000);
    expect(await thrownBy(enroll(other.token))).toMatchObject({ code: "token_expired" });
  });

  test("does not use the token up when the name was taken meanwhile", async () => {
    const db = await open();
    const { create, enroll } = enrolment(db);
    const { token } = await create({ host_name: "A" });
    const taker = await addHost(db, { name: "a" });
    expect(await thrownBy(enroll(token))).toMatchObject({ code: "name_taken" });
    await db.deleteFrom("hosts").where("id", "=", taker).execute();
    expect((await enroll(token)).config.host_name).toBe("A");
    expect(await thrownBy(create({ host_name: "a" }))).toMatchObject({ code: "name_taken" });
  });

  test("gives snapshots a name that a rename does not change and no other host gets", async () => {
    const db = await open();
    const { create, enroll, seal } = enrolment(db);
    const early = await create({ host_name: "db-ams-01" });
    const { host_id } = await enroll((await create()).token);
    await db.transaction().execute((trx) => renameHost(trx, host_id, "db-fra-07"));
    const config = await agentConfig(db, seal, host_id);
    // The old name, and nothing for the agent to fetch.
    expect(config).toMatchObject({ host_name: "db-ams-01", version: 1 });
    expect(await thrownBy(create({ host_name: "db-ams-01" }))).toMatchObject({ code: "name_taken" });
    expect(await thrownBy(enroll(early.token))).toMatchObject({ code: "name_taken" });
  });

  test("keeps what it was told and mints the rest", async () => {
    const { create, enroll } = enrolment(await open());
    const told = await create({
      password: "chosen",
      repository_password: "also chosen",
      includes: ["/srv/a"],
    });
    expect(told.credentials).toMatchObject({ username: "db", password: null, repository_password: null });
    expect(told.credentials.htpasswd_line).toStartWith("db:$2y$10$");
    expect((await enroll(told.token)).config.repository).toMatchObject({
      password: "chosen",
      repository_password: "also chosen",
    });
    const bare = await create({ host_name: "b", repository_url: "/srv/repo", username: undefined });
    expect(bare.credentials).toMatchObject({ username: null, password: null, htpasswd_line: null });
    expect(bare.credentials.repository_password).toHaveLength(32);
    const written = await create({
      host_name: "c",
      repository_url: "rest:https://c:pw@vault/c/",
      username: undefined,
    });
    expect(written.credentials).toMatchObject({ username: "c", password: null });
    expect((await enroll(written.token)).config.repository).toMatchObject({
      url: "rest:https://vault/c/",
      password: "pw",
    });
  });

  test.each([
    [{ repository_url: "/srv/repo" }, "username"],
    [{ username: undefined, password: "x" }, "username"],
    [{ repository_url: "rest:https://other@vault/" }, "username"],
    [{ repository_url: "rest:https://db:x@vault/", password: "y" }, "password"],
    [{ repository_url: "rest:https://a%3Ab@vault/", username: undefined }, "repository_url"],
  ])("refuses %j, naming %s", async (input, field) => {
    const { create } = enrolment(await open());
    const problem = await thrownBy(create(input));
    expect(problem).toMatchObject({
      code: "validation_failed",
      extras: { fields: { [field]: expect.any(String) as string } },
    });
  });

  test("is followed step by step until the agent connects", async () => {
    const db = await open();
    const parts = enrolment(db);
    const { create, enroll, clock, published, bus } = parts;
    const stop = await followEnrolments(parts, (error) => {
      throw error;
    });
    const { token, id } = await create();
    const state = async () => {
      const progress = await enrollmentProgress(db, id, clock.now());
      return [progress?.state, progress?.seen.map((step) => step.step)];
    };
    expect(await state()).toEqual(["waiting", ["created"]]);
    clock.advance(1_000);
    await noteStep(parts, id, "script_fetched", "by 192.0.2.9");
    await noteStep(parts, id, "script_fetched", "by 192.0.2.10");
    await noteStep(parts, id, "binary_fetched", null);
    expect(await state()).toEqual(["waiting", ["created", "script_fetched", "binary_fetched"]]);
    const { host_id } = await enroll(token);
    expect(await state()).toEqual(["enrolled", ["created", "script_fetched", "binary_fetched", "enrolled"]]);

    const connected = Promise.withResolvers<void>();
    published.length = 0;
    bus.subscribe("enrollment.changed", () => connected.resolve());
    await db.updateTable("hosts").set({ last_seen_at: clock.now() }).where("id", "=", host_id).execute();
    bus.publish("host.changed", { hostId: host_id });
    await connected.promise;
    expect((await state())[0]).toBe("connected");
    await stop();
    bus.publish("host.changed", { hostId: host_id });
  });

  test("of an agent that connected while nobody looked is noted at the next start", async () => {
    const db = await open();
    const parts = enrolment(db);
    const { token, id } = await parts.create();
    const { host_id } = await parts.enroll(token);
    await db.updateTable("hosts").set({ last_seen_at: 1 }).where("id", "=", host_id).execute();
    await (
      await followEnrolments(parts, () => undefined)
    )();
    expect((await enrollmentProgress(db, id, parts.clock.now()))?.state).toBe("connected");
  });

  test("that nobody used loses its secrets in time, and is forgotten after a week", async () => {
    const db = await open();
    const parts = enrolment(db);
    const { id, token } = await parts.create();
    await sweepEnrollments(parts);
    expect((await db.selectFrom("enrollments").select("sealed").execute())[0]?.sealed).not.toBe("");
    parts.clock.advance(3600_000);
    await sweepEnrollments(parts);
    await sweepEnrollments(parts);
    expect(parts.published).toEqual([["enrollment.changed", { enrollmentId: id }]]);
    expect((await db.selectFrom("enrollments").select("sealed").execute())[0]?.sealed).toBe("");
    expect(await thrownBy(parts.enroll(token))).toMatchObject({ code: "token_expired" });
    expect((await enrollmentProgress(db, id, parts.clock.now()))?.state).toBe("expired");
    parts.clock.advance(7 * 24 * 3600_000);
    await sweepEnrollments(parts);
    expect(await enrollmentProgress(db, id, parts.clock.now())).toBeUndefined();
    await noteStep(parts, id, "binary_fetched", null);
    expect(await db.selectFrom("enrollment_steps").selectAll().execute()).toEqual([]);
  });
});
