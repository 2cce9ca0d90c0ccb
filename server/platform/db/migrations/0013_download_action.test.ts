import { expect, test } from "bun:test";
import { onEveryDatabase } from "../../../testing/databases.ts";
import { MIGRATIONS } from "../migrations.ts";
import { openDatabase } from "../open.ts";

const STEP = "0013_download_action";

onEveryDatabase("an older record of downloads", (open) => {
  test("is kept under the name file.downloaded, and nothing else in it changes", async () => {
    const url = await open();
    const before = Object.fromEntries(Object.entries(MIGRATIONS).filter(([name]) => name < STEP));
    const old = await openDatabase(url, before);
    const row = (id: string, action: string) => ({
      id,
      at: 1_700_000_000_000,
      actor_kind: "user" as const,
      actor_name: "ada",
      action,
      detail: '{"path":"/srv/a"}',
    });
    const rows = [
      row("01J00000000000000000000001", "host.download"),
      row("01J00000000000000000000002", "host.restore"),
    ];
    await old.db.insertInto("audit").values(rows).execute();
    await old.close();
    const store = await openDatabase(url);
    expect(store.migrated).toContain(STEP);
    const now = await store.db.selectFrom("audit").selectAll().orderBy("id").execute();
    expect(now).toMatchObject([{ ...rows[0], action: "file.downloaded" }, { ...rows[1] }]);
    await store.close();
  });
});
