import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { giveBackSpace } from "./free-space.ts";
import { openDatabase } from "./open.ts";

const folder = mkdtempSync(join(tmpdir(), "rm-space-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a file that is mostly free shrinks step by step, and one that is hardly free is left alone", async () => {
  const file = join(folder, "server.db");
  const store = await openDatabase(`sqlite:${file}`);
  const { db } = store;
  const fill = (key: string) =>
    db
      .insertInto("instance")
      .values({ key, value: "x".repeat(4_000_000) })
      .execute();
  const size = async () => {
    await sql`pragma wal_checkpoint(truncate)`.execute(db);
    return statSync(file).size;
  };
  for (const key of ["a", "b", "c", "d"]) await fill(key);
  const full = await size();
  expect(await giveBackSpace(db, 1_000_000)).toBe(false);
  await db.deleteFrom("instance").where("key", "in", ["b", "c"]).execute();
  expect(await size()).toBe(full);
  expect(await giveBackSpace(db, 100_000_000)).toBe(false);
  let steps = 0;
  while (await giveBackSpace(db, 1_000_000)) steps += 1;
  expect(steps).toBeGreaterThan(2);
  expect(await size()).toBeLessThan(full - 4_000_000);
  const { value } = await db
    .selectFrom("instance")
    .select("value")
    .where("key", "=", "d")
    .executeTakeFirstOrThrow();
  expect(value).toHaveLength(4_000_000);
  await store.close();
});
