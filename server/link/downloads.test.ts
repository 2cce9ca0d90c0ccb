import { expect, test } from "bun:test";
import { sql } from "kysely";
import {
  DOWNLOAD_STALL_MS,
  DOWNLOAD_WINDOW,
  encodeDownloadChunk,
  type DownloadOrder,
} from "@restic-manager/protocol/download";
import { ResticId } from "@restic-manager/protocol/ids";
import { BROWSING_SINCE } from "@restic-manager/protocol/version";
import type { Database } from "../platform/db/schema.ts";
import { joinedBuses } from "../testing/buses.ts";
import { testClock } from "../testing/clock.ts";
import { linkWorld } from "../testing/link.ts";
import { addHost } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { thrownBy } from "../testing/thrown.ts";

const WISH = { snapshot_id: ResticId.parse("a".repeat(64)), path: "/etc", archive: "tar" as const };
const CHUNK = 64 * 1024;
const turn = () => new Promise((resolve) => void setImmediate(resolve));

type Agent = ReturnType<ReturnType<typeof linkWorld>["dial"]>;
const orders = (agent: Agent): DownloadOrder[] =>
  agent.said.filter((said): said is DownloadOrder => said.type.startsWith("download."));
const granted = (agent: Agent): number =>
  Math.max(0, ...orders(agent).map((order) => (order.type === "download.more" ? order.until : 0)));
async function opened(agent: Agent, count = 1): Promise<string> {
  for (;;) {
    const open = orders(agent).filter((order) => order.type === "download.open");
    const last = open.at(-1);
    if (last !== undefined && open.length >= count && granted(agent) > 0) return last.request_id;
    await turn();
  }
}
const give = (agent: Agent, request_id: string, offset: number, bytes: Uint8Array) =>
  agent.send(encodeDownloadChunk({ type: "download.chunk", request_id, offset }, bytes));
const end = (agent: Agent, request_id: string, bytes: number) =>
  agent.send(JSON.stringify({ type: "download.end", request_id, bytes }));

async function twoServers(db: Database) {
  const clock = testClock();
  const buses = joinedBuses(["a", "b"], () => {});
  const live = () => ["a", "b"];
  const time = () => sql<number>`cast(${clock.now()} as double precision)`;
  const serve = (node: string) =>
    linkWorld(db, { clock, bus: buses.bus(node), nodes: { node, alone: false, live, time } });
  const hostId = await addHost(db, { online: 0 });
  for (const node of live())
    await db
      .insertInto("nodes")
      .values({ id: node, name: node, started_at: 0, expires_at: clock.now() + 3600_000 })
      .execute();
  const [a, b] = [serve("a"), serve("b")];
  const agent = b.dial(hostId);
  await agent.hello({ protocol_version: BROWSING_SINCE });
  return { a, b, clock, hostId, agent };
}

onEveryStore("a download", (open) => {
  test("comes byte for byte from an agent here, or by the server that has it", async () => {
    const { a, b, hostId, agent } = await twoServers(await open());
    const content = Uint8Array.from({ length: 3 * CHUNK + 5 }, (_, i) => i % 251);
    for (const { link } of [b, a]) {
      agent.said.length = 0;
      const begun = link.downloads.begin(hostId, WISH, new AbortController().signal);
      const id = await opened(agent);
      for (let at = 0; at < content.length; at += CHUNK)
        await give(agent, id, at, content.subarray(at, at + CHUNK));
      await end(agent, id, content.length);
      const download = await begun;
      if (!download.ok) throw new Error(download.failure.message);
      expect(new Uint8Array(await new Response(download.body).arrayBuffer())).toEqual(content);
      expect(link.downloads.open).toBe(0);
    }
  });

  test("asks for more only when the browser has taken some", async () => {
    const { b, hostId, agent } = await twoServers(await open());
    const begun = b.link.downloads.begin(hostId, WISH, new AbortController().signal);
    const id = await opened(agent);
    expect(granted(agent)).toBe(DOWNLOAD_WINDOW);
    for (let at = 0; at < DOWNLOAD_WINDOW; at += CHUNK) await give(agent, id, at, new Uint8Array(CHUNK));
    const download = await begun;
    if (!download.ok) throw new Error(download.failure.message);
    const reader = download.body.getReader();
    expect(granted(agent)).toBe(DOWNLOAD_WINDOW);
    let read = 0;
    while (read < DOWNLOAD_WINDOW / 2) read += (await reader.read()).value?.byteLength ?? 0;
    await turn();
    expect(granted(agent)).toBeGreaterThan(DOWNLOAD_WINDOW);
    expect(granted(agent)).toBeLessThanOrEqual(read + CHUNK + DOWNLOAD_WINDOW);
    // More than that would fill the memory of the server.
    await give(agent, id, DOWNLOAD_WINDOW, new Uint8Array(DOWNLOAD_WINDOW));
    expect(await thrownBy(drained(reader))).toBeInstanceOf(Error);
    expect(orders(agent).at(-1)).toEqual({ type: "download.stop", request_id: id });
  });

  test("breaks off when the agent goes, when a part is missing, and when nothing moves", async () => {
    const db = await open();
    for (const spoil of ["close", "hole", "early end", "stall"] as const) {
      const { b, clock, hostId, agent } = await oneServer(db);
      const begun = b.link.downloads.begin(hostId, WISH, new AbortController().signal);
      const id = await opened(agent);
      await give(agent, id, 0, new Uint8Array(10));
      const download = await begun;
      if (!download.ok) throw new Error(download.failure.message);
      const reader = download.body.getReader();
      await reader.read();
      const rest = thrownBy(drained(reader));
      if (spoil === "close") await b.link.closed(agent.connection);
      if (spoil === "hole") await give(agent, id, 20, new Uint8Array(10));
      if (spoil === "early end") await end(agent, id, 30);
      if (spoil === "stall") clock.advance(DOWNLOAD_STALL_MS);
      expect([spoil, await rest]).toEqual([spoil, expect.any(Error)]);
      expect(b.link.downloads.open).toBe(0);
    }
  });

  test("that nobody wants any more is stopped at the agent, and late bytes are sent away", async () => {
    const { b, hostId, agent } = await twoServers(await open());
    const gone = new AbortController();
    const begun = b.link.downloads.begin(hostId, WISH, gone.signal);
    const id = await opened(agent);
    gone.abort();
    expect((await begun).ok).toBe(false);
    expect(orders(agent).at(-1)).toEqual({ type: "download.stop", request_id: id });
    await give(agent, id, 0, new Uint8Array(10));
    expect(orders(agent).filter(({ type }) => type === "download.stop").length).toBe(2);
    expect(b.link.downloads.open).toBe(0);
  });

  test("that cannot be had is told instead: gone, offline, too many", async () => {
    const db = await open();
    const { a, b, hostId, agent } = await twoServers(db);
    const signal = new AbortController().signal;
    for (const { link } of [b, a]) {
      agent.said.length = 0;
      const begun = link.downloads.begin(hostId, WISH, signal);
      const id = await opened(agent);
      const error = { code: "path_missing", message: "not there" };
      await agent.send(JSON.stringify({ type: "download.failed", request_id: id, error }));
      expect(await begun).toEqual({ ok: false, failure: error as never });
    }
    const away = await addHost(db, { online: 0 });
    expect(await b.link.downloads.begin(away, WISH, signal)).toMatchObject({
      ok: false,
      failure: { code: "host_offline" },
    });
    void b.link.downloads.begin(hostId, WISH, signal);
    void b.link.downloads.begin(hostId, WISH, signal);
    expect(await b.link.downloads.begin(hostId, WISH, signal)).toMatchObject({ failure: { code: "busy" } });
  });
});

/** One server with a fresh host and agent. */
async function oneServer(db: Database) {
  const clock = testClock();
  const b = linkWorld(db, { clock });
  const hostId = await addHost(db, { online: 0 });
  const agent = b.dial(hostId);
  await agent.hello({ protocol_version: BROWSING_SINCE });
  return { b, clock, hostId, agent };
}

async function drained(reader: { read: () => Promise<{ done: boolean }> }): Promise<void> {
  for (;;) if ((await reader.read()).done) return;
}
