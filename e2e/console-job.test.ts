import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { JobId } from "@restic-manager/protocol/ids";
import { NOON } from "@restic-manager/server/testing/rows";
import type { BrowserContext, Page } from "playwright-core";
import {
  addBackup,
  addHostsInEveryState,
  addReadyHost,
  end,
  PROGRESS,
  report,
  resultOf,
} from "./console-hosts.ts";
import { changeLook, expectUsable, open, startConsoleWorld, type ConsoleWorld } from "./console-world.ts";

/** The pages of a host and of a job as they are shipped, in a real browser, against a real server. */

const PATIENCE_MS = 240_000;
const LOOKS = [
  { scheme: "light", width: 1440 },
  { scheme: "light", width: 390 },
  { scheme: "dark", width: 390 },
  { scheme: "dark", width: 1440 },
] as const;
let world: ConsoleWorld;
let seeded: Awaited<ReturnType<typeof addHostsInEveryState>>;

beforeAll(async () => {
  world = await startConsoleWorld();
  seeded = await addHostsInEveryState(world);
  const { running, failed, issues, succeeded } = seeded.jobs;
  for (const job of [running, failed, issues, succeeded]) await world.log(job, 0, linesOf(0, 40));
  await report(world, seeded.hosts.ready, running, PROGRESS);
}, PATIENCE_MS);
afterAll(() => world.stop(), PATIENCE_MS);
afterEach(() => expect(world.complaints()).toEqual([]));

function linesOf(from: number, to: number) {
  return Array.from({ length: to - from }, (_, i) => ({
    stream: "stdout" as const,
    text: `line ${from + i + 1}`,
  }));
}

/** The addresses of every state, each with a sentence that must be on the page. */
function pages(): [path: string, sentence: string | RegExp][] {
  const { hosts, jobs } = seeded;
  return [
    [`/hosts/${hosts.ready.id}`, "What you can restore"],
    [`/hosts/${hosts.ready.id}?tab=snapshots&snapshot=3d90aa41`, "Snapshot ID"],
    [`/hosts/${hosts.ready.id}?tab=jobs`, "Newest first."],
    [`/hosts/${hosts.ready.id}?tab=settings`, "Danger zone"],
    [`/hosts/${hosts.full.id}`, /vault-ber is full/],
    [`/hosts/${hosts.web.id}`, /another machine \(fra-07-copy\) tried to connect/i],
    [`/hosts/${hosts.away.id}`, "kiosk-osl-11 is offline since 08:00"],
    [`/hosts/${hosts.locked}`, "It could not be opened"],
    [`/hosts/${hosts.bare}`, "The agent of nas-oslo-03 has never connected"],
    [`/hosts/${hosts.old}`, "restic 0.14.0 on old-ham-02 is too old"],
    [`/jobs/${jobs.running}`, "Now reading"],
    [`/jobs/${jobs.queued}`, /is on its way to db-ams-01/],
    [`/jobs/${jobs.waiting}`, "The job is queued and starts when the machine returns."],
    [`/jobs/${jobs.succeeded}`, "611 MiB stored"],
    [`/jobs/${jobs.issues}`, "/var/lib/php/sessions/"],
    [`/jobs/${jobs.failed}`, "repository_full"],
    [`/jobs/${jobs.cancelled}`, /was cancelled at 11:53/],
    [`/jobs/${jobs.refused}`, "The repository exists but this password does not open it."],
  ];
}

test(
  "every state of a host and of a job says what it is, and nothing is hard to use in either scheme, wide or narrow",
  async () => {
    const context = await world.browse();
    try {
      for (const [path, sentence] of pages()) {
        const page = await open(context, world, path);
        await page.getByText(sentence).first().waitFor();
        // Loaded once and looked at four times: loading costs more than looking.
        for (const look of LOOKS) {
          await changeLook(page, look);
          await expectUsable(page, `${path} in ${look.scheme} at ${look.width}`);
        }
        await page.close();
      }
    } finally {
      await context.close();
    }
  },
  PATIENCE_MS,
);

describe("at work", () => {
  let context: BrowserContext;
  let host: Awaited<ReturnType<typeof addReadyHost>>;
  let jobId: JobId;
  let number = 0;
  beforeAll(async () => {
    context = await world.browse();
  }, PATIENCE_MS);
  afterAll(() => context.close());
  beforeEach(async () => {
    number += 1;
    host = await addReadyHost(world.server.parts, `work-${number}`);
    jobId = await addBackup(world.server.parts.db, host, "running");
  });

  /** Numbers of the lines that the log shows, in order. */
  const shown = (page: Page) =>
    page.evaluate<string[]>("[...document.querySelectorAll('[role=log] [id^=L]')].map((line) => line.id)");
  const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `L${from + i + 1}`);

  test(
    "a log follows while lines come, and a cut network neither doubles nor loses one",
    async () => {
      const page = await open(context, world, `/jobs/${jobId}`);
      await world.log(jobId, 0, linesOf(0, 3));
      await page.getByText("line 3", { exact: true }).waitFor();
      world.network.open = false;
      world.network.cut();
      await page.getByText("Reconnecting, log up to line 3").waitFor();
      await world.log(jobId, 3, linesOf(3, 7));
      world.network.open = true;
      await page.getByText("line 7", { exact: true }).waitFor();
      await world.log(jobId, 7, linesOf(7, 12));
      await page.getByText("line 12", { exact: true }).waitFor();
      expect(await shown(page)).toEqual(ids(0, 12));
      await page.getByRole("button", { name: "Following" }).waitFor();
      await page.close();
      // A refused connection is what was asked for; the browser says so in its own words.
      expect(world.complaints().filter((text) => !/net::ERR_/.test(text))).toEqual([]);
    },
    PATIENCE_MS,
  );

  test(
    "progress moves in place, and the end shows the summary without a reload",
    async () => {
      const page = await open(context, world, `/jobs/${jobId}`);
      await page.getByRole("button", { name: "Following" }).waitFor();
      await report(world, host, jobId, PROGRESS);
      await page.getByText("about 5 min").waitFor();
      expect(await page.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("62");
      await report(world, host, jobId, {
        ...PROGRESS,
        phase: "waiting_for_repository",
        waiting_cause: "repository is already locked by PID 20413 on db-ams-01",
      });
      await page.getByText(/already locked by PID 20413/).waitFor();
      await end(world, host, jobId, { state: "succeeded", result: JSON.stringify(resultOf([])) });
      await page.getByText("611 MiB stored").waitFor();
      await page.getByRole("button", { name: "Back up again" }).waitFor();
      expect(await page.getByRole("button", { name: "Following" }).count()).toBe(0);
      await page.close();
    },
    PATIENCE_MS,
  );

  test(
    "cancelling says so, offers to kill after five seconds, and ends when the agent says so",
    async () => {
      const page = await open(context, world, `/jobs/${jobId}`);
      await page.getByRole("button", { name: "Cancel", exact: true }).click();
      await page.getByRole("button", { name: "Cancelling…" }).waitFor();
      expect(await page.getByRole("button", { name: "Kill now" }).count()).toBe(0);
      const asked: unknown[] = [];
      page.on("request", (request) => asked.push(request.postDataJSON()));
      await page.getByRole("button", { name: "Kill now" }).click();
      await page.getByRole("button", { name: "Kill now" }).waitFor();
      expect(asked[0]).toEqual({ now: true });
      await end(world, host, jobId, { state: "cancelled" });
      await page.getByText(/was cancelled at/).waitFor();
      await page.close();
    },
    PATIENCE_MS,
  );

  test(
    "of a machine that is away and does not hear the cancel, the job is given up with one press",
    async () => {
      const { parts, clock } = world.server;
      await parts.db.updateTable("jobs").set({ sent_at: NOON }).where("id", "=", jobId).execute();
      const page = await open(context, world, `/jobs/${jobId}`);
      await page.getByRole("button", { name: "Cancel", exact: true }).click();
      await page.getByRole("button", { name: "Cancelling…" }).waitFor();
      const giveUp = page.getByRole("button", { name: "Give up on it" });
      // While its machine is there, it is asked, not given up.
      expect(await giveUp.count()).toBe(0);
      await parts.db.updateTable("hosts").set({ online: 0 }).where("id", "=", host.id).execute();
      parts.bus.publish("host.changed", { hostId: host.id });
      // The server gathers changes of hosts for a moment of its own clock.
      for (let tries = 0; tries < 100 && !(await giveUp.isVisible()); tries += 1) {
        clock.advance(100);
        await page.waitForTimeout(50);
      }
      await giveUp.click();
      await page.getByRole("heading", { name: /somebody gave up waiting for it/ }).waitFor();
      await page.getByText("given_up", { exact: true }).waitFor();
      expect(await giveUp.count()).toBe(0);
      expect(await page.getByRole("button", { name: /^Cancel/ }).count()).toBe(0);
      await page.close();
    },
    PATIENCE_MS,
  );

  test(
    "a queued job that never left the server is cancelled at once",
    async () => {
      const queued = await addBackup(world.server.parts.db, host, "queued");
      const page = await open(context, world, `/jobs/${queued}`);
      await page.getByRole("button", { name: "Cancel", exact: true }).click();
      await page.getByText("It had not started: nothing was read and nothing was saved.").waitFor();
      await page.close();
    },
    PATIENCE_MS,
  );

  test(
    "backing up now queues a job, which the host's page shows, and the reason why not once more",
    async () => {
      await end(world, host, jobId, { state: "succeeded", result: JSON.stringify(resultOf([])) });
      const page = await open(context, world, `/hosts/${host.id}`);
      await page.getByRole("button", { name: "Back up now" }).click();
      await page.getByText("A backup is queued").waitFor();
      await page.getByRole("row", { name: /Backup default.*Queued/ }).waitFor();
      await page.getByRole("link", { name: /^Queued.*open the job/ }).click();
      await page.getByText(/is on its way to/).waitFor();
      await page.close();
    },
    PATIENCE_MS,
  );

  test(
    "new credentials are refused at their fields, kept, and proved by a job when they are right",
    async () => {
      const page = await open(context, world, `/hosts/${host.id}?tab=settings`);
      const url = page.getByRole("textbox", { name: "URL" });
      await url.fill("ftp://nowhere/");
      await page.getByRole("button", { name: "Save and prove" }).click();
      await page
        .getByText(/must begin with rest:http/)
        .first()
        .waitFor();
      expect(await url.inputValue()).toBe("ftp://nowhere/");
      await url.fill("rest:https://vault/new/");
      await page.getByRole("textbox", { name: "New password", exact: true }).fill("an account's password");
      await page.getByRole("textbox", { name: "New repository password" }).fill("correct horse battery");
      await page.getByRole("button", { name: "Save and prove" }).click();
      await page.getByText(/is to open the repository with these credentials/).waitFor();
      expect(await page.getByRole("textbox", { name: "New repository password" }).inputValue()).toBe("");
      await page.getByRole("link", { name: "Open the job", exact: true }).click();
      await page.getByRole("heading", { name: /Opening the repository of/ }).waitFor();
      await page.close();
      // The browser itself reports the refusal.
      expect(world.complaints()).toEqual([expect.stringContaining("422")]);
    },
    PATIENCE_MS,
  );

  test(
    "a name that is taken is said at its field; a host is removed by typing its name",
    async () => {
      const page = await open(context, world, `/hosts/${host.id}?tab=settings`);
      await page.getByRole("textbox", { name: "Name in this console" }).fill("db-ams-01");
      await page.getByRole("button", { name: "Rename" }).click();
      await page
        .getByText(/name/i)
        .filter({ hasText: /taken|has this name|already/i })
        .first()
        .waitFor();
      await page.getByRole("textbox", { name: /Type .* to confirm/ }).fill(`work-${number}`);
      await page.getByRole("button", { name: `Remove work-${number}` }).click();
      await page.getByRole("heading", { name: "Fleet" }).waitFor();
      await page.goto(`${world.network.url}/hosts/${host.id}`);
      await page.getByText("There is no such host").waitFor();
      await page.close();
      const complaints = world.complaints();
      expect(complaints.every((text) => /40[49]/.test(text))).toBe(true);
    },
    PATIENCE_MS,
  );

  test(
    "a log is saved as a file, and an address leads to its line",
    async () => {
      await world.log(jobId, 0, linesOf(0, 250));
      await world.log(jobId, 250, linesOf(250, 500));
      const page = await open(context, world, `/jobs/${jobId}#L24`);
      await page.locator("#L24").waitFor();
      const saving = page.waitForEvent("download");
      await page.getByRole("button", { name: "Download the log" }).click();
      const file = await saving;
      expect(file.suggestedFilename()).toBe(`backup-work-${number}-${jobId}.log.txt`);
      const text = await Bun.file(await file.path()).text();
      expect(text.trimEnd().split("\n")).toHaveLength(500);
      expect(text.split("\n")[23]).toBe(`${new Date(NOON + 23_000).toISOString()} stdout line 24`);
      await page.close();
    },
    PATIENCE_MS,
  );

  test(
    "a session that ends leads to the sign-in and back",
    async () => {
      const viewer = await world.browse({ role: "viewer" });
      try {
        const page = await open(viewer, world, `/jobs/${jobId}`);
        await page.getByText("by ada").waitFor();
        expect(await page.getByRole("button", { name: "Cancel" }).count()).toBe(0);
        await world.server.parts.db.deleteFrom("sessions").execute();
        world.network.cut();
        await page.getByRole("heading", { name: /Sign in|Set up/ }).waitFor();
        expect(page.url()).toContain(`next=${encodeURIComponent(`/jobs/${jobId}`)}`);
      } finally {
        await viewer.close();
      }
      world.complaints();
    },
    PATIENCE_MS,
  );
});

test(
  "a viewer sees how a host stands and nothing that only others may do",
  async () => {
    const context = await world.browse({ role: "viewer" });
    try {
      const page = await open(context, world, `/hosts/${seeded.hosts.ready.id}?tab=settings`);
      await page.getByText("Only operators start backups").waitFor();
      await page.getByText("stored, not shown").first().waitFor();
      for (const name of ["Save and prove", "Rename", /^Remove/]) {
        expect(await page.getByRole("button", { name }).count()).toBe(0);
      }
    } finally {
      await context.close();
    }
  },
  PATIENCE_MS,
);
