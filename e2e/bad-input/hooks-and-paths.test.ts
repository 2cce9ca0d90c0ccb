import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreatedJob } from "@restic-manager/protocol/api/jobs";
import { HooksView, SourceGroup } from "@restic-manager/protocol/api/sources";
import { identifyProcess } from "@restic-manager/restic/process-start";
import type { FinishedJob, HostOnStage } from "../stage/host.ts";
import { RealRepository, smallFiles } from "../stage/real-repository.ts";
import { Stage } from "../stage/stage.ts";
import { until } from "../stage/until.ts";

/** Bad input that reaches a machine: paths like options, ten thousand paths, hooks that run wild. Real agent, real restic. */

setDefaultTimeout(240_000);

const MANY = 10_000;
/** A figure of the agent under load; well above what it needs, and far below what a hook may print. */
const MOST_MEMORY_KB = 150 * 1_024;

let stage: Stage;
let repository: RealRepository;
let host: HostOnStage;
let base: string;
/** Short, so that ten thousand paths fit into one job. */
let many: string;

beforeAll(async () => {
  stage = await Stage.open();
  many = mkdtempSync("/tmp/rm");
  repository = await RealRepository.start(stage.folder);
  const source = smallFiles(join(stage.folder, "source"), 5);
  host = await stage.addReadyHost(repository.casting("wild", [source]));
  base = `/api/hosts/${host.id}`;
}, 60_000);
afterAll(async () => {
  await repository?.stop();
  await stage?.strike();
  rmSync(many, { recursive: true, force: true });
});

function addGroup(input: object): Promise<SourceGroup> {
  return stage.server.api.call("POST", `${base}/source-groups`, SourceGroup, input);
}

async function order(group: { id: string }): Promise<string> {
  const path = `${base}/source-groups/${group.id}/run`;
  return (await stage.server.api.call("POST", path, CreatedJob, {})).job.id;
}

async function run(group: { id: string }): Promise<FinishedJob> {
  return await host.finished(await order(group), 120);
}

async function setHook(group: { id: string }, pre: string, timeout_seconds = 60): Promise<void> {
  const path = `${base}/source-groups/${group.id}/hooks`;
  // The answer is the group or its hooks, by what the API says; a refusal throws.
  await stage.server.api.call(
    "PUT",
    path,
    { parse: (shown) => HooksView.safeParse(shown) },
    { pre, timeout_seconds },
  );
}

test("ten thousand paths are backed up by one job, and patterns like options are patterns", () =>
  stage.tell(async () => {
    const includes = Array.from({ length: MANY }, (_, n) => `${many}/${n}`);
    for (const path of includes) writeFileSync(path, "");
    const odd = join(stage.folder, "odd");
    mkdirSync(odd);
    for (const name of ["-o", "-o rest.connections=1", "--help", "kept"])
      writeFileSync(join(odd, name), name);
    const group = await addGroup({ name: "many", includes: [...includes.slice(1), join(odd, "-o")] });
    const job = await run(group);
    expect(job).toMatchObject({ state: "succeeded", result: { files_new: MANY, issue_count: 0 } });
    const excludes = ["-o", "--help", "-o rest.connections=1", "--exclude-file=/etc/passwd"];
    const rest = await addGroup({ name: "odd", includes: [odd], excludes });
    expect(await run(rest)).toMatchObject({ state: "succeeded", result: { files_new: 1, issue_count: 0 } });
    const listed = await repository.restic("wild", ["ls", "--tag", "odd", "latest"]);
    expect(listed).toContain(`${odd}/kept`);
    expect(listed).not.toContain("--help");
  }));

test("a hook that forks, ignores every signal and hangs is ended in time with all that it started, and nothing is backed up", () =>
  stage.tell(async () => {
    const pids = join(stage.folder, "pids");
    const group = await addGroup({ name: "hangs", includes: [many] });
    const fork = `(trap '' INT TERM HUP; echo $$ >> ${pids}; sleep 900) & echo $! >> ${pids}`;
    await setHook(group, `trap '' INT TERM HUP; echo $$ >> ${pids}; ${fork}; ${fork}; sleep 900`, 1);
    const job = await run(group);
    expect(job).toMatchObject({
      state: "failed",
      error: { code: "hook_failed", message: "The hook before the backup was ended after 1 s." },
    });
    const alive = () =>
      readFileSync(pids, "utf8")
        .trim()
        .split("\n")
        .filter((pid) => isAlive(Number(pid)));
    await until("nothing of it is left", () => alive().length === 0);
    await host.atRest();
    expect(await repository.restic("wild", ["snapshots", "--tag", "hangs", "--json"])).toBe("[]\n");
  }));

test("a hook that prints a gigabyte costs neither the agent's memory nor the log's room, and the backup runs", () =>
  stage.tell(async () => {
    const group = await addGroup({ name: "talks", includes: [join(stage.folder, "source")] });
    await setHook(
      group,
      "head -c 500000000 /dev/zero | tr '\\0' x; yes backup | head -c 500000000; echo",
      180,
    );
    const job = await run(group);
    expect(job).toMatchObject({ state: "succeeded" });
    const log = await host.log(job.id);
    const printed = log.filter((line) => line.startsWith("hook(pre): "));
    expect(printed.length).toBeLessThan(1_100);
    expect(printed.join("\n").length).toBeLessThan(300 * 1_024);
    expect(printed.at(-1)).toMatch(/^hook\(pre\): \[cut: \d{7,} more lines\]$/);
    const [, peak] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${host.agent.pid}/status`, "utf8")) ?? [];
    expect(Number(peak)).toBeLessThan(MOST_MEMORY_KB);
  }));

test("a group that is deleted while its job waits at the agent: the job runs as it was ordered, and only that once", () =>
  stage.tell(async () => {
    const gate = join(stage.folder, "gate");
    const holds = await addGroup({ name: "holds", includes: [join(stage.folder, "source")] });
    await setHook(holds, `while [ ! -e ${gate} ]; do sleep 0.05; done`);
    const goes = await addGroup({ name: "goes", includes: [join(stage.folder, "source")] });
    const first = await order(holds);
    await until("the first runs", async () => (await host.job(first)).state === "running");
    const second = await order(goes);
    await until("the agent has the second", () => host.agent.stateOf(second) === "accepted");
    expect((await stage.server.api.ask("DELETE", `${base}/source-groups/${goes.id}`)).status).toBe(204);
    expect(existsSync(gate)).toBe(false);
    writeFileSync(gate, "");
    expect(await host.finished(first)).toMatchObject({ state: "succeeded" });
    expect(await host.finished(second)).toMatchObject({ state: "succeeded", source_group: { name: "goes" } });
    const ofIt = async () => (await host.snapshots()).filter(({ tags }) => tags.includes("goes"));
    await until("its snapshot is listed", async () => (await ofIt()).length > 0);
    await host.atRest();
    expect(await ofIt()).toHaveLength(1);
  }));

test("a check that reads nothing of the data, and one that reads all of it, say so", () =>
  stage.tell(async () => {
    for (const read_data_percent of [0, 100]) {
      const { job } = await stage.server.api.call("POST", `${base}/repo/check`, CreatedJob, {
        read_data_percent,
      });
      expect(await host.finished(job.id, 120)).toMatchObject({
        state: "succeeded",
        result: { result: "ok", read_data_percent },
      });
    }
  }));

/** A killed process may stay a moment as one that nobody has waited for. */
function isAlive(pid: number): boolean {
  if (identifyProcess(pid) === undefined) return false;
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
