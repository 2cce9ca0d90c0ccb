import { expect, test } from "bun:test";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { createJob, jobIds } from "../jobs/create.ts";
import { columnsOf, defaultRow } from "../maintenance/settings.ts";
import { countUpkeepFrom } from "../maintenance/store.ts";
import { upkeepTick } from "../maintenance/tick.ts";
import type { Database } from "../platform/db/schema.ts";
import { callRoom, testParts } from "../testing/parts.ts";
import { addCredentials, addHost, addSourceGroup, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { schedulesRoom } from "./routes.ts";

const HOUR = 3_600_000;

function world(db: Database) {
  const parts = testParts(db);
  const nextId = jobIds(parts.clock);
  const createNow: Parameters<typeof upkeepTick>[0]["createJob"] = (trx, job) =>
    createJob(trx, { clock: parts.clock, nextId }, job);
  const room = schedulesRoom({
    ...parts,
    hasCredentials: async () => true,
    createJob: createNow,
    dropWaitingOf: async () => [],
    countUpkeepFrom,
    viewJob: (id) => Promise.resolve({ id } as Job),
  });
  const errors: unknown[] = [];
  const tick = () =>
    upkeepTick({ ...parts, createJob: createNow, onError: (error) => void errors.push(error) });
  /** A host whose prune, check and forget come at 13:00 each day, and can. */
  const host = async (name: string) => {
    const id = await addHost(db, {
      name,
      protocol_version: 3,
      repository_id: "a".repeat(64),
      timezone: "UTC",
    });
    await addCredentials(db, id);
    const admin = { url: "", username: null, sealed: "x", has_password: 0, updated_at: NOON };
    await db
      .insertInto("repository_credentials")
      .values({ host_id: id, slot: "admin", ...admin })
      .execute();
    const group = await addSourceGroup(db, id);
    const keep = { retention_policy: '{"keep_last":3}' };
    await db.updateTable("source_groups").set(keep).where("id", "=", group).execute();
    const daily = { cron: "0 13 * * *", enabled: true };
    const columns = columnsOf({ forget: daily, prune: daily, check: { ...daily, read_data_percent: 0 } });
    await db
      .insertInto("repo_maintenance")
      .values({ ...defaultRow(id, NOON), ...columns })
      .execute();
    return id;
  };
  return { ...parts, call: callRoom(room, "operator"), tick, host, errors };
}

onEveryStore("the end of maintenance mode", (open) => {
  test("regression: it caught up with the prune, check and forget of the meantime", async () => {
    const db = await open();
    const { call, clock, tick, host, errors } = world(db);
    const [one, many] = [await host("one"), await host("many")];
    await call("PUT", `/api/hosts/${one}/pause`, { reason: "disk swap" });
    await call("POST", "/api/pauses", { host_ids: [many], reason: "disk swap" });
    clock.advance(2 * HOUR);
    expect(await tick()).toBe(0);
    await call("DELETE", `/api/hosts/${one}/pause`);
    await call("POST", "/api/pauses", { host_ids: [many], reason: null });
    expect(await tick()).toBe(0);
    clock.advance(23 * HOUR);
    expect(await tick()).toBe(6);
    expect(errors).toEqual([]);
  });
});
