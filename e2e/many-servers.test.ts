import { afterAll, beforeAll, expect, test } from "bun:test";
import { SQL } from "bun";
import { join } from "node:path";
import { Host, HostsPage } from "@restic-manager/protocol/api/hosts";
import { Job } from "@restic-manager/protocol/api/jobs";
import { startNats, type NatsServer } from "@restic-manager/server/testing/nats";
import { startPostgres, type PostgresCluster } from "@restic-manager/server/testing/postgres-cluster";
import { startBalancer, type Balancer } from "./stage/balancer.ts";
import { notWhole } from "./stage/fake-log.ts";
import { HostOnStage } from "./stage/host.ts";
import { ServerProcess } from "./stage/server-process.ts";
import { Stage } from "./stage/stage.ts";
import { until } from "./stage/until.ts";

/** Two servers on one PostgreSQL and one NATS, behind a balancer; one agent whose server the test chooses. */

const LINES = 4_000;
/** What `/readyz` says of NATS. */
const Ready = { parse: (body: unknown) => (body as { nats?: string }).nats };
let postgres: PostgresCluster;
let nats: NatsServer;
let balancer: Balancer;
let stage: Stage;
let b: ServerProcess;
/** The machine as the first server shows it, and as the second does. */
let hostAtA: HostOnStage;
let hostAtB: HostOnStage;

const portOf = (server: ServerProcess) => Number(new URL(server.origin).port);
const nodeOf = () =>
  stage.store(async (db) => (await db.selectFrom("hosts").select("link_node").executeTakeFirst())?.link_node);

beforeAll(async () => {
  postgres = await startPostgres();
  nats = await startNats();
  balancer = startBalancer([]);
  const sql = new SQL(postgres.url, { max: 1 });
  await sql`create database many`;
  await sql.close();
  const url = new URL(postgres.url);
  url.pathname = "/many";
  const env = { RM_NATS_URL: nats.url };
  stage = await Stage.open({
    databaseUrl: url.href,
    env,
    address: `http://127.0.0.1:${balancer.port}`,
  });
  balancer.aim([portOf(stage.server)]);
  b = new ServerProcess({
    folder: stage.folder,
    dataDir: join(stage.folder, "b"),
    databaseUrl: url.href,
    env: { ...env, RM_SECRET_KEY_FILE: join(stage.server.dataDir, "secret.key") },
  });
  await b.start();
  await b.signIn();
  hostAtA = await stage.addReadyHost();
  await hostAtA.atRest();
  hostAtB = new HostOnStage(b, hostAtA.agent, hostAtA.id, hostAtA.name);
}, 60_000);
afterAll(async () => {
  await b?.end();
  await stage?.strike();
  balancer?.stop();
  await nats?.stop();
  await postgres?.stop();
});

/** Follows a job's page at a server; what came by event name. */
async function follow(server: ServerProcess, jobId: string) {
  const response = await server.api.ask("GET", `/api/jobs/${jobId}/stream`);
  if (response.body === null) throw new Error("the stream has no body");
  const seen = { lines: 0, progress: 0, ended: false };
  const read = async (body: ReadableStream<Uint8Array>) => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const bytes of body) {
      text += decoder.decode(bytes, { stream: true });
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) {
        if (event.startsWith("event: progress")) seen.progress += 1;
        if (event.startsWith("event: end")) seen.ended = true;
        const data = /^data: (.*)$/m.exec(event)?.[1] ?? "{}";
        if (event.startsWith("event: lines"))
          seen.lines += (JSON.parse(data) as { lines: unknown[] }).lines.length;
      }
    }
  };
  const done = read(response.body).catch(() => undefined);
  return { seen, done };
}

test(
  "a command given at one server runs on the agent of the other; log and progress are live at both",
  () =>
    stage.tell(async () => {
      stage.fake.play({ backup: { log_lines: LINES, wait_for: "on1" } });
      const { id } = await hostAtB.backUp();
      await until("the first half is known", async () => (await hostAtB.job(id)).log.lines > LINES / 2);
      const viewer = await follow(b, id);
      await until("the viewer has the first half", () => viewer.seen.lines > LINES / 2);
      stage.fake.release("on1");
      await viewer.done;
      expect(viewer.seen.ended).toBe(true);
      expect(viewer.seen.lines).toBeGreaterThan(LINES);
      expect((await hostAtB.finished(id)).state).toBe("succeeded");
      expect(notWhole(await hostAtB.log(id), LINES)).toBeUndefined();
      await hostAtA.atRest();
    }),
  60_000,
);

test(
  "a job is cancelled from the server that has not its agent",
  () =>
    stage.tell(async () => {
      stage.fake.play({ backup: { log_lines: 10, wait_for: "never" } });
      const { id } = await hostAtB.backUp();
      await until("restic runs", () => stage.fake.isWaiting());
      await b.api.call("POST", `/api/jobs/${id}/cancel`, Job, { now: true });
      expect((await hostAtB.finished(id)).state).toBe("cancelled");
      await hostAtA.atRest();
    }),
  60_000,
);

test(
  "kill -9 of the agent's server: it comes to the other, the job has one outcome and its log no gap",
  () =>
    stage.tell(async () => {
      stage.fake.play({ backup: { log_lines: LINES, wait_for: "on3" } });
      const { id } = await hostAtB.backUp();
      await until("the first half is known", async () => (await hostAtB.job(id)).log.lines > LINES / 2);
      const viewer = await follow(b, id);
      const before = await nodeOf();
      balancer.aim([portOf(b)]);
      await stage.server.kill();
      stage.fake.release("on3");
      expect((await hostAtB.finished(id, 60)).state).toBe("succeeded");
      expect(await nodeOf()).not.toBe(before);
      expect(notWhole(await hostAtB.log(id), LINES)).toBeUndefined();
      await viewer.done;
      expect(viewer.seen.ended).toBe(true);
      expect((await hostAtB.jobs()).filter((job) => job.id === id)).toHaveLength(1);
      await stage.server.start();
    }),
  90_000,
);

test(
  "a server that is asked to stop hands its agent over without the host ever being offline",
  () =>
    stage.tell(async () => {
      const offline: boolean[] = [];
      const [watching, stop] = [Promise.withResolvers<void>(), { now: false }];
      const watch = async () => {
        while (!stop.now) {
          const { items } = await stage.server.api.call("GET", "/api/hosts", HostsPage);
          offline.push(items.some((host) => !host.online));
          await Bun.sleep(20);
        }
        watching.resolve();
      };
      const looked = watch();
      balancer.aim([portOf(stage.server)]);
      expect(await b.stop()).toBe(0);
      await until("the agent has come", async () => balancer.open(portOf(stage.server)) > 0);
      stage.fake.play({ backup: { log_lines: 10 } });
      expect((await hostAtA.finished((await hostAtA.backUp()).id, 60)).state).toBe("succeeded");
      stop.now = true;
      await looked;
      expect(offline).not.toContain(true);
      await b.start();
    }),
  90_000,
);

test(
  "without NATS each server goes on, says so, and commands reach an agent at the other all the same",
  () =>
    stage.tell(async () => {
      const ready = async (server: ServerProcess) => await server.api.call("GET", "/readyz", Ready);
      await until(
        "both hear each other",
        async () => (await ready(stage.server)) === "ok" && (await ready(b)) === "ok",
      );
      await nats.stop();
      await until(
        "both say so",
        async () => (await ready(stage.server)) === "cut_off" && (await ready(b)) === "cut_off",
      );
      stage.fake.play({ backup: { log_lines: 10 } });
      expect((await hostAtB.finished((await hostAtB.backUp()).id, 60)).state).toBe("succeeded");
      nats = await startNats({ port: nats.port });
      await until(
        "they hear each other again",
        async () => (await ready(stage.server)) === "ok" && (await ready(b)) === "ok",
      );
      const { id } = await hostAtB.backUp();
      expect((await hostAtB.finished(id, 60)).state).toBe("succeeded");
    }),
  120_000,
);

test(
  "PostgreSQL drops every connection in the middle of a job, and nothing of it is lost",
  () =>
    stage.tell(async () => {
      stage.fake.play({ backup: { log_lines: LINES, wait_for: "on6" } });
      const { id } = await hostAtB.backUp();
      await until("restic runs", () => stage.fake.isWaiting());
      const sql = new SQL(postgres.url, { max: 1 });
      const drop = () => sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = 'many'`;
      await drop();
      stage.fake.release("on6");
      for (let i = 0; i < 5; i += 1) {
        await drop();
        await Bun.sleep(100);
      }
      await sql.close();
      expect((await hostAtB.finished(id, 90)).state).toBe("succeeded");
      expect(notWhole(await hostAtB.log(id), LINES)).toBeUndefined();
    }),
  120_000,
);

test(
  "an agent moves while its former server still has the half-open connection: each frame counts once",
  () =>
    stage.tell(async () => {
      stage.fake.play({ backup: { log_lines: LINES, wait_for: "on7" } });
      const { id } = await hostAtA.backUp();
      await until("restic runs", () => stage.fake.isWaiting());
      // The first server hears nothing any more, not even that the connection ends.
      stage.server.signal("SIGSTOP");
      balancer.aim([portOf(b)]);
      await hostAtA.agent.kill();
      hostAtA.agent.start();
      const job = await hostAtB.finished(id, 60);
      expect(job).toMatchObject({ state: "failed", error: { code: "agent_restarted" } });
      stage.server.signal("SIGCONT");
      await until("the first server answers again", async () => (await hostAtA.look()).online);
      stage.fake.play({ backup: { log_lines: LINES } });
      const next = await hostAtA.backUp();
      expect((await hostAtA.finished(next.id, 60)).state).toBe("succeeded");
      expect(notWhole(await hostAtA.log(next.id), LINES)).toBeUndefined();
      expect(await hostAtB.job(id)).toMatchObject({ state: "failed", error: { code: "agent_restarted" } });
      expect((await b.api.call("GET", `/api/hosts/${hostAtA.id}`, Host)).online).toBe(true);
    }),
  120_000,
);
