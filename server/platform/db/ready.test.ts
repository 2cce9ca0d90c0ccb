import { expect, test } from "bun:test";
import fc from "fast-check";
import { HostId } from "@restic-manager/protocol/ids";
import { addHost } from "../../testing/rows.ts";
import { onEveryStore } from "../../testing/stores.ts";
import { inSizes, ready, readyForSizes } from "./ready.ts";

onEveryStore("a query that is made once", (open) => {
  test("runs with the parameters of each call, in whatever order its text has them, and with its own constants", async () => {
    const db = await open();
    const [one, other] = [await addHost(db), await addHost(db)];
    const rename = ready<[HostId, string], unknown>(2, (of, [id, name]) =>
      of.updateTable("hosts").set({ name, os: "plan9" }).where("id", "=", id),
    );
    const { numAffectedRows } = await rename(db, one, "first");
    await rename(db, other, "second");
    expect(Number(numAffectedRows)).toBe(1);
    const rows = await db.selectFrom("hosts").select(["id", "name", "os"]).orderBy("name").execute();
    expect(rows).toEqual([
      { id: one, name: "first", os: "plan9" },
      { id: other, name: "second", os: "plan9" },
    ]);
  });

  test("serves two databases, and a transaction of one", async () => {
    const read = ready<[HostId], { id: HostId }>(1, (of, [id]) =>
      of.selectFrom("hosts").select("id").where("id", "=", id),
    );
    const [here, there] = [await open(), await open()];
    const id = await addHost(here);
    expect((await here.transaction().execute((trx) => read(trx, id))).rows).toEqual([{ id }]);
    expect((await read(there, id)).rows).toEqual([]);
  });

  test("takes lists of any length in parts", async () => {
    const db = await open();
    const ids = [
      await addHost(db),
      await addHost(db),
      await addHost(db),
      await addHost(db),
      await addHost(db),
    ];
    const read = readyForSizes<HostId[], { id: HostId }>(
      (size) => size,
      (of, list) => of.selectFrom("hosts").select("id").where("id", "in", list),
    );
    const found: HostId[] = [];
    for (const part of inSizes(ids))
      found.push(...(await read(db, part.length, part)).rows.map(({ id }) => id));
    expect(found.toSorted()).toEqual(ids.toSorted());
  });
});

test("parts put together are the list", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 700 }), (list) => {
      const parts = inSizes(list);
      expect(parts.flat()).toEqual(list);
      for (const { length } of parts) expect([256, 64, 16, 4, 1]).toContain(length);
    }),
  );
});
