import { afterAll, describe } from "bun:test";
import { SQL } from "bun";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "./postgres-cluster.ts";

/**
 * Makes a fresh, empty database and gives its `RM_DATABASE_URL`: `sqlite:/path` or
 * `postgres://rm@localhost/name?host=/socket/folder`. It is removed when the tests around it are over.
 */
export type OpenDatabase = () => Promise<string>;

/**
 * Declares the same tests once for every database the server runs on.
 *
 * PostgreSQL is the cluster that `script/test` has started (`RM_TEST_POSTGRES`). Without one, the first test that
 * opens a database starts one for this process. Where that is impossible, the test fails: it is never skipped.
 *
 * @param tests declares the tests; close every connection before they end.
 */
export function onEveryDatabase(
  name: string,
  tests: (open: OpenDatabase, kind: "sqlite" | "postgres") => void,
): void {
  describe(`${name}, on SQLite`, () => {
    const folders: string[] = [];
    afterAll(() => {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    });
    tests(async () => {
      const folder = mkdtempSync(join(tmpdir(), "rm-sqlite-"));
      folders.push(folder);
      return `sqlite:${join(folder, "test.db")}`;
    }, "sqlite");
  });

  describe(`${name}, on PostgreSQL`, () => {
    const made: string[] = [];
    afterAll(async () => {
      if (made.length > 0)
        await administer(made.map((database) => `drop database if exists ${database} with (force)`));
    });
    tests(async () => {
      const database = `rm_${crypto.randomUUID().replaceAll("-", "")}`;
      await administer([`create database ${database}`]);
      made.push(database);
      const url = new URL(await clusterUrl());
      url.pathname = `/${database}`;
      return url.href;
    }, "postgres");
  });
}

/** The environment is where the cluster is remembered, so that all test files of this process share it. */
async function clusterUrl(): Promise<string> {
  process.env["RM_TEST_POSTGRES"] ||= (await startPostgres()).url;
  return process.env["RM_TEST_POSTGRES"];
}

async function administer(statements: string[]): Promise<void> {
  const sql = new SQL(await clusterUrl(), { max: 1 });
  try {
    for (const statement of statements) await sql.unsafe(statement);
  } finally {
    await sql.close();
  }
}
