import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { SourceGroups } from "@restic-manager/protocol/api/sources";
import { formatBytes } from "../console/format/bytes.ts";
import { buildConsole } from "../script/trial/built-console.ts";
import { AppendOnlyRepository, BOSS } from "./stage/append-only.ts";
import { ConsoleOnStage } from "./stage/console.ts";
import { checkByCli, expectHealth } from "./stage/health.ts";
import type { HostOnStage } from "./stage/host.ts";
import { incompressible } from "./stage/real-repository.ts";
import { HERE, Stage } from "./stage/stage.ts";
import { until } from "./stage/until.ts";

/**
 * A machine that looks after itself, as a person sees it: schedules, retention and maintenance from the console, with a real server, agent,
 * restic and append-only rest-server. Issue 4, section 4. Minutes pass for real: a cron expression knows nothing shorter.
 */

const PATIENCE_MS = 240_000;
const MINUTE = 60_000;
const NAME = "one";
const GROUP = "documents";
/** Fires that the server is away for. */
const MISSED = 3;
const DRAFT_BYTES = 400_000;

let dist: string;
let stage: Stage;
let repository: AppendOnlyRepository;
let host: HostOnStage;
let person: ConsoleOnStage;
let documents: string;
/** What the health panel has to say beside what the CLI knows. */
const told = {
  noLocks: "not known yet",
  lastCheck: "None yet",
  lastPrune: "None yet",
  appendOnly: "Not known",
};

beforeAll(async () => {
  dist = mkdtempSync(join(tmpdir(), "rm-console-"));
  buildConsole(dist);
  stage = await Stage.open({ console: dist });
  repository = await AppendOnlyRepository.start(stage.folder);
  const rest = join(stage.folder, "rest");
  documents = join(stage.folder, GROUP);
  for (const folder of [rest, documents]) mkdirSync(folder);
  incompressible(join(documents, "draft"), DRAFT_BYTES);
  host = await stage.addReadyHost(repository.casting(HERE, NAME, [rest]));
  await host.atRest();
  person = await ConsoleOnStage.open(stage);
}, PATIENCE_MS);
afterAll(async () => {
  await person?.close();
  await stage?.strike();
  await repository?.stop();
  rmSync(dist, { recursive: true, force: true });
}, MINUTE);
afterEach(() => expect(person.complaints()).toEqual([]));

const tab = (name: string, more = "") => person.goto(`/hosts/${host.id}?tab=${name}${more}`);
const health = () => expectHealth(person, { repository, name: NAME, hostId: host.id }, told);
const press = (name: string) => person.button(name).click();

/** A scheduled job, newest first, as the API has it. */
const scheduled = async (): Promise<Job[]> =>
  (await host.jobs()).filter((job) => job.actor.kind === "schedule");

/** What schedules fired and restic has finished, as the agent knows it while nobody listens. */
function finishedOnTheAgent(): Set<string> {
  const db = new Database(join(host.agent.stateDir, "agent.db"), { readonly: true });
  try {
    db.run("pragma busy_timeout = 2000");
    const done = "select id from job where actor_kind = 'schedule' and state = 'finished'";
    return new Set(
      db
        .query<{ id: string }, []>(done)
        .all()
        .map(({ id }) => id),
    );
  } finally {
    db.close();
  }
}

/** Ids of the snapshots of the group, in order of time, as the restic CLI lists them. */
async function snapshotsByCli(): Promise<string[]> {
  const args = ["snapshots", "--tag", GROUP, "--json", "--no-lock"];
  const listed = JSON.parse(await repository.restic(NAME, args)) as { id: string; time: string }[];
  return listed.toSorted((a, b) => (a.time < b.time ? -1 : 1)).map(({ id }) => id);
}

test(
  "a group and a schedule are made; it fires every minute, also while the server is away, and every run is there, once",
  () =>
    stage.tell(async () => {
      const { page } = person;
      await tab("sources");
      await page.getByRole("link", { name: "Add source group" }).click();
      await page.getByLabel("Name").fill(GROUP);
      await page.getByLabel("Includes").fill(documents);
      await press("Add source group");
      await page.getByRole("link", { name: GROUP, exact: true }).waitFor();

      await tab("schedules");
      await page.getByRole("link", { name: "Add schedule" }).click();
      await page.getByLabel("Cron expression").fill("* * * * *");
      await page.getByRole("checkbox", { name: "default" }).uncheck();
      await press("Add schedule");
      const row = page.getByRole("row", { name: /Every minute/ });
      await row.waitFor();
      await page.getByText(/Agent in sync at version \d+/).waitFor();
      await row.getByText("Succeeded").first().waitFor();

      await tab("jobs");
      const runs = page.getByRole("row", { name: new RegExp(`Backup ${GROUP}.*Succeeded`) });
      await runs.first().waitFor();
      await stage.server.kill();
      incompressible(join(documents, "draft"), DRAFT_BYTES);
      const before = finishedOnTheAgent();
      await until(
        `the schedule has fired ${MISSED} times for nobody`,
        () => [...finishedOnTheAgent()].filter((id) => !before.has(id)).length >= MISSED,
        (MISSED + 1) * 60,
      );
      await stage.server.start();
      // The page and the agent find the way back by themselves.
      await page.getByText("Live", { exact: true }).waitFor();
      await until("the missed runs are on the page", async () => (await runs.count()) > MISSED, 90);
      expect(person.complaints().filter((text) => !/net::ERR_/.test(text))).toEqual([]);

      await tab("schedules");
      await page.getByRole("switch", { name: "Every minute: on" }).click();
      await page.getByRole("switch", { name: "Every minute: off" }).waitFor();
      await page.getByText(/Agent in sync at version \d+/).waitFor();
      await host.atRest();
      const jobs = (await scheduled()).toReversed();
      const fired = jobs.map((job) => Date.parse(job.schedule?.scheduled_at ?? ""));
      // Every minute from the first to the last, once each, and none stands for another.
      expect(fired).toEqual(jobs.map((_, n) => (fired[0] ?? 0) + n * MINUTE));
      expect(jobs.every((job) => job.state === "succeeded" && job.schedule?.missed_count === 0)).toBe(true);
      const saved = jobs.map((job) =>
        job.state === "succeeded" && "snapshot_id" in job.result ? job.result.snapshot_id : null,
      );
      expect(await snapshotsByCli()).toEqual(saved as string[]);
      await tab("jobs");
      await runs.first().waitFor();
      await until("the page lists each once", async () => (await runs.count()) === jobs.length);
      await health();
    }),
  9 * MINUTE,
);

test(
  "a policy is tried, set and carried out: the everyday credentials may not, the admin's from the console may",
  () =>
    stage.tell(async () => {
      const { page } = person;
      const all = await snapshotsByCli();
      const kept = all.slice(-2);
      const path = `/api/hosts/${host.id}/source-groups`;
      const { items } = await stage.server.api.call("GET", path, SourceGroups);
      const group = items.find(({ name }) => name === GROUP);
      await tab("sources", `&group=${group?.id}`);
      await page.getByLabel("Last", { exact: true }).fill("2");
      await press("Preview what would be forgotten");
      await page.getByText(`${all.length - 2} snapshots would go, 2 would stay.`).waitFor();
      await press("Save");
      await page.getByRole("link", { name: GROUP, exact: true }).waitFor();
      expect(await snapshotsByCli()).toEqual(all);

      await tab("repository");
      await press(`Run: forget on ${HERE}`);
      await person.openQueued();
      await page.getByText("append_only", { exact: true }).waitFor();
      told.appendOnly = "Proven";
      await health();
      expect(await snapshotsByCli()).toEqual(all);

      await press("Set…");
      await page.getByLabel("URL").fill(repository.deletingUrl(NAME));
      await page.getByLabel("User").fill(BOSS.username);
      await page.getByLabel("Password", { exact: true }).fill(BOSS.password);
      await press("Save");
      await page.getByText(BOSS.username, { exact: true }).waitFor();
      await press(`Run: forget on ${HERE}`);
      await person.openQueued();
      await page.getByText(`${all.length - 2} snapshots removed, 2 kept`).waitFor();
      expect(await snapshotsByCli()).toEqual(kept);
      // Neither a preview nor what was refused knew of locks.
      told.noLocks = "None";
      await person.again("Forget again");
      await page.getByText("0 snapshots removed, 2 kept").waitFor();
      expect(await snapshotsByCli()).toEqual(kept);
      await health();

      await tab("snapshots");
      for (const id of kept) await page.getByRole("row", { name: id.slice(0, 8) }).waitFor();
      expect(await page.getByRole("row", { name: GROUP }).count()).toBe(2);
    }),
  PATIENCE_MS,
);

test(
  "prune frees what the forgotten snapshots alone had, once",
  () =>
    stage.tell(async () => {
      const { page } = person;
      const before = repository.packBytes(NAME);
      await tab("repository");
      await press(`Run: prune on ${HERE}`);
      const job = await host.finished(await person.openQueued());
      await page.getByText("Freed", { exact: true }).waitFor();
      const freed = before - repository.packBytes(NAME);
      expect(freed).toBeGreaterThan(DRAFT_BYTES - 10_000);
      const said = job.state === "succeeded" && "freed_bytes" in job.result ? job.result.freed_bytes : 0;
      // Packs have headers, of which restic says nothing.
      expect(Math.abs((said ?? 0) - freed)).toBeLessThan(10_000);
      const done = person.page.url();
      told.lastPrune = `${formatBytes(said ?? 0)} freed`;
      await health();
      await page.goto(done);
      await person.again("Prune again");
      expect(before - repository.packBytes(NAME)).toBe(freed);
      told.lastPrune = "0 B freed";
      await health();
    }),
  PATIENCE_MS,
);

test(
  "a check of all data finds nothing, then the pack whose bytes were flipped, and says when that is mended",
  () =>
    stage.tell(async () => {
      const { page } = person;
      await tab("repository");
      await press("Change the times…");
      await page.getByLabel("Check reads of the data, percent").fill("100");
      await press("Save the times");
      await page.getByText("reads 100 % of the data").waitFor();
      await press(`Run: check on ${HERE}`);
      const whole = await person.openQueued();
      await page.getByText("No errors", { exact: true }).waitFor();
      told.lastCheck = "No errors";
      await health();

      const { pack, mend } = repository.flipByte(NAME);
      expect(await checkByCli(repository, NAME)).toEqual([pack]);
      await person.goto(`/jobs/${whole}`);
      const broken = await person.again("Check again");
      await page.getByText("1 pack of the repository is damaged").waitFor();
      await page.getByText(pack, { exact: true }).waitFor();
      told.lastCheck = "1 broken pack";
      await health();
      await page.getByRole("alert").getByText(pack).waitFor();
      await person.goto("/");
      await page.getByRole("row", { name: HERE }).getByText("Failed").first().waitFor();

      mend();
      await person.goto(`/jobs/${broken}`);
      await person.again("Check again");
      await page.getByText("No errors", { exact: true }).waitFor();
      told.lastCheck = "No errors";
      await health();
      await person.goto("/");
      await page.getByRole("row", { name: HERE }).getByText("Protected").first().waitFor();
    }),
  PATIENCE_MS,
);

test(
  "a stale lock that no job has met goes with one click",
  () =>
    stage.tell(async () => {
      const { page } = person;
      const holder = await repository.holdLock(NAME);
      holder.kill("SIGKILL");
      await holder.exited;
      expect(await repository.locks(NAME)).toHaveLength(1);
      await tab("repository");
      await press(`Remove stale locks: the repository of ${HERE}`);
      await person.openQueued();
      await page.getByText(new RegExp(`process ${holder.pid} on .*That process is gone`)).waitFor();
      expect(await repository.locks(NAME)).toEqual([]);
      await health();
      await person.goto(`/hosts/${host.id}?tab=jobs`);
      await page.getByRole("row", { name: /Unlock.*1 lock removed/ }).waitFor();
      await page
        .getByRole("row", { name: /Unlock.*1 lock removed/ })
        .getByRole("link")
        .first()
        .click();
      await person.jobIsOver();
      await person.again("Unlock again");
      await page.getByText("In use", { exact: true }).waitFor();
      expect(await repository.locks(NAME)).toEqual([]);
      await health();
    }),
  PATIENCE_MS,
);

test(
  "a living lock is shown with whose it is, and goes when somebody types the host's name",
  () =>
    stage.tell(async () => {
      const { page } = person;
      const holder = await repository.holdLock(NAME);
      try {
        await tab("repository");
        await press(`Remove stale locks: the repository of ${HERE}`);
        await person.openQueued();
        await page.getByText("Still there", { exact: true }).waitFor();
        await health();
        await page.getByText("The repository is locked", { exact: true }).waitFor();
        await page
          .getByText(new RegExp(`process ${holder.pid} on .*In use, as far as can be told`))
          .waitFor();
        await page.getByText("It is certainly nobody’s: remove it all the same").click();
        // The danger zone asks for the same below.
        await page.getByLabel(`Type ${HERE} to confirm`).first().fill(HERE);
        await press("Remove all locks");
        await page.getByText("The repository is locked", { exact: true }).waitFor({ state: "detached" });
        expect(await repository.locks(NAME)).toEqual([]);
      } finally {
        holder.kill("SIGKILL");
        await holder.exited;
      }
      await health();
    }),
  PATIENCE_MS,
);
