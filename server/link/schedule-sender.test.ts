import { expect, test } from "bun:test";
import { AgentSchedule, type ScheduleSet } from "@restic-manager/protocol/schedule";
import { agentSchedules } from "../schedules/agent-schedules.ts";
import type { Database } from "../platform/db/schema.ts";
import { linkWorld } from "../testing/link.ts";
import { addHost, addSchedule, addSourceGroup } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";

const bump = (db: Database, version: number) =>
  db.updateTable("hosts").set({ schedule_version: version }).execute();

onEveryStore("an agent's schedules", (open) => {
  async function world() {
    const db = await open();
    let looks = 0;
    const made = linkWorld(db, {
      schedulesFor: (hostId) => {
        looks += 1;
        return agentSchedules(db, hostId);
      },
    });
    const host = await addHost(db);
    const schedule = await addSchedule(db, host, [await addSourceGroup(db, host)]);
    const sets = (said: readonly { type: string }[]) =>
      said.flatMap((message) => (message.type === "schedule.set" ? [message as ScheduleSet] : []));
    return { db, host, schedule, sets, looks: () => looks, ...made };
  }

  test("come with its hello unless it has them, and their acknowledgement is kept", async () => {
    const { db, host, schedule, sets, dial } = await world();
    await bump(db, 4);
    const agent = dial(host);
    await agent.hello({ schedule_version: 3, timezone: "Europe/Berlin" });
    expect(sets(agent.said)).toMatchObject([{ version: 4, paused: false, schedules: [{ id: schedule }] }]);
    expect(AgentSchedule.safeParse(sets(agent.said)[0]?.schedules[0]).success).toBe(true);
    const stored = () =>
      db.selectFrom("hosts").select(["schedule_applied_version", "timezone"]).executeTakeFirst();
    expect(await stored()).toEqual({ schedule_applied_version: 3, timezone: "Europe/Berlin" });
    await agent.send(JSON.stringify({ type: "schedule.ack", version: 4 }));
    expect(await stored()).toMatchObject({ schedule_applied_version: 4 });
    const again = dial(host);
    await again.hello({ schedule_version: 4 });
    expect(sets(again.said)).toEqual([]);
  });

  test("follow a change at once; many changes are sent together, and the newest last", async () => {
    const { db, host, sets, looks, dial, bus, link } = await world();
    const agent = dial(host);
    await agent.hello();
    for (let version = 1; version <= 20; version += 1) {
      await bump(db, version);
      bus.publish("schedules.changed", { hostId: host });
    }
    await link.settled();
    expect(sets(agent.said).at(-1)?.version).toBe(20);
    expect(looks()).toBeLessThanOrEqual(22);
    const before = sets(agent.said).length;
    for (let n = 0; n < 20; n += 1) bus.publish("schedules.changed", { hostId: host });
    await link.settled();
    expect(sets(agent.said)).toHaveLength(before);
    await bump(db, 21);
    const looked = looks();
    for (let n = 0; n < 20; n += 1) bus.publish("schedules.changed", { hostId: host });
    await link.settled();
    expect([sets(agent.said).length, looks() - looked]).toEqual([before + 1, 1]);
  });

  test("are sent again by a server that went back in time, even under the same number", async () => {
    const { db, host, sets, dial } = await world();
    await bump(db, 6);
    const agent = dial(host);
    await agent.hello({ schedule_version: 6, outbox: { lowest: 5, highest: 9 } });
    expect(sets(agent.said)).toMatchObject([{ version: 6 }]);
  });
});
