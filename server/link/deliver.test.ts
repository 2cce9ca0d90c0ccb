import { expect, test } from "bun:test";
import type { JobId } from "@restic-manager/protocol/ids";
import type { ServerMessage } from "@restic-manager/protocol/server-message";
import { linkWorld } from "../testing/link.ts";
import { addHost, addJob } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";

const SHARED = { repository_id: "a".repeat(64) };
const ordered = (said: readonly ServerMessage[]): JobId[] =>
  said.flatMap((message) => (message.type === "command.run" ? [message.job_id] : []));

onEveryStore("a delivery", (open) => {
  test("of what needs no repository for itself asks nobody whose turn it is there", async () => {
    const db = await open();
    const hostId = await addHost(db, SHARED);
    const { dial, link, bus, clock } = linkWorld(db);
    const agent = dial(hostId);
    await agent.hello();
    // Nobody has told of this one: with a turn it would go too.
    const prune = await addJob(db, hostId, "queued", { kind: "prune" });
    const backup = await addJob(db, hostId, "queued");
    const turns = async () => (await db.selectFrom("repository_turns").select("job_id").execute()).length;
    bus.publish("job.queued", { jobId: backup, hostId, kind: "backup" });
    await link.settled();
    expect(ordered(agent.said)).toEqual([backup]);
    expect(await turns()).toBe(0);
    // What nobody told of is found by the next look, with its turn.
    clock.advance(30_000);
    await link.settled();
    expect(ordered(agent.said)).toContain(prune);
    expect(await turns()).toBe(1);
  });

  test.each([["prune" as const], [undefined]])(
    "of a job whose kind is %s takes its turn at once",
    async (kind) => {
      const db = await open();
      const hostId = await addHost(db, SHARED);
      const { dial, link, bus } = linkWorld(db);
      const agent = dial(hostId);
      await agent.hello();
      const prune = await addJob(db, hostId, "queued", { kind: "prune" });
      bus.publish("job.queued", { jobId: prune, hostId, ...(kind === undefined ? {} : { kind }) });
      await link.settled();
      expect(ordered(agent.said)).toEqual([prune]);
    },
  );

  test("after a hello brings what waits for a turn, and for none", async () => {
    const db = await open();
    const hostId = await addHost(db, SHARED);
    const { dial } = linkWorld(db);
    const jobs = [await addJob(db, hostId, "queued", { kind: "check" }), await addJob(db, hostId, "queued")];
    const agent = dial(hostId);
    await agent.hello();
    expect(ordered(agent.said).toSorted()).toEqual(jobs.toSorted());
  });
});
