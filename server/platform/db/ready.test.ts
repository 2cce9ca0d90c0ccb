import { expect, test } from "bun:test";
import { HostId } from "@restic-manager/protocol/ids";
import { addHost } from "../../testing/rows.ts";
import { onEveryStore } from "../../testing/stores.ts";
import { ready, readyForKeys, readyForRows } from "./ready.ts";

onEveryStore("a query that is made once", (open) => {
  test("runs with the parameters of each call, in whatever order its text has them, and with its own constants", async () => {
    const db = await open();
    const [one, other] = [await addHost(db), await addHost(db)];
    const rename = ready((of, { id, name }: { id: HostId; name: string }) =>
      of.updateTable("hosts").set({ name, os: "plan9" }).where("id", "=", id),
    );
    const { numAffectedRows } = await rename(db, { id: one, name: "first" });
    await rename(db, { id: other, name: "second" });
    expect(Number(numAffectedRows)).toBe(1);
    const rows = await db.selectFrom("hosts").select(["id", "name", "os"]).orderBy("name").execute();
    expect(rows).toEqual([
      { id: one, name: "first", os: "plan9" },
      { id: other, name: "second", os: "plan9" },
    ]);
  });

  test("serves two databases, and a transaction of one", async () => {
    const read = ready((of, { id }: { id: HostId }) =>
      of.selectFrom("hosts").select("id").where("id", "=", id),
    );
    const [here, there] = [await open(), await open()];
    const id = await addHost(here);
    expect((await here.transaction().execute((trx) => read(trx, { id }))).rows).toEqual([{ id }]);
    expect((await read(there, { id })).rows).toEqual([]);
  });

  test("takes a list of any length in parts that put together are the list", async () => {
    const db = await open();
    const read = readyForKeys((of, ids: HostId[]) =>
      of.selectFrom("hosts").select("id").where("id", "in", ids),
    );
    const insert = readyForRows(["key", "value"], (of, rows: { key: string; value: string }[]) =>
      of.insertInto("instance").values(rows),
    );
    for (const length of [0, 1, 5, 21, 350]) {
      const rows = Array.from({ length }, (_, n) => ({ key: `${length}/${n}`, value: `${n}` }));
      const parts = await insert(db, rows);
      expect(parts.flatMap(({ part }) => part)).toEqual(rows);
      const kept = await db.selectFrom("instance").selectAll().where("key", "like", `${length}/%`).execute();
      expect(new Map(kept.map(({ key, value }) => [key, value]))).toEqual(
        new Map(rows.map(({ key, value }) => [key, value])),
      );
    }
    const ids = [
      await addHost(db),
      await addHost(db),
      await addHost(db),
      await addHost(db),
      await addHost(db),
    ];
    const found = (await read(db, ids)).flatMap(({ result }) => result.rows.map(({ id }) => id));
    expect(found.toSorted()).toEqual(ids.toSorted());
  });
});
