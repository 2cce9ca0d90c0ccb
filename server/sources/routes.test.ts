import { expect, test } from "bun:test";
import { SourceGroups } from "@restic-manager/protocol/api/sources";
import { MOST_HOSTS_AT_ONCE, RanHosts, type Job } from "@restic-manager/protocol/api/jobs";
import type { Database } from "../platform/db/schema.ts";
import { ADA, callRoom, testParts } from "../testing/parts.ts";
import { addHost, addJob, addSourceGroup, newHostId, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { defaultSources } from "./default-sources.ts";
import { seedSourceGroup } from "./groups.ts";
import { sourcesRoom } from "./routes.ts";
import type { GroupJob } from "./run.ts";

function sources(db: Database, hasCredentials = true, beforeEach: (made: number) => void = () => {}) {
  const parts = testParts(db);
  const ordered: GroupJob[] = [];
  const room = sourcesRoom({
    ...parts,
    hasCredentials: () => Promise.resolve(hasCredentials),
    async createJob(trx, job) {
      beforeEach(ordered.length);
      ordered.push(job);
      return { id: await addJob(trx, job.hostId, "queued") };
    },
    usedBy: async () => [],
    dropWaiting: async () => [],
    viewJob: (id) => Promise.resolve({ id } as Job),
  });
  return { ...parts, ordered, call: callRoom(room, "operator"), look: callRoom(room, "viewer") };
}

onEveryStore("a source group", (open) => {
  test("is run as it is now, capped for this run only", async () => {
    const db = await open();
    const { call, ordered, published } = sources(db);
    const host = await addHost(db, { name: "a" });
    const group = await addSourceGroup(db, host);
    const path = `/api/hosts/${host}/source-groups/${group}/run`;
    const answer = await call("POST", path, { bandwidth: { upload_kib_per_s: 100 } });
    expect(answer.status).toBe(201);
    expect(ordered).toEqual([
      {
        kind: "backup",
        input: {
          source_group_id: group,
          source_group_name: "default",
          includes: ["/etc"],
          excludes: [],
          bandwidth: { upload_kib_per_s: 100 },
        },
        hostId: host,
        actor: ADA,
        sourceGroup: { id: group, name: "default" },
      },
    ]);
    const job = await db.selectFrom("jobs").select("id").executeTakeFirstOrThrow();
    expect(answer.body).toEqual({ job: { id: job.id } });
    expect(published.map(([topic]) => topic)).toEqual(["job.queued", "job.changed", "host.changed"]);
    const audit = await db.selectFrom("audit").selectAll().executeTakeFirstOrThrow();
    expect(audit).toMatchObject({ action: "job.run_now", actor_name: "ada", target_id: host });
    expect(JSON.parse(audit.detail)).toMatchObject({ job_id: job.id, source_group: "default" });
  });

  test("is not run without credentials, for another host's, or with nonsense, and then nothing is left behind", async () => {
    const db = await open();
    const host = await addHost(db);
    const group = await addSourceGroup(db, host);
    const path = `/api/hosts/${host}/source-groups/${group}/run`;
    const without = sources(db, false);
    expect(await without.call("POST", path, {})).toMatchObject({
      status: 409,
      body: { code: "no_credentials" },
    });
    const { call, look, published } = sources(db);
    const foreign = `/api/hosts/${await addHost(db)}/source-groups/${group}/run`;
    expect((await call("POST", foreign, {})).status).toBe(404);
    for (const bad of [{ bandwidth: { upload_kib_per_s: -1 } }, { nice: true }, { bandwidth: 5 }])
      expect((await call("POST", path, bad)).status).toBe(422);
    expect((await call("POST", `/api/hosts/${host}/source-groups/nope/run`, {})).status).toBe(422);
    expect((await look("POST", path, {})).status).toBe(403);
    expect(await db.selectFrom("jobs").selectAll().execute()).toEqual([]);
    expect(await db.selectFrom("audit").selectAll().execute()).toEqual([]);
    expect([...without.published, ...published]).toEqual([]);
  });

  test("is there from the first day, with the machine's own folders unless told otherwise", async () => {
    const db = await open();
    const { ids, look } = sources(db);
    const seed = async (os: string, includes: string[] | null, excludes: string[] | null) => {
      const id = await addHost(db);
      await db
        .transaction()
        .execute((trx) => seedSourceGroup(trx, ids, { id, os }, { includes, excludes }, NOON));
      const { body } = await look("GET", `/api/hosts/${id}/source-groups`);
      const [group] = SourceGroups.parse(body).items;
      expect(group?.name).toBe("default");
      return { includes: group?.includes, excludes: group?.excludes };
    };
    expect(await seed("linux", null, null)).toEqual(defaultSources("linux"));
    expect(await seed("windows", null, null)).toEqual(defaultSources("windows"));
    expect(await seed("plan9", null, ["*.iso"])).toEqual({ ...defaultSources("linux"), excludes: ["*.iso"] });
    expect(await seed("linux", ["/srv/a"], null)).toEqual({ includes: ["/srv/a"], excludes: [] });
    expect((await look("GET", `/api/hosts/${newHostId()}/source-groups`)).status).toBe(404);
    expect((await look("GET", `/api/hosts/${await addHost(db)}/source-groups`)).body).toEqual({ items: [] });
  });

  test("of many hosts are run with one request, which says of each host what became of it", async () => {
    const db = await open();
    const { call, ordered, published } = sources(db);
    const [one, two] = [await addHost(db, { name: "one" }), await addHost(db, { name: "two" })];
    const groups = [await addSourceGroup(db, one), await addSourceGroup(db, two)];
    const [bare, unknown] = [await addHost(db, { name: "bare" }), newHostId()];
    const answer = await call("POST", "/api/backups", { host_ids: [two, bare, unknown, one, two] });
    const { items } = RanHosts.parse(answer.body);
    expect(answer.status).toBe(200);
    expect(items.map(({ host_id, outcome }) => [host_id, outcome])).toEqual([
      [two, "queued"],
      [bare, "refused"],
      [unknown, "refused"],
      [one, "queued"],
    ]);
    expect(items.flatMap((item) => (item.outcome === "refused" ? [item.problem.message] : []))).toEqual([
      "bare has no source group: nothing says what to back up",
      "there is no such host",
    ]);
    expect(ordered.map(({ sourceGroup }) => String(sourceGroup.id)).toSorted()).toEqual(groups.toSorted());
    const jobs = await db.selectFrom("jobs").select(["id", "host_id"]).execute();
    const told = items.flatMap((item) =>
      item.outcome === "queued" ? item.job_ids.map((id) => ({ id, host_id: item.host_id })) : [],
    );
    expect(told.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
      jobs.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    );
    const audit = await db.selectFrom("audit").select(["action", "target_id", "detail"]).execute();
    expect(audit.map(({ target_id }) => String(target_id)).toSorted()).toEqual([one, two].toSorted());
    expect(audit.map(({ detail }) => (JSON.parse(detail) as { job_id: string }).job_id).toSorted()).toEqual(
      jobs.map(({ id }) => String(id)).toSorted(),
    );
    expect(published.map(([topic]) => topic)).toEqual(
      [one, two].flatMap(() => ["job.queued", "job.changed", "host.changed"] as const),
    );
  });

  test("of many hosts are refused one by one where there are no credentials, and the request as a whole when it is nonsense", async () => {
    const db = await open();
    const host = await addHost(db, { name: "a" });
    await addSourceGroup(db, host);
    const without = sources(db, false);
    expect(await without.call("POST", "/api/backups", { host_ids: [host] })).toMatchObject({
      status: 200,
      body: { items: [{ outcome: "refused", host_id: host, problem: { code: "no_credentials" } }] },
    });
    const { call, look } = sources(db);
    const many = Array.from({ length: MOST_HOSTS_AT_ONCE + 1 }, () => host);
    for (const bad of [{}, { host_ids: [] }, { host_ids: ["nope"] }, { host_ids: [host], nice: 1 }])
      expect((await call("POST", "/api/backups", bad)).status).toBe(422);
    expect((await call("POST", "/api/backups", { host_ids: many })).status).toBe(422);
    expect((await look("POST", "/api/backups", { host_ids: [host] })).status).toBe(403);
    expect(await db.selectFrom("jobs").selectAll().execute()).toEqual([]);
    expect(await db.selectFrom("audit").selectAll().execute()).toEqual([]);
  });

  test("of many hosts that were queued before the store failed run, and the answer says which were not", async () => {
    const db = await open();
    const hosts = [];
    for (let n = 0; n < 130; n += 1) {
      const host = await addHost(db);
      await addSourceGroup(db, host);
      hosts.push(host);
    }
    const { call, published } = sources(db, true, (made) => {
      if (made > 100) throw new Error("the disk is gone");
    });
    const answer = await call("POST", "/api/backups", { host_ids: hosts });
    const { items } = RanHosts.parse(answer.body);
    const queued = items.filter(({ outcome }) => outcome === "queued");
    expect(items).toHaveLength(130);
    expect(queued).toEqual(items.slice(0, queued.length));
    expect(items.map(({ host_id }) => host_id)).toEqual(hosts);
    expect(queued.length).toBeGreaterThan(0);
    expect(queued.length).toBeLessThan(100);
    const jobs = await db.selectFrom("jobs").select("host_id").execute();
    expect(jobs.map(({ host_id }) => host_id).toSorted()).toEqual(
      queued.map(({ host_id }) => host_id).toSorted(),
    );
    expect(published.filter(([topic]) => topic === "job.queued")).toHaveLength(queued.length);
    const nothing = sources(db, true, () => {
      throw new Error("the disk is gone");
    });
    expect((await nothing.call("POST", "/api/backups", { host_ids: hosts })).status).toBe(500);
  });
});
