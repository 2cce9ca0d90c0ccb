import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Role } from "@restic-manager/protocol/api/session";
import { ResticId, type HostId, type JobId } from "@restic-manager/protocol/ids";
import type { JobResult } from "@restic-manager/protocol/jobs";
import { addHost, addJob, NOON } from "../testing/rows.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";

/** What an operator picked in a snapshot, and a viewer may know of it: that it was, and how much. */

const SECRET = "salaries-2026";
const SNAPSHOT = ResticId.parse("a".repeat(64));
const COUNTS = { added: 1, removed: 0, modified: 0, metadata: 0, type_changed: 0 };
const SIDE = { files: 1, folders: 0, others: 0, bytes: 7 };

const RESTORED: JobResult<"restore"> = {
  files_total: 2,
  files_restored: 1,
  files_skipped: 0,
  files_deleted: 1,
  bytes_total: 7,
  bytes_restored: 7,
  bytes_skipped: 0,
  complete: true,
  dry_run: false,
  in_place: false,
  where: "/var/restic-restore/x",
  ownership_dropped: true,
  verified: false,
  duration_seconds: 1,
  issue_count: 1,
  issues: [{ path: `/srv/${SECRET}`, message: `open ${SECRET}: permission denied` }],
  deleted: [`/srv/${SECRET}.old`],
  command: `restic restore --include /srv/${SECRET}`,
};
const COMPARED: JobResult<"diff"> = {
  from: SNAPSHOT,
  to: SNAPSHOT,
  added: SIDE,
  removed: SIDE,
  counts: COUNTS,
  kept: 1,
  truncated: false,
  sizes_known: true,
  folders: [{ path: `/srv/${SECRET}`, bytes: 7, ...COUNTS }],
  duration_seconds: 1,
};

let server: TestServer;
let host: HostId;
type Named =
  | "restored"
  | "cancelled"
  | "refused"
  | "failed"
  | "running"
  | "compared"
  | "notCompared"
  | "backup";
const jobs: Partial<Record<Named, JobId>> = {};

beforeAll(async () => {
  server = await startTestServer();
  const { db } = server.parts;
  host = await addHost(db, { name: "db1" });
  const input = JSON.stringify({
    snapshot_id: SNAPSHOT,
    paths: [`/srv/${SECRET}`],
    target: { kind: "folder" },
    overwrite: "always",
    delete: false,
    dry_run: false,
    verify: false,
    sparse: false,
  });
  const add = (state: "running" | "succeeded" | "failed" | "cancelled", given: object) =>
    addJob(db, host, state, {
      started_at: NOON,
      ...(state === "running" ? {} : { finished_at: NOON }),
      ...given,
    });
  const restore = { kind: "restore" as const, input };
  jobs.restored = await add("succeeded", { ...restore, result: JSON.stringify(RESTORED), issue_count: 1 });
  jobs.cancelled = await add("cancelled", {
    ...restore,
    left_behind: JSON.stringify({ ...RESTORED, complete: false }),
  });
  const told = {
    message: `/srv/${SECRET} leads outside of /srv`,
    hint: `pick what /srv/${SECRET} points to`,
  };
  jobs.refused = await add("failed", {
    ...restore,
    error: JSON.stringify({ code: "target_refused", ...told }),
  });
  jobs.failed = await add("failed", {
    ...restore,
    error: JSON.stringify({ code: "disk_full", ...told }),
    left_behind: JSON.stringify({ ...RESTORED, complete: false }),
  });
  jobs.running = await add("running", restore);
  jobs.compared = await add("succeeded", {
    kind: "diff",
    input: JSON.stringify({ from: SNAPSHOT, to: SNAPSHOT }),
    result: JSON.stringify(COMPARED),
  });
  jobs.notCompared = await add("failed", {
    kind: "diff",
    input: JSON.stringify({ from: SNAPSHOT, to: SNAPSHOT }),
    error: JSON.stringify({ code: "failed", ...told }),
  });
  jobs.backup = await add("running", { kind: "backup" });
});
afterAll(() => server.stop());

const report = () =>
  server.parts.core.progress.report(host, {
    type: "job.progress",
    job_id: jobs.running ?? ("" as JobId),
    kind: "restore",
    at: new Date(NOON).toISOString(),
    progress: {
      phase: "restoring",
      files_done: 1,
      files_skipped: 0,
      bytes_done: 3,
      seconds_elapsed: 1,
      error_count: 1,
      errors: [{ path: `/srv/${SECRET}`, message: "no" }],
      current_file: `/srv/${SECRET}`,
      where: "/var/restic-restore/x",
    },
  });

async function textOf(role: Role, path: string): Promise<{ status: number; text: string }> {
  const answer = await server.ask(path, { cookie: await server.signedInAs(role) });
  return { status: answer.status, text: await answer.text() };
}

test("a viewer sees that a restore or a comparison ran and its counts, and no name of what it was about", async () => {
  await report();
  const paths = ["/api/jobs", ...Object.values(jobs).map((id) => `/api/jobs/${id}`)];
  for (const path of paths) {
    const { status, text } = await textOf("viewer", path);
    expect([path, status, text.includes(SECRET)]).toEqual([path, 200, false]);
  }
  expect(JSON.parse((await textOf("viewer", `/api/jobs/${jobs.restored}`)).text)).toMatchObject({
    state: "succeeded",
    result: { files_restored: 1, issue_count: 1, issues: [], deleted: [], command: null },
  });
  expect(JSON.parse((await textOf("viewer", `/api/jobs/${jobs.running}`)).text)).toMatchObject({
    progress: { bytes_done: 3, error_count: 1, errors: [] },
  });
  for (const path of [`/api/jobs/${jobs.restored}`, `/api/jobs/${jobs.running}`, "/api/jobs"])
    expect((await textOf("operator", path)).text).toContain(SECRET);
});

test("why a restore or a comparison failed is told to a viewer by its code, without the path that the message names", async () => {
  const errorOf = async (role: Role, id: JobId | undefined) =>
    (JSON.parse((await textOf(role, `/api/jobs/${id}`)).text) as { error: object }).error;
  expect(await errorOf("viewer", jobs.refused)).toEqual({
    code: "target_refused",
    message: "nothing may be written to what was chosen as the target",
  });
  expect(await errorOf("viewer", jobs.failed)).toEqual({
    code: "disk_full",
    message: "the disk that was written to is full",
  });
  expect(await errorOf("viewer", jobs.notCompared)).toEqual({ code: "failed", message: "it failed" });
  expect(await errorOf("operator", jobs.refused)).toMatchObject({
    hint: `pick what /srv/${SECRET} points to`,
  });
  const list = (await textOf("viewer", "/api/jobs?state=failed")).text;
  expect(JSON.parse(list)).toMatchObject({ items: [{}, {}, {}] });
  expect(list).not.toContain(SECRET);
});

test("a viewer reads the logs of backups, not those of restores and comparisons", async () => {
  for (const what of ["log", "stream"])
    for (const id of [jobs.restored, jobs.running, jobs.compared]) {
      const { status, text } = await textOf("viewer", `/api/jobs/${id}/${what}`);
      expect([status, JSON.parse(text)]).toEqual([403, expect.objectContaining({ code: "forbidden" })]);
    }
  expect((await textOf("viewer", `/api/jobs/${jobs.backup}/log`)).status).toBe(200);
  expect((await textOf("operator", `/api/jobs/${jobs.restored}/log`)).status).toBe(200);
});

test("the live stream of changes tells a viewer as little", async () => {
  const seen = async (role: Role): Promise<string> => {
    const answer = await server.ask("/api/events", {
      cookie: await server.signedInAs(role),
    });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes('"ready"')) text += (await reader?.read())?.value ?? "";
    await report();
    const ended = [jobs.restored, jobs.refused, jobs.failed, jobs.notCompared];
    for (const jobId of ended)
      server.parts.bus.publish("job.changed", { jobId: jobId ?? ("" as JobId), hostId: host });
    server.clock.advance(100);
    while (ended.some((id) => !text.includes(id ?? "")) || !text.includes('"job.progress"'))
      text += (await reader?.read())?.value ?? "";
    await reader?.cancel().catch(() => undefined);
    return text;
  };
  expect(await seen("viewer")).not.toContain(SECRET);
  expect(await seen("operator")).toContain(SECRET);
});
