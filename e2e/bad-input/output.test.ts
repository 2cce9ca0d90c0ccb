import { afterAll, beforeAll, expect, test } from "bun:test";
import type { HostOnStage } from "../stage/host.ts";
import { Stage } from "../stage/stage.ts";

/** What restic may print, however much of it: the outcome fits into a frame, and the log goes on. */

let stage: Stage;
let host: HostOnStage;
beforeAll(async () => {
  stage = await Stage.open();
  host = await stage.addReadyHost();
  await host.atRest();
}, 30_000);
afterAll(() => stage?.strike());

const SUMMARY = JSON.stringify({
  message_type: "summary",
  files_new: 1,
  total_files_processed: 1,
  total_bytes_processed: 1,
  total_duration: 1,
  snapshot_id: "ab".repeat(32),
});

test(
  "thousands of unreadable files with very long names do not make an outcome that no frame can carry",
  () =>
    stage.tell(async () => {
      const path = `/srv/${"ünreadable folder/".repeat(200)}`;
      const text = JSON.stringify({
        message_type: "error",
        error: { message: `open ${path}{n}: permission denied` },
        during: "archival",
        item: `${path}{n}`,
      });
      stage.fake.play({
        commands: {
          backup: [
            { do: "lines", stream: "stderr", count: 2_000, text },
            { do: "print", text: SUMMARY },
            { do: "exit", code: 3 },
          ],
        },
      });
      const job = await host.finished((await host.backUp()).id);
      if (job.state !== "succeeded" || !("issues" in job.result)) throw new Error(`the job is ${job.state}`);
      expect(job.result.issue_count).toBe(2_000);
      expect(job.result.issues.length).toBeGreaterThan(20);
      const log = await host.log(job.id);
      expect(log.filter((line) => line.startsWith("error: ")).length).toBe(2_000);
      await host.atRest();
    }),
  60_000,
);

test(
  "a line of 20 MB without an end is cut and marked, and the backup succeeds",
  () =>
    stage.tell(async () => {
      stage.fake.play({
        commands: {
          backup: [
            { do: "flood", bytes: 20_000_000 },
            { do: "print", text: "" },
            { do: "print", text: SUMMARY },
          ],
        },
      });
      const job = await host.finished((await host.backUp()).id);
      expect(job.state).toBe("succeeded");
      expect((await host.log(job.id)).join("\n")).toMatch(/x \[cut, \d+ characters more\]/);
      await host.atRest();
    }),
  60_000,
);

test(
  "a restic that is killed is a failure that says so",
  () =>
    stage.tell(async () => {
      stage.fake.play({ commands: { backup: [{ do: "kill_self" }] } });
      const job = await host.finished((await host.backUp()).id);
      expect(job).toMatchObject({
        state: "failed",
        error: { code: "failed", message: "Restic was ended by SIGKILL (out of memory?)." },
      });
    }),
  30_000,
);
