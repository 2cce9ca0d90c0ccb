import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database as SqliteFile } from "bun:sqlite";
import { sql } from "kysely";
import { JobId } from "@restic-manager/protocol/ids";
import { onEveryDatabase } from "../../testing/databases.ts";
import { isUniqueViolation, storeFailure } from "./errors.ts";
import { MIGRATIONS, type ReleaseMigration } from "./migrations.ts";
import { DatabaseUrlError, openDatabase } from "./open.ts";

const ID = "01J00000000000000000000000";
const broken: ReleaseMigration = {
  async up(db) {
    await db.schema.createTable("half_done").addColumn("id", "text").execute();
    await sql`insert into nowhere values (1)`.execute(db);
  },
};
const rewrites: ReleaseMigration = {
  changesData: true,
  async up(db) {
    await sql`update instance set value = 'new'`.execute(db);
  },
};
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

onEveryDatabase("an opened database", (open, kind) => {
  test("has its tables, and opening it again runs nothing", async () => {
    const url = await open();
    const first = await openDatabase(url);
    expect(first.migrated).toEqual(Object.keys(MIGRATIONS));
    await first.db.insertInto("instance").values({ key: "instance_name", value: "north" }).execute();
    await first.close();
    const again = await openDatabase(url);
    expect(again.migrated).toEqual([]);
    expect(await again.db.selectFrom("instance").selectAll().execute()).toEqual([
      { key: "instance_name", value: "north" },
    ]);
    await again.close();
  });

  // A file belongs to one server.
  if (kind === "postgres")
    test("is updated once by two servers that start together", async () => {
      const url = await open();
      const stores = await Promise.all([openDatabase(url), openDatabase(url)]);
      // Which of the two runs which step is chance.
      expect(stores.flatMap((store) => store.migrated).toSorted()).toEqual(
        Object.keys(MIGRATIONS).toSorted(),
      );
      for (const store of stores) await store.close();
    });

  test("keeps nothing of a step that fails, and says which one it was", async () => {
    const url = await open();
    const error = await outcome(openDatabase(url, { ...MIGRATIONS, "9999_broken": broken }));
    expect(String(error)).toContain("step 9999_broken");
    const store = await openDatabase(url);
    expect(await outcome(sql`select * from half_done`.execute(store.db))).not.toBeNull();
    await store.close();
  });

  test("of a newer release is refused with what to do", async () => {
    const url = await open();
    await (await openDatabase(url, { ...MIGRATIONS, "9999_rewrites": rewrites })).close();
    expect(String(await outcome(openDatabase(url)))).toContain("newer release");
  });

  test("says that a key is taken, which is no failure of the store", async () => {
    const store = await openDatabase(await open());
    const insert = () => store.db.insertInto("instance").values({ key: "a", value: "1" }).execute();
    await insert();
    const error = await outcome(insert());
    expect(isUniqueViolation(error)).toBe(true);
    expect(storeFailure(error)).toBeNull();
    await store.close();
  });

  test("shows the error inside a transaction, not that of the rollback", async () => {
    const store = await openDatabase(await open());
    const error = await outcome(
      store.db.transaction().execute(async (trx) => {
        await trx.insertInto("instance").values({ key: "kept", value: "no" }).execute();
        throw new Error("changed my mind");
      }),
    );
    expect(String(error)).toContain("changed my mind");
    expect(await store.db.selectFrom("instance").selectAll().execute()).toEqual([]);
    await store.close();
  });

  test("counts and keeps numbers as numbers", async () => {
    const store = await openDatabase(await open());
    const row = { key: "account:x", count: 3, last_at: 2 ** 52 };
    await store.db.insertInto("sign_in_failures").values(row).execute();
    expect(await store.db.selectFrom("sign_in_failures").selectAll().execute()).toEqual([row]);
    await store.close();
  });
});

describe("an SQLite file", () => {
  const folder = mkdtempSync(join(tmpdir(), "rm-open-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("is for its owner only, and so is a folder made for it", async () => {
    const file = join(folder, "data", "server.db");
    const store = await openDatabase(`sqlite:${file}`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(`${file}-wal`).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, "data")).mode & 0o777).toBe(0o700);
    await store.close();
  });

  test("survives a power cut: full synchronisation, write-ahead log, foreign keys", async () => {
    const store = await openDatabase(`sqlite:${join(folder, "pragmas.db")}`);
    const pragma = async (name: string) =>
      Object.values(
        (await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(store.db)).rows[0] ?? {},
      )[0];
    expect(await pragma("synchronous")).toBe(2);
    expect(await pragma("journal_mode")).toBe("wal");
    expect(await pragma("foreign_keys")).toBe(1);
    expect(await pragma("busy_timeout")).toBe(5_000);
    await store.close();
  });

  test("is copied before a step that changes data, and the copy has the old rows", async () => {
    const file = join(folder, "copied.db");
    const first = await openDatabase(`sqlite:${file}`);
    await first.db.insertInto("instance").values({ key: "k", value: "old" }).execute();
    await first.close();
    const second = await openDatabase(`sqlite:${file}`, { ...MIGRATIONS, "9999_rewrites": rewrites });
    expect(second.migrated).toEqual(["9999_rewrites"]);
    await second.close();
    const copy = new SqliteFile(`${file}.before-9999_rewrites`, { readonly: true });
    expect(copy.query("select value from instance").all()).toEqual([{ value: "old" }]);
    copy.close();
    expect(statSync(`${file}.before-9999_rewrites`).mode & 0o777).toBe(0o600);
  });

  test("that is new is not copied", async () => {
    const file = join(folder, "fresh.db");
    await (await openDatabase(`sqlite:${file}`, { ...MIGRATIONS, "9999_rewrites": rewrites })).close();
    expect(existsSync(`${file}.before-9999_rewrites`)).toBe(false);
  });

  test("that is no database is corrupt", async () => {
    const file = join(folder, "text.db");
    writeFileSync(file, "this is not a database, it only has its name ".repeat(50));
    expect(storeFailure(await outcome(openDatabase(`sqlite:${file}`)))).toBe("corrupt");
  });

  test("on a full disk fails as full, and takes rows again when there is space", async () => {
    const store = await openDatabase(`sqlite:${join(folder, "full.db")}`);
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(store.db);
    await sql`pragma max_page_count = ${sql.lit(rows[0]?.page_count ?? 0)}`.execute(store.db);
    const insert = () =>
      store.db.transaction().execute((trx) =>
        trx
          .insertInto("instance")
          .values({ key: "large", value: "x".repeat(100_000) })
          .execute(),
      );
    expect(storeFailure(await outcome(insert()))).toBe("full");
    await sql`pragma max_page_count = 100000`.execute(store.db);
    await insert();
    await store.close();
  });

  test("is closed for good, its log folded in", async () => {
    const file = join(folder, "closed.db");
    const store = await openDatabase(`sqlite:${file}`);
    await store.db.insertInto("instance").values({ key: "a", value: "b" }).execute();
    expect(existsSync(`${file}-wal`)).toBe(true);
    await store.close();
    expect(existsSync(`${file}-wal`)).toBe(false);
  });

  test("answers with today's columns after its tables changed", async () => {
    const store = await openDatabase(`sqlite:${join(folder, "altered.db")}`);
    const all = () => sql`select * from log_gaps`.execute(store.db);
    await sql`pragma foreign_keys = off`.execute(store.db);
    await store.db
      .insertInto("log_gaps")
      .values({ job_id: JobId.parse(ID), first_line: 1, count: 2 })
      .execute();
    expect((await all()).rows).toEqual([{ job_id: ID, first_line: 1, count: 2 }]);
    await sql`alter table log_gaps add column why text default 'full'`.execute(store.db);
    expect((await all()).rows).toEqual([{ job_id: ID, first_line: 1, count: 2, why: "full" }]);
    await store.close();
  });

  test("takes more distinct statements than are kept ready", async () => {
    const store = await openDatabase(`sqlite:${join(folder, "many.db")}`);
    for (let n = 1; n < 600; n++) {
      const keys = Array.from({ length: n }, (_, k) => `key-${k}`);
      expect(await store.db.selectFrom("instance").select("key").where("key", "in", keys).execute()).toEqual(
        [],
      );
    }
    await store.close();
  });

  test("held by another writer fails as locked", async () => {
    const file = join(folder, "locked.db");
    const store = await openDatabase(`sqlite:${file}`);
    await sql`pragma busy_timeout = 0`.execute(store.db);
    const other = new SqliteFile(file);
    other.run("begin immediate");
    const insert = () => store.db.insertInto("instance").values({ key: "a", value: "b" }).execute();
    expect(storeFailure(await outcome(insert()))).toBe("locked");
    other.run("rollback");
    await insert();
    other.close();
    await store.close();
  });
});

onEveryDatabase("a server that froze in a transaction", (open, kind) => {
  if (kind === "postgres")
    test("loses its locks, or agents that come to another server would wait for it", async () => {
      const store = await openDatabase(await open());
      const { rows } = await sql<{ value: string }>`select current_setting(
        'idle_in_transaction_session_timeout') as value`.execute(store.db);
      expect(rows).toEqual([{ value: "5s" }]);
      await store.close();
    });
});

test("a PostgreSQL that is not there is unreachable", async () => {
  expect(storeFailure(await outcome(openDatabase("postgres://rm@127.0.0.1:1/rm")))).toBe("unreachable");
});

test("an address that names no database is refused", async () => {
  for (const url of ["mysql://x", "sqlite:", "sqlite:relative.db", ""])
    expect(await outcome(openDatabase(url))).toBeInstanceOf(DatabaseUrlError);
});
