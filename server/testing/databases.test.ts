import { expect, test } from "bun:test";
import { SQL } from "bun";
import { existsSync, watch } from "node:fs";
import { dirname } from "node:path";
import { onEveryDatabase } from "./databases.ts";
import { startPostgres } from "./postgres-cluster.ts";

onEveryDatabase("a test database", (open, kind) => {
  test("is empty, even if an earlier test has filled one", async () => {
    for (let round = 0; round < 2; round++) {
      const sql = new SQL(await open());
      await sql`create table host (name text)`;
      await sql`insert into host values ('db-ams-01')`;
      expect(await sql`select name from host`).toEqual([{ name: "db-ams-01" }]);
      await sql.close();
    }
  });

  test("is of the kind that it says", async () => {
    expect(new URL(await open()).protocol).toBe(`${kind}:`);
  });
});

test("a PostgreSQL that cannot start fails with its own words", async () => {
  const outcome = await startPostgres({ RM_TEST_POSTGRES_BIN: "/nowhere" }).then(
    () => "started",
    (error: unknown) => String(error),
  );
  expect(outcome).toContain("/nowhere/initdb");
});

test("a PostgreSQL ends with the process that started it, even when that is killed", async () => {
  const program = `
    import { startPostgres } from ${JSON.stringify(`${import.meta.dir}/postgres-cluster.ts`)};
    console.log((await startPostgres()).url);
    await new Promise(() => setInterval(() => {}, 1000));`;
  const owner = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  const { value } = await owner.stdout.getReader().read();
  const url = new TextDecoder().decode(value).trim();
  const sql = new SQL(url, { max: 1 });
  await sql`select 1`;
  const query = sql`select pg_sleep(60)`.execute().then(
    () => "finished",
    () => "cut off",
  );
  owner.kill("SIGKILL");
  expect(await query).toBe("cut off");
  await gone(new URL(url).searchParams.get("host") ?? "");
  await sql.close();
}, 20_000);

/** Resolves when the folder does not exist any more. */
function gone(folder: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(dirname(folder), look);
    function look() {
      if (existsSync(folder)) return;
      watcher.close();
      resolve();
    }
    look();
  });
}
