import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { FileVersions, TreeFolder, TreeFound } from "@restic-manager/protocol/api/tree";
import { ResticId, type HostId } from "@restic-manager/protocol/ids";
import { TREE_FAILURES, type TreeEntry, type TreeQuestion } from "@restic-manager/protocol/tree";
import { applySnapshotsReport } from "../snapshots/apply.ts";
import { instant } from "../platform/clock.ts";
import { browsedAgent, type Reply } from "../testing/browsed-agent.ts";
import { addHost, NOON } from "../testing/rows.ts";
import { answered, startTestServer, type TestServer } from "../testing/server.ts";

const SNAPSHOT = ResticId.parse("a".repeat(64));
const TREE = ResticId.parse("b".repeat(64));
const HALF_AN_HOUR = 30 * 60_000;

let server: TestServer;
let cookie: string;
let hostId: HostId;
beforeAll(async () => {
  server = await startTestServer();
  cookie = await server.signedInAs("operator");
});
afterAll(() => server.stop());
beforeEach(async () => {
  hostId = await hostWithSnapshot();
});

async function hostWithSnapshot(): Promise<HostId> {
  const id = await addHost(server.parts.db);
  const snapshot = {
    id: SNAPSHOT,
    time: instant(NOON),
    tree: TREE,
    hostname: "a",
    tags: [],
    paths: ["/srv"],
    paths_total: 1,
  };
  const report = {
    type: "snapshots.report" as const,
    repository_id: ResticId.parse("c".repeat(64)),
    taken_at: instant(NOON),
    part: 0,
    parts: 1,
    snapshots: [snapshot],
  };
  await server.parts.db.transaction().execute((trx) => applySnapshotsReport(trx, id, report));
  return id;
}

const entry = (name: string, type: TreeEntry["type"] = "file"): TreeEntry => ({
  name,
  type,
  size: 1,
  mode: 0o644,
  mtime_ms: 1,
  uid: 0,
  gid: 0,
});
const page = (
  entries: TreeEntry[],
  more: { total?: number; next?: number; indexed?: boolean } = {},
): Reply => ({
  type: "tree.list.result",
  page: { entries, total: entries.length, next: null, indexed: true, ...more },
});
const agentOf = (reply: (question: TreeQuestion) => Reply | undefined, version?: number) =>
  browsedAgent(server.parts.core.link, hostId, reply, version);
const ask = (path: string, as = cookie) =>
  answered(server.ask(`/api/hosts/${hostId}/${path}`, { cookie: as }));
const folder = (query: string, as?: string) => ask(`snapshots/${SNAPSHOT}/tree?${query}`, as);
const shown = async (query: string, as?: string) => {
  const { status, body } = await folder(query, as);
  expect({ status, body }).toMatchObject({ status: 200 });
  return TreeFolder.parse(body);
};

test("a folder is asked of the agent once, and then comes from memory for half an hour, for that session", async () => {
  const agent = await agentOf(() => page([entry("b", "dir"), entry("a")]));
  const first = await shown("path=/srv/");
  expect(first).toMatchObject({ path: "/srv", total: 2, next_cursor: null, indexed: true, source: "agent" });
  expect(agent.asked).toMatchObject([
    { type: "tree.list", snapshot_id: SNAPSHOT, tree: TREE, path: "/srv", from: 0, limit: 500 },
  ]);
  expect(await shown("path=/srv")).toEqual(first);
  expect(agent.asked).toHaveLength(1);
  await shown("path=/srv", await server.signedInAs("operator"));
  expect(agent.asked).toHaveLength(2);
  // By then the silent agent counts as away.
  server.clock.advance(HALF_AN_HOUR);
  expect(await folder("path=/srv")).toMatchObject({ body: { code: "host_offline", folders: [] } });
});

test("a page without sums is asked for again, and its sums may be waited for", async () => {
  let indexed = false;
  const agent = await agentOf(() => page([entry("a", "dir")], { indexed }));
  expect(await shown("path=/")).toMatchObject({ indexed: false });
  indexed = true;
  expect(await shown("path=/&indexed=true")).toMatchObject({ indexed: true });
  expect(await shown("path=/")).toMatchObject({ indexed: true });
  expect(agent.asked.map((question) => question.type === "tree.list" && question.indexed)).toEqual([
    false,
    true,
  ]);
});

test("a machine that is away says so, and what the session has seen can still be shown", async () => {
  const agent = await agentOf(({ type }) => (type === "tree.list" ? page([entry("a")]) : undefined));
  const seen = await shown("path=/srv");
  await shown("path=/");
  await agent.leave();
  expect(await shown("path=/srv")).toEqual(seen);
  const { status, body } = await folder("path=/srv/other");
  expect({ status, body }).toMatchObject({
    status: 503,
    body: { code: "host_offline", folders: ["/", "/srv"] },
  });
  const other = await folder("path=/srv/other", await server.signedInAs("operator"));
  expect(other).toMatchObject({ body: { code: "host_offline", folders: [] } });
  for (const path of [`snapshots/${SNAPSHOT}/search?q=a`, "versions?path=/srv/a"])
    expect(await ask(path)).toMatchObject({ status: 503, body: { code: "host_offline" } });
});

test("a page without sums is kept for when the machine goes away", async () => {
  const agent = await agentOf(() => page([entry("a", "dir")], { indexed: false }));
  await shown("path=/");
  await agent.leave();
  expect(await shown("path=/")).toMatchObject({ source: "kept", indexed: false, items: [{ name: "a" }] });
});

test("an agent is told when the viewer leaves", async () => {
  const reached = Promise.withResolvers<void>();
  const agent = await agentOf(() => {
    reached.resolve();
    return undefined;
  });
  const viewer = new AbortController();
  const gone = fetch(`${server.url}/api/hosts/${hostId}/snapshots/${SNAPSHOT}/tree`, {
    headers: { cookie },
    signal: viewer.signal,
  }).catch(() => "gone");
  await reached.promise;
  viewer.abort();
  expect(await gone).toBe("gone");
  while (agent.left.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(agent.left).toEqual(agent.asked.map((question) => question.request_id));
  // A search that was typed on left an error in the log with every key.
  await new Promise((resolve) => setImmediate(resolve));
  expect(server.lines.filter((line) => line.includes("request failed"))).toEqual([]);
});

test("an agent that does not answer is not waited for without end", async () => {
  const reached = Promise.withResolvers<void>();
  await agentOf(() => {
    reached.resolve();
    return undefined;
  });
  const waiting = folder("path=/");
  await reached.promise;
  server.clock.advance(33_000);
  expect(await waiting).toMatchObject({ status: 504, body: { code: "agent_timeout" } });
});

test("one machine is not asked more at a time than it should be", async () => {
  const { asked } = await agentOf(() => undefined);
  const all = Promise.all(
    Array.from({ length: 17 }, (_, n) =>
      server.ask(`/api/hosts/${hostId}/snapshots/${SNAPSHOT}/tree?path=/${n}`, { cookie }),
    ),
  );
  while (asked.length < 16) await new Promise((resolve) => setImmediate(resolve));
  server.clock.advance(33_000);
  const answers = await all;
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
    503,
    ...Array.from({ length: 16 }, () => 504),
  ]);
  expect(answers.find(({ status }) => status === 503)?.headers.get("retry-after")).toBe("2");
  expect(asked).toHaveLength(16);
});

test("every failure of an agent has an answer of its own", async () => {
  const codes = new Map<string, unknown>();
  for (const code of TREE_FAILURES) {
    const agent = await agentOf(() => ({ type: "tree.failed", error: { code, message: "because" } }));
    const { status, body } = await folder(`path=/${code}`);
    codes.set(code, [status, Reflect.get(Object(body), "code")]);
    await agent.leave();
  }
  expect(Object.fromEntries(codes)).toEqual({
    snapshot_missing: [404, "not_found"],
    path_missing: [404, "not_found"],
    indexing: [503, "snapshot_indexing"],
    too_large: [507, "snapshot_too_large"],
    busy: [503, "agent_busy"],
    timed_out: [504, "agent_timeout"],
    cancelled: [504, "agent_timeout"],
    failed: [502, "agent_failed"],
  });
  await agentOf(() => ({ type: "tree.search.result", page: { entries: [], next: null } }));
  expect(await folder("path=/")).toMatchObject({ status: 502, body: { code: "agent_failed" } });
});

test("an agent that is too old to be asked is named as such", async () => {
  const { asked } = await agentOf(() => page([]), 2);
  expect(await folder("path=/")).toMatchObject({ status: 409, body: { code: "agent_outdated" } });
  expect(asked).toEqual([]);
});

test("a snapshot is shown as one of its own host only", async () => {
  const { asked } = await agentOf(() => page([]));
  const bare = await addHost(server.parts.db);
  for (const path of ["tree", "search?q=a"]) {
    const answer = await answered(server.ask(`/api/hosts/${bare}/snapshots/${SNAPSHOT}/${path}`, { cookie }));
    expect(answer).toMatchObject({ status: 404 });
  }
  expect(await ask(`snapshots/${"d".repeat(64)}/tree`)).toMatchObject({ status: 404 });
  expect(asked).toEqual([]);
});

test("what cannot be asked is refused here", async () => {
  const { asked } = await agentOf(() => page([]));
  for (const query of [
    "path=srv",
    "path=/a%00",
    "cursor=x",
    "cursor=-1",
    "limit=0",
    "limit=1001",
    "indexed=perhaps",
  ])
    expect([query, (await folder(query)).status]).toEqual([query, 422]);
  for (const query of ["q=", "q=a&cursor=1", "q=a&path=b", `q=${"a".repeat(1_025)}`])
    expect([query, (await ask(`snapshots/${SNAPSHOT}/search?${query}`)).status]).toEqual([query, 422]);
  expect((await ask("versions?path=a")).status).toBe(422);
  expect(asked).toEqual([]);
});

test("a search and the versions of a file are passed on", async () => {
  const found = { ...entry("a.pdf"), path: "/srv/a.pdf" };
  const version = { ...entry("a"), snapshot_id: SNAPSHOT, link_target: "b" };
  const { name: _name, ...listed } = version;
  const { asked } = await agentOf((question) =>
    question.type === "tree.search"
      ? { type: "tree.search.result", page: { entries: [found], next: "1.2" } }
      : { type: "tree.versions.result", versions: [listed], truncated: false },
  );
  const search = await ask(`snapshots/${SNAPSHOT}/search?q=*.pdf&path=/srv&limit=7&cursor=0.3`);
  expect(TreeFound.parse(search.body)).toEqual({ items: [found], next_cursor: "1.2" });
  expect(FileVersions.parse((await ask("versions?path=/srv/a.pdf")).body)).toEqual({
    items: [listed],
    truncated: false,
  });
  expect(asked).toMatchObject([
    {
      type: "tree.search",
      snapshot_id: SNAPSHOT,
      tree: TREE,
      query: "*.pdf",
      below: "/srv",
      cursor: "0.3",
      limit: 7,
    },
    { type: "tree.versions", path: "/srv/a.pdf" },
  ]);
});

test("page by page, each thing of a folder is shown once, whatever the size of a page and what an answer holds", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1 }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      async (names, limit, fits) => {
        const whole = names.map((name) => entry(name.toWellFormed().replaceAll("\0", "_")));
        const agent = await agentOf((question) => {
          if (question.type !== "tree.list") return undefined;
          const { from } = question;
          const entries = whole.slice(from, from + Math.min(question.limit, fits));
          const next = from + entries.length;
          return page(entries, { total: whole.length, ...(next < whole.length ? { next } : {}) });
        });
        const session = await server.signedInAs("operator");
        const items: TreeEntry[] = [];
        let cursor: string | null = "0";
        while (cursor !== null) {
          const next: TreeFolder = await shown(`path=/&limit=${limit}&cursor=${cursor}`, session);
          items.push(...next.items);
          expect(next.total).toBe(whole.length);
          cursor = next.next_cursor;
        }
        expect(items).toEqual(whole);
        await agent.leave();
      },
    ),
    { numRuns: 25 },
  );
});
