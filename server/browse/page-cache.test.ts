import { expect, test } from "bun:test";
import { PageCache } from "./page-cache.ts";

const key = (path: string, session = "s") => ({ session, hostId: "h", snapshotId: "x", path, part: "" });

test("a page is kept half an hour, for the session that saw it", () => {
  let now = 0;
  const cache = new PageCache<string>(100_000, () => now);
  cache.set(key("/a"), "page");
  now = 29 * 60_000;
  expect(cache.get(key("/a"))).toBe("page");
  expect(cache.folders(key("/"))).toEqual(["/a"]);
  expect(cache.get(key("/a", "another"))).toBeUndefined();
  expect(cache.folders(key("/", "another"))).toEqual([]);
  now = 30 * 60_000;
  expect(cache.folders(key("/"))).toEqual([]);
  expect(cache.get(key("/a"))).toBeUndefined();
});

test("the page that nobody looked at for longest makes room", () => {
  const cache = new PageCache<string>(1_000, () => 0);
  for (const path of ["/a", "/b", "/c", "/d"]) cache.set(key(path), "p".repeat(20));
  expect(cache.folders(key("/"))).toEqual(["/b", "/c", "/d"]);
  cache.get(key("/b"));
  cache.set(key("/e"), "p".repeat(20));
  expect(cache.folders(key("/"))).toEqual(["/b", "/d", "/e"]);
  cache.set(key("/large"), "p".repeat(1_000));
  expect(cache.get(key("/large"))).toBeUndefined();
});

test("of very many folders the last ones are named", () => {
  const cache = new PageCache<string>(10_000_000, () => 0);
  for (let n = 0; n < 1_000; n += 1) cache.set(key(`/${n}`), "page");
  cache.get(key("/0"));
  const named = cache.folders(key("/"));
  expect(named).toHaveLength(500);
  expect(named).toContain("/0");
  expect(named).not.toContain("/400");
});
