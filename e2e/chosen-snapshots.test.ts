import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreatedJob } from "@restic-manager/protocol/api/jobs";
import { AdminCredentialsView } from "@restic-manager/protocol/api/repository";
import { SourceGroups } from "@restic-manager/protocol/api/sources";
import { AppendOnlyRepository, BOSS, filesWith } from "./stage/append-only.ts";
import type { FinishedJob, HostOnStage } from "./stage/host.ts";
import { smallFiles } from "./stage/real-repository.ts";
import { Stage } from "./stage/stage.ts";
import { until } from "./stage/until.ts";

/** Tags of chosen snapshots and their removal, behind an append-only rest-server, by two machines on one repository. */

setDefaultTimeout(180_000);

const NAME = "shared";
let stage: Stage;
let repository: AppendOnlyRepository;
let one: HostOnStage;
let two: HostOnStage;

beforeAll(async () => {
  stage = await Stage.open();
  repository = await AppendOnlyRepository.start(stage.folder);
  const source = smallFiles(join(stage.folder, "source"), 5);
  one = await stage.addReadyHost(repository.casting("one", NAME, [source]));
  two = await stage.addReadyHost(repository.casting("two", NAME, [source]));
  for (const host of [one, one, two])
    expect(await host.finished((await host.backUp()).id)).toMatchObject({ state: "succeeded" });
  for (const [host, count] of [
    [one, 2],
    [two, 1],
  ] as const)
    await until("its snapshots are listed", async () => (await host.snapshots()).length === count);
}, 120_000);
afterAll(async () => {
  await stage?.strike();
  await repository?.stop();
});

async function order(host: HostOnStage, what: "tags" | "forget", wish: object): Promise<string> {
  const path = `/api/hosts/${host.id}/snapshots/${what}`;
  return (await stage.server.api.call("POST", path, CreatedJob, wish)).job.id;
}

async function run(host: HostOnStage, what: "tags" | "forget", wish: object): Promise<FinishedJob> {
  return await host.finished(await order(host, what, wish), 90);
}

async function oldest(host: HostOnStage): Promise<string> {
  const snapshots = (await host.snapshots()).toSorted((a, b) => (a.time < b.time ? -1 : 1));
  const [first] = snapshots;
  if (first === undefined) throw new Error(`${host.name} has no snapshot`);
  return first.id;
}

const setAdmin = (host: HostOnStage, credentials: object) =>
  stage.server.api.call("PUT", `/api/hosts/${host.id}/admin-credentials`, AdminCredentialsView, credentials);

interface Listed {
  id: string;
  tags?: string[];
}
const inTheCli = async () =>
  JSON.parse(await repository.restic(NAME, ["snapshots", "--json", "--no-lock"])) as Listed[];

test("without admin credentials both say that the server lets nobody delete; a tag leaves one copy behind, says so, and is not tried again", () =>
  stage.tell(async () => {
    const snapshot_ids = (await one.snapshots()).map(({ id }) => id);
    expect(snapshot_ids).toHaveLength(2);
    const before = (await inTheCli()).map(({ id }) => id).toSorted();
    const others = (await two.snapshots()).map(({ id }) => id);
    for (const [host, what, wish] of [
      [one, "tags", { snapshot_ids, add: ["refused"] }],
      [two, "forget", { snapshot_ids: others, confirm_host: "two" }],
    ] as const)
      expect(await run(host, what, wish)).toMatchObject({ state: "failed", error: { code: "append_only" } });
    const after = (await inTheCli()).map(({ id }) => id);
    for (const id of before) expect(after).toContain(id);
    expect(after).toHaveLength(before.length + 1);
    for (const [what, wish] of [
      ["tags", { snapshot_ids, add: ["again"] }],
      ["forget", { snapshot_ids, confirm_host: "one" }],
    ] as const)
      expect(await order(one, what, wish).catch(String)).toContain("admin_creds_required");
    const [tag] = (await one.jobs()).filter(({ kind }) => kind === "tag");
    expect(tag).toMatchObject({ error: { message: expect.stringContaining("twice") } });
  }));

test("with wrong ones they fail with words: another password, another repository password, another repository", () =>
  stage.tell(async () => {
    const url = repository.deletingUrl(NAME);
    await repository.restic("elsewhere", ["init"]);
    const before = (await inTheCli()).map(({ id }) => id).toSorted();
    for (const [credentials, code] of [
      [{ ...BOSS, url, password: "not the password" }, "unauthorized"],
      [{ ...BOSS, url, repository_password: "not this one" }, "wrong_password"],
      [{ ...BOSS, url: repository.deletingUrl("elsewhere") }, "invalid_input"],
    ] as const) {
      await setAdmin(one, credentials);
      const snapshot_ids = [await oldest(one)];
      for (const [what, wish] of [
        ["tags", { snapshot_ids, add: ["keep"] }],
        ["forget", { snapshot_ids, confirm_host: "one" }],
      ] as const)
        expect(await run(one, what, wish)).toMatchObject({ state: "failed", error: { code } });
      // What was entered for one of them is not kept for the next.
      await stage.server.api.ask("DELETE", `/api/hosts/${one.id}/admin-credentials`);
    }
    expect((await inTheCli()).map(({ id }) => id).toSorted()).toEqual(before);
  }));

test("with them a snapshot gets its tag and another goes, as the CLI says; no file of the agent ever holds them", () =>
  stage.tell(async () => {
    for (const host of [one, two]) await setAdmin(host, { ...BOSS, url: repository.deletingUrl(NAME) });
    const tagged = await oldest(one);
    expect(await run(one, "tags", { snapshot_ids: [tagged], add: ["keep"] })).toMatchObject({
      state: "succeeded",
      result: { changed: [{ old_id: tagged }], not_found: [] },
    });
    // The list comes with the agent's next report.
    const listedAs = async () => (await one.snapshots()).filter(({ tags }) => tags.includes("keep"));
    const keeps = await until("the list has the tag", async () => {
      const found = await listedAs();
      return found.length === 0 ? undefined : found;
    });
    expect((await inTheCli()).filter(({ tags = [] }) => tags.includes("keep")).map(({ id }) => id)).toEqual(
      keeps.map(({ id }) => id),
    );
    const [goes] = (await one.snapshots()).filter(({ tags }) => !tags.includes("keep"));
    if (goes === undefined) throw new Error("there is no other snapshot");
    expect(await run(one, "forget", { snapshot_ids: [goes.id], confirm_host: "one" })).toMatchObject({
      state: "succeeded",
      result: { removed: [goes.id], not_removed: [] },
    });
    expect((await inTheCli()).map(({ id }) => id)).not.toContain(goes.id);
    await until("the list is without it", async () =>
      (await one.snapshots()).every(({ id }) => id !== goes.id),
    );
    for (const name of ["agent-one", "agent-two", "server"])
      expect(filesWith(join(stage.folder, name), BOSS.password)).toEqual([]);
  }));

test("they take turns with another machine's: the second waits, says for whom, and is sent when the first is over", () =>
  stage.tell(async () => {
    const gate = join(stage.folder, "gate");
    const path = `/api/hosts/${one.id}/source-groups`;
    const [group] = (await stage.server.api.call("GET", path, SourceGroups)).items;
    if (group === undefined) throw new Error("there is no group");
    const hooks = { pre: `while [ ! -e ${gate} ]; do sleep 0.05; done` };
    const set = await stage.server.api.ask("PUT", `${path}/${group.id}/hooks`, hooks);
    expect(set.status).toBe(200);
    // The turn is the job's as soon as it is sent, though it waits at its agent behind a backup.
    const backup = await one.backUp();
    await until("the backup waits for its hook", async () => (await one.job(backup.id)).state === "running");
    const first = await order(one, "tags", { snapshot_ids: [await oldest(one)], add: ["first"] });
    await until("its agent has the first", () => one.agent.stateOf(first) === "accepted");
    const second = await order(two, "tags", { snapshot_ids: [await oldest(two)], add: ["second"] });
    await until("the second says for whom it waits", async () => {
      const job = await two.job(second);
      return job.state === "queued" && job.waits_on?.job_id === first;
    });
    expect(two.agent.stateOf(second)).toBeUndefined();
    expect(existsSync(gate)).toBe(false);
    writeFileSync(gate, "");
    expect(await one.finished(first)).toMatchObject({ state: "succeeded" });
    expect(await two.finished(second)).toMatchObject({ state: "succeeded", result: { not_found: [] } });
    await repository.restic(NAME, ["check", "--no-lock"]);
  }));
