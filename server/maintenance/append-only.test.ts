import { expect, test } from "bun:test";
import type { Job } from "@restic-manager/protocol/api/jobs";
import type { HostId } from "@restic-manager/protocol/ids";
import { createJob, jobIds } from "../jobs/create.ts";
import type { Database, NewJobRecord } from "../platform/db/schema.ts";
import { chosenSnapshotsRoom } from "../snapshots/chosen-routes.ts";
import { callRoom, testParts } from "../testing/parts.ts";
import { addCredentials, addHost, addJob, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { isAppendOnly, readAppendOnly } from "./append-only.ts";
import { everydayDeletions } from "./store.ts";

const ID = "1".repeat(64);
const EVERYDAY = '{"use_admin":false}';
const REFUSED = JSON.stringify({ code: "append_only", message: "refused" });

async function world(db: Database, hasAdmin = false) {
  const parts = testParts(db);
  const nextId = jobIds(parts.clock);
  const host = await addHost(db, { name: hasAdmin ? "db" : "web" });
  const body = JSON.stringify({ id: ID });
  await db.insertInto("snapshots").values({ host_id: host, id: ID, time: NOON, body }).execute();
  const room = chosenSnapshotsRoom({
    ...parts,
    createJob: (trx, job) => createJob(trx, { clock: parts.clock, nextId }, job),
    announceJob: () => {},
    hasAdmin: async () => hasAdmin,
    isAppendOnly,
    viewJob: (id) => Promise.resolve({ id } as Job),
  });
  const call = callRoom(room, "operator");
  let at = NOON;
  /** Each ends a minute after the one before. */
  const job = (
    kind: NewJobRecord["kind"],
    state: "failed" | "succeeded",
    change: Partial<NewJobRecord> = {},
  ) =>
    addJob(db, host, state, {
      kind,
      input: EVERYDAY,
      created_at: (at += 60_000),
      started_at: at,
      finished_at: at,
      ...(state === "failed" ? { error: REFUSED } : {}),
      ...change,
    });
  const tag = () => call("POST", `/api/hosts/${host}/snapshots/tags`, { snapshot_ids: [ID], add: ["keep"] });
  const forget = () =>
    call("POST", `/api/hosts/${host}/snapshots/forget`, { snapshot_ids: [ID], confirm_host: "web" });
  return { host, job, tag, forget };
}

onEveryStore("where nothing can be removed", (open) => {
  test("regression: each tag that was tried left a copy of its snapshot behind; now it is refused when that is known", async () => {
    const db = await open();
    const { job, tag, forget } = await world(db);
    expect((await tag()).status).toBe(201);
    await job("tag", "failed");
    expect(await tag()).toMatchObject({ status: 400, body: { code: "admin_creds_required" } });
    // Regression: a removal was queued all the same, to fail.
    expect(await forget()).toMatchObject({ status: 400, body: { code: "admin_creds_required" } });
    const removed = JSON.stringify({ removed: [ID], not_found: [], not_removed: [] });
    await job("forget_snapshots", "succeeded", { result: removed });
    expect((await tag()).status).toBe(201);
    await job("forget", "failed");
    expect((await tag()).status).toBe(400);
    const changed = JSON.stringify({ changed: [{ old_id: ID, new_id: ID }], not_found: [] });
    await job("tag", "succeeded", { result: changed });
    expect((await tag()).status).toBe(201);
  });

  test("admin credentials are enough, and what these or other troubles say does not count", async () => {
    const db = await open();
    const admin = await world(db, true);
    await admin.job("tag", "failed");
    expect((await admin.tag()).status).toBe(201);
    const { host, job, tag } = await world(db);
    await job("tag", "failed", { error: JSON.stringify({ code: "repository_locked", message: "x" }) });
    await job("forget_snapshots", "failed", { input: '{"use_admin":true}' });
    expect(await isAppendOnly(db, host)).toBe(false);
    expect((await tag()).status).toBe(201);
  });

  test("regression: it was remembered for ever, also after other everyday credentials were saved", async () => {
    const db = await open();
    const { host, job, tag, forget } = await world(db);
    await addCredentials(db, host);
    await job("tag", "failed");
    expect([(await tag()).status, await isAppendOnly(db, host)]).toEqual([400, true]);
    await db
      .updateTable("repository_credentials")
      .set({ updated_at: NOON + 90_000 })
      .execute();
    expect(await isAppendOnly(db, host)).toBe(false);
    expect([(await tag()).status, (await forget()).status]).toEqual([201, 201]);
    // These are refused, too.
    await job("forget", "failed");
    expect(await isAppendOnly(db, host)).toBe(true);
  });

  test("regression: looked at with others, a host's refusal was pushed out by what these had done since", async () => {
    const db = await open();
    const [quiet, busy] = [await world(db), await world(db, true)];
    await quiet.job("forget", "failed");
    for (let n = 0; n < 50; n += 1) await busy.job("forget", "failed");
    const found = await everydayDeletions(db, [quiet.host, busy.host]);
    const of = (host: HostId) => found.filter((job) => job.host_id === host);
    expect(readAppendOnly(of(quiet.host))?.seen).toBe(true);
    expect(of(busy.host)).toHaveLength(20);
    expect(of(busy.host)[0]?.finished_at).toBe(NOON + 50 * 60_000);
  });
});
