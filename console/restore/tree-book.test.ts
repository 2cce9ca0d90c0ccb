import { describe, expect, test } from "bun:test";
import type { TreeFolder } from "@restic-manager/protocol/api/tree";
import type { TreeEntry } from "@restic-manager/protocol/tree";
import { ApiProblem } from "../api-problem.ts";
import { TreeBook, type TreeAsk } from "./tree-book.ts";
import { countRows } from "./tree-rows.ts";

const facts = { size: 1, mode: 0o644, mtime_ms: 0, uid: 0, gid: 0 };
const entry = (name: string, type: TreeEntry["type"] = "file"): TreeEntry => ({ name, type, ...facts });

/** An agent whose folders hold `total` files each; answers are at most `most` long. */
function agent(total: number, most = 500) {
  const asked: string[] = [];
  const later: (() => void)[] = [];
  const state = {
    indexed: true,
    problem: undefined as ApiProblem | undefined,
    source: "agent" as TreeFolder["source"],
  };
  const ask: TreeAsk = async ({ path, cursor, limit, indexed }) => {
    const from = Number(cursor ?? 0);
    asked.push(`${path} ${from}${indexed === undefined ? "" : " indexed"}`);
    if (state.problem !== undefined) throw state.problem;
    if (indexed !== undefined && !state.indexed)
      throw new ApiProblem({ code: "snapshot_indexing", message: "the index is being made" }, 503);
    const count = Math.max(0, Math.min(limit, most, total - from));
    const items = Array.from({ length: count }, (_, n) => entry(`f${from + n}`));
    const next = from + count < total ? String(from + count) : null;
    const page: TreeFolder = {
      path,
      items,
      total,
      next_cursor: next,
      indexed: state.indexed,
      source: state.source,
      at: "2026-11-21T12:00:00Z",
    };
    return page;
  };
  const book = new TreeBook({
    ask,
    after: (_ms, act) => {
      later.push(act);
      return () => later.splice(later.indexOf(act), 1);
    },
  });
  return { book, asked, state, later };
}

const settled = () => new Promise((done) => setImmediate(done));

describe("a snapshot's folders on a page", () => {
  test("a folder of half a million things is asked for where somebody looks", async () => {
    const { book, asked } = agent(500_000);
    book.need("/", 0);
    await settled();
    expect(countRows(book.rows("/"))).toBe(500_000);
    book.need("/", 499_999);
    book.need("/", 499_998);
    await settled();
    expect(book.folder("/")?.items[499_999]?.name).toBe("f499999");
    expect(asked).toEqual(["/ 0", "/ 499500"]);
    expect(book.known.childrenOf("/")).toBeUndefined();
  });

  test("an answer that holds fewer than were asked for is gone on from where it ended", async () => {
    const { book, asked } = agent(1_000, 300);
    book.need("/", 0);
    await settled();
    book.need("/", 450);
    await settled();
    expect(asked).toEqual(["/ 0", "/ 300"]);
    expect(await book.loadAll("/")).toBe(true);
    expect(book.known.childrenOf("/")?.length).toBe(1_000);
  });

  test("a folder with more than a restore can name is not loaded as a whole", async () => {
    const { book, asked } = agent(20_001);
    expect(await book.loadAll("/")).toBe(false);
    expect(asked.length).toBe(1);
  });

  test("while the agent indexes, it is asked again for the sums, until nobody looks", async () => {
    const { book, asked, state, later } = agent(3);
    state.indexed = false;
    book.need("/", 0);
    await settled();
    await settled();
    expect(asked).toEqual(["/ 0", "/ 0 indexed"]);
    later.splice(0).forEach((act) => act());
    await settled();
    expect(asked.length).toBe(3);
    state.indexed = true;
    later.splice(0).forEach((act) => act());
    await settled();
    expect(book.folder("/")?.indexed).toBe(true);
    expect(later.length).toBe(0);
  });

  test("a scroll bar that is dragged through half a million things asks for a few pages, and then for where it stopped", async () => {
    const { book, asked } = agent(500_000);
    book.need("/", 0);
    await settled();
    for (let at = 1_000; at < 500_000; at += 1_000) book.need("/", at);
    expect(asked.length).toBe(5);
    await settled();
    book.need("/", 499_999);
    await settled();
    expect(asked.length).toBe(6);
    expect(book.folder("/")?.items[499_999]?.name).toBe("f499999");
  });

  test("an agent that is busy is asked again, and what is shown stays", async () => {
    const { book, asked, state, later } = agent(1_000);
    book.need("/", 0);
    await settled();
    state.problem = new ApiProblem({ code: "agent_busy", message: "too many questions at once" }, 503);
    book.need("/", 700);
    await settled();
    // The page is drawn again and again meanwhile.
    book.need("/", 700);
    await settled();
    expect(asked).toEqual(["/ 0", "/ 500"]);
    expect(countRows(book.rows("/"))).toBe(1_000);
    state.problem = undefined;
    later.splice(0).forEach((act) => act());
    await settled();
    expect(book.folder("/")?.items[700]?.name).toBe("f700");
  });

  test("of a machine that is away, what the server still has is named, and a kept page says since when", async () => {
    const { book, state } = agent(3);
    book.need("/srv", 0);
    await settled();
    expect(book.folder("/srv")).toMatchObject({ kept: false, at: "2026-11-21T12:00:00Z" });
    state.problem = new ApiProblem(
      { code: "host_offline", message: "db is not connected", folders: ["/", "/etc"] },
      503,
    );
    book.need("/home", 0);
    await settled();
    expect(book.keptFolders()).toEqual(["/", "/etc", "/srv"]);
    state.problem = undefined;
    state.source = "kept";
    book.need("/etc", 0);
    await settled();
    expect(book.folder("/etc")).toMatchObject({ kept: true, at: "2026-11-21T12:00:00Z" });
  });

  test("what cannot be read says why, and can be tried again", async () => {
    const { book, state } = agent(3);
    state.problem = new ApiProblem({ code: "host_offline", message: "db is not connected" }, 503);
    book.need("/", 0);
    await settled();
    expect(book.folder("/")?.problem?.message).toBe("db is not connected");
    expect(countRows(book.rows("/"))).toBe(1);
    state.problem = undefined;
    book.retry("/");
    await settled();
    expect(countRows(book.rows("/"))).toBe(3);
  });
});
