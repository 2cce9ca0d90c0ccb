import { expect, test } from "bun:test";
import { RepoCredentialsView } from "@restic-manager/protocol/api/repository";
import type { Database } from "../platform/db/schema.ts";
import { ADA, callRoom, testParts } from "../testing/parts.ts";
import { addHost, addJob, newHostId, newJobId, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { agentConfig, hasCredentials, needInit } from "./config.ts";
import { repositoriesRoom } from "./routes.ts";
import { repositoryState } from "./state.ts";
import { adoptRepository, applyStats, latestStats, type StatsMessage } from "./stats.ts";

const first = {
  url: "rest:https://vault/a/",
  username: "a",
  password: "http-pw",
  repository_password: "repo-pw",
};
const id = (digit: string) => digit.repeat(64);
const stats = (size: number, taken_at = "2026-11-21T12:00:00.000Z"): StatsMessage => ({
  type: "repo.stats",
  repository_id: id("a") as StatsMessage["repository_id"],
  taken_at,
  total_size: size,
  snapshots_count: 1,
});

function repositories(db: Database) {
  const parts = testParts(db);
  const room = repositoriesRoom({
    ...parts,
    createInitJob: async (trx, hostId, actor) => ({
      id: await addJob(trx, hostId, "queued", { kind: "init", actor_name: actor.name }),
    }),
  });
  return { ...parts, call: callRoom(room, "operator") };
}

onEveryStore("a repository's credentials", (open) => {
  test("are saved sealed, told to the agent and tried", async () => {
    const db = await open();
    const { call, seal, published } = repositories(db);
    const host = await addHost(db, { name: "a" });
    const path = `/api/hosts/${host}/repo-credentials`;
    expect((await call("GET", path)).status).toBe(404);
    expect(await repositoryState(db, host)).toEqual({ state: "no_credentials" });
    const saved = await call("PUT", path, first);
    expect(saved.status).toBe(200);
    expect(await call("GET", path)).toEqual(saved);
    expect(RepoCredentialsView.strict().parse(saved.body)).toMatchObject({
      username: "a",
      has_password: true,
    });
    expect(await agentConfig(db, seal, host)).toEqual({
      version: 2,
      host_name: "a",
      repository: first,
      bandwidth: {},
    });
    const job = await db.selectFrom("jobs").select(["id", "kind", "actor_name"]).executeTakeFirstOrThrow();
    expect(job).toMatchObject({ kind: "init", actor_name: ADA.name });
    expect(await repositoryState(db, host)).toEqual({ state: "waiting", job_id: job.id });
    expect(published.map(([topic]) => topic)).toEqual([
      "config.changed",
      "job.queued",
      "job.changed",
      "host.changed",
    ]);

    const audit = await db.selectFrom("audit").selectAll().executeTakeFirstOrThrow();
    expect(audit).toMatchObject({ action: "credential.updated", target_id: host, actor_name: ADA.name });
    const everything = JSON.stringify([
      audit,
      saved,
      await db.selectFrom("repository_credentials").selectAll().execute(),
    ]);
    for (const secret of [first.password, first.repository_password])
      expect(everything).not.toContain(secret);
  });

  test("that are refused change nothing", async () => {
    const db = await open();
    const { call, seal, published } = repositories(db);
    const host = await addHost(db);
    const path = `/api/hosts/${host}/repo-credentials`;
    await call("PUT", path, first);
    published.length = 0;
    for (const [body, field] of [
      [{ url: "rest:https://evil/" }, "password"],
      [{ url: "ftp://x" }, "url"],
      [{ url: first.url, extra: 1 }, "extra"],
      [{ url: "rest:https://vault/\n" }, "url"],
    ] as const) {
      const refused = await call("PUT", path, body);
      expect(refused).toMatchObject({
        status: 422,
        body: { code: "validation_failed", fields: { [field]: expect.any(String) as string } },
      });
    }
    expect((await agentConfig(db, seal, host))?.version).toBe(2);
    expect(published).toEqual([]);
    expect((await call("PUT", `/api/hosts/${newHostId()}/repo-credentials`, first)).status).toBe(404);
  });

  test("are proved by the latest init job that nobody cancelled", async () => {
    const db = await open();
    const { call } = repositories(db);
    const host = await addHost(db);
    expect([await needInit(db, [host]), await hasCredentials(db, host)]).toEqual([[], false]);
    await call("PUT", `/api/hosts/${host}/repo-credentials`, first);
    await db.deleteFrom("jobs").execute();
    expect([await needInit(db, [host]), await hasCredentials(db, host)]).toEqual([[host], true]);
    expect(await repositoryState(db, host)).toEqual({ state: "waiting", job_id: null });
    const result = JSON.stringify({ repository_id: id("a"), created: true });
    await addJob(db, host, "succeeded", { kind: "init", created_at: NOON, result });
    const ready = {
      state: "ready",
      repository_id: id("a"),
      created: true,
      since: "2026-11-21T12:01:00.000Z",
    };
    expect(await repositoryState(db, host)).toEqual(ready as never);
    await addJob(db, host, "cancelled", { kind: "init", created_at: NOON + 2 });
    await addJob(db, host, "failed", { created_at: NOON + 3 });
    expect((await repositoryState(db, host)).state).toBe("ready");
    const failed = await addJob(db, host, "failed", { kind: "init", created_at: NOON + 4 });
    expect(await repositoryState(db, host)).toMatchObject({
      state: "failed",
      job_id: failed,
      error: { code: "wrong_password" },
    });
    expect(await needInit(db, [host])).toEqual([]);
  });
});

onEveryStore("a repository's size", (open) => {
  test("is what came last, and the same report again changes nothing", async () => {
    const db = await open();
    const host = await addHost(db);
    const apply = (message: StatsMessage) =>
      db.transaction().execute((trx) => applyStats(trx, host, message, NOON + 3 * 3600_000));
    expect(await latestStats(db, host)).toBeNull();
    expect(await apply(stats(5))).toBe(true);
    await apply(stats(5));
    await apply(stats(7, "2026-11-21T13:00:00.000Z"));
    expect(await db.selectFrom("repository_stats").select("total_size").execute()).toHaveLength(2);
    expect(await latestStats(db, host)).toEqual({
      taken_at: "2026-11-21T13:00:00.000Z",
      total_size: 7,
      total_uncompressed_size: null,
    });
    expect(await db.selectFrom("hosts").select(["stored_bytes", "repository_id"]).execute()).toEqual([
      { stored_bytes: 7, repository_id: id("a") },
    ]);
    expect(await db.transaction().execute((trx) => applyStats(trx, newHostId(), stats(5), NOON))).toBe(false);
  });

  test("measured under a clock that ran ahead is not the latest for ever", async () => {
    const db = await open();
    const host = await addHost(db);
    const apply = (message: StatsMessage, now: number) =>
      db.transaction().execute((trx) => applyStats(trx, host, message, now));
    await apply(stats(5, "2031-01-01T00:00:00.000Z"), NOON);
    await apply(stats(7, "2026-11-21T13:00:00.000Z"), NOON + 3600_000);
    expect((await latestStats(db, host))?.total_size).toBe(7);
  });

  test("is forgotten when the host opens another repository", async () => {
    const db = await open();
    const host = await addHost(db);
    const adopt = (repository: string) =>
      db
        .transaction()
        .execute((trx) =>
          adoptRepository(trx, host, { repositoryId: repository, jobId: newJobId(), now: NOON }),
        );
    expect(await adopt(id("a"))).toBe(false);
    await db.transaction().execute((trx) => applyStats(trx, host, stats(5), NOON));
    expect(await adopt(id("a"))).toBe(false);
    expect((await latestStats(db, host))?.total_size).toBe(5);
    expect(await adopt(id("b"))).toBe(true);
    expect(await latestStats(db, host)).toBeNull();
    expect(await db.selectFrom("hosts").select(["stored_bytes", "repository_id"]).execute()).toEqual([
      { stored_bytes: null, repository_id: id("b") },
    ]);
  });
});
