import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostOnStage } from "../stage/host.ts";
import { RealRepository, smallFiles } from "../stage/real-repository.ts";
import { Stage } from "../stage/stage.ts";
import { until } from "../stage/until.ts";

/** Repositories that do not open and sources that are not there, with a real restic and a real rest-server. */

let stage: Stage;
let repository: RealRepository;
let source: string;
/** restic itself would try for a quarter of an hour; these two begin first and are looked at last. */
let nobodyThere: { host: HostOnStage; since: number };
let goneLater: { host: HostOnStage; jobId: string; port: number; since: number };

beforeAll(async () => {
  stage = await Stage.open();
  repository = await RealRepository.start(stage.folder);
  source = smallFiles(join(stage.folder, "source"), 20);
  const closed = await RealRepository.start(stage.folder);
  const there = await stage.addReadyHost(closed.casting("gone-later", [source]));
  await there.atRest();
  await closed.stop();
  const nowhere = { ...closed.casting("nobody-there", [source]) };
  goneLater = { host: there, jobId: (await there.backUp()).id, port: closed.port, since: Date.now() };
  nobodyThere = { host: await stage.addHost(nowhere), since: Date.now() };
}, 60_000);
afterAll(async () => {
  await repository?.stop();
  await stage?.strike();
});

/** The job that tries to open a new host's repository, once it has failed. */
async function opening(host: HostOnStage, seconds?: number) {
  const failed = async () => {
    const { repository: state } = await host.look();
    if (state.state === "ready") throw new Error("the repository opened");
    return state.state === "failed" ? state : undefined;
  };
  return await until("the repository did not open", failed, seconds);
}

test(
  "a repository that was made with another password says so, and what to do",
  () =>
    stage.tell(async () => {
      await repository.restic("other-password", ["init"], "another password");
      const host = await stage.addHost(repository.casting("other-password", [source]));
      const { error, job_id } = await opening(host);
      expect(error.code).toBe("wrong_password");
      expect(error.message).toBe("The repository exists but this password does not open it.");
      expect(error.hint).toStartWith("Enter the password this repository was created with");
      expect((await host.log(job_id)).join("\n")).toContain("this password does not open it");
      expect((await host.look()).status).toBe("failed");
    }),
  30_000,
);

test(
  "an account that the rest-server does not let in is told apart from a missing repository",
  () =>
    stage.tell(async () => {
      const casting = { ...repository.casting("wrong-account", [source]), password: "not this one" };
      const host = await stage.addHost(casting);
      const { error, job_id } = await opening(host);
      expect(error).toMatchObject({ code: "unauthorized", hint: expect.stringContaining("htpasswd") });
      expect(error.message).toContain(`127.0.0.1:${repository.port}`);
      expect((await host.log(job_id)).join("\n")).not.toContain("not this one");
    }),
  30_000,
);

describe("a folder that does not exist", () => {
  test(
    "is named as an issue when others were backed up, even with a line break in its name",
    () =>
      stage.tell(async () => {
        const missing = join(stage.folder, "no such\nfolder");
        const host = await stage.addReadyHost(repository.casting("one-missing", [source, missing]));
        const job = await host.finished((await host.backUp()).id);
        expect(job).toMatchObject({
          state: "succeeded",
          result: { issue_count: 1, issues: [{ path: missing }], files_new: 20 },
        });
        const issues = async () => (await host.look()).status === "issues";
        await until("the host shows that it has issues", issues);
      }),
    30_000,
  );

  test(
    "fails the job when there is no other",
    () =>
      stage.tell(async () => {
        const missing = join(stage.folder, "neither");
        const host = await stage.addReadyHost(repository.casting("all-missing", [missing]));
        const job = await host.finished((await host.backUp()).id);
        expect(job).toMatchObject({ state: "failed", error: { code: "source_missing" } });
        expect(job.state === "failed" ? job.error.message : "").toContain(missing);
      }),
    30_000,
  );
});

test(
  "files with line breaks, control characters and invalid UTF-8 in their names are backed up as they are",
  () =>
    stage.tell(async () => {
      const odd = smallFiles(join(stage.folder, "odd\nfolder"), 1);
      const names = [
        Buffer.from("line\nbreak"),
        Buffer.from("tab\tand\u001b[31mcolour"),
        Buffer.from([0x62, 0xff, 0xfe, 0x0a, 0x80]),
        Buffer.from([0xc3, 0x28]),
      ];
      for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${odd}/`), name]), name);
      const host = await stage.addReadyHost(repository.casting("odd-names", [odd]));
      const job = await host.finished((await host.backUp()).id);
      expect(job).toMatchObject({ state: "succeeded", result: { files_new: 5, issue_count: 0 } });
      await until("the snapshot is listed", async () => (await host.snapshots()).length === 1);
      expect((await host.snapshots())[0]?.paths).toEqual([odd]);
      const target = join(stage.folder, "odd-restored");
      await repository.restic("odd-names", ["restore", "latest", "--target", target, "--no-lock"]);
      const back = readdirSync(join(target, odd), { encoding: "buffer" }).map((name) => name.toString("hex"));
      expect(back.toSorted()).toEqual(
        [...names, Buffer.from("file0")].map((name) => name.toString("hex")).toSorted(),
      );
      for (const line of await host.log(job.id)) expect(line).not.toMatch(/[\n\r]/);
    }),
  30_000,
);

describe("a repository that cannot be reached fails within 60 s and says which address", () => {
  test(
    "when it is opened for the first time",
    () =>
      stage.tell(async () => {
        const { host, since } = nobodyThere;
        const { error } = await opening(host, 70);
        expect(error).toMatchObject({ code: "repository_unreachable", hint: expect.any(String) });
        expect(error.message).toContain(`127.0.0.1:${goneLater.port}`);
        expect(Date.now() - since).toBeLessThan(65_000);
      }),
    90_000,
  );

  test(
    "when a backup begins",
    () =>
      stage.tell(async () => {
        const { host, jobId, port, since } = goneLater;
        const job = await host.finished(jobId, 70);
        expect(job).toMatchObject({ state: "failed", error: { code: "repository_unreachable" } });
        expect(job.state === "failed" ? job.error.message : "").toContain(`127.0.0.1:${port}`);
        expect(Date.parse(job.finished_at) - since).toBeLessThan(65_000);
      }),
    90_000,
  );
});
