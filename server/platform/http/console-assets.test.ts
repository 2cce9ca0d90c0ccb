import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { serveConsole } from "./console-assets.ts";
import { manifestOf } from "./console-manifest.ts";

const script = "console.log('fleet');".repeat(50);
let folder: string;
let ask: (path: string, init?: RequestInit) => Response;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rm-console-"));
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>restic-manager</title>");
  writeFileSync(join(folder, "favicon.svg"), "<svg/>");
  writeFileSync(join(folder, "assets/main-x1.js"), script);
  writeFileSync(join(folder, "assets/main-x1.js.br"), brotliCompressSync(script));
  writeFileSync(join(folder, "assets/main-x1.js.gz"), gzipSync(script));
  const serve = serveConsole(manifestOf(folder));
  ask = (path, init) => serve(new Request(`http://console.test${path}`, init));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the page", () => {
  test("is served for every path that the console may know", async () => {
    for (const path of ["/", "/hosts/01J", "/jobs?state=failed", "/index.html"]) {
      const response = ask(path);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(response.headers.get("cache-control")).toBe("no-cache");
      expect(await response.text()).toContain("restic-manager");
    }
  });

  test("lets nothing foreign run or frame it", () => {
    const policy = ask("/").headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
  });

  test("says what to do when it was never built", async () => {
    const response = serveConsole(manifestOf(join(folder, "nowhere")))(new Request("http://console.test/"));
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("script/build");
  });
});

describe("a file", () => {
  test("is kept by the browser for ever if its name changes with its content", () => {
    expect(ask("/assets/main-x1.js").headers.get("cache-control")).toContain("immutable");
    expect(ask("/favicon.svg").headers.get("cache-control")).toBe("no-cache");
  });

  test.each([
    ["gzip, deflate, br", "br", brotliCompressSync(script)],
    ["gzip", "gzip", gzipSync(script)],
    ["br;q=0, gzip;q=0.5", "gzip", gzipSync(script)],
    ["*", "br", brotliCompressSync(script)],
    ["", null, Buffer.from(script)],
  ])("comes in what the browser takes: %p", async (accepted, encoding, bytes) => {
    const response = ask("/assets/main-x1.js", { headers: { "accept-encoding": accepted } });
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(response.headers.get("vary")).toBe("Accept-Encoding");
    expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(bytes));
  });

  test("is not sent again to a browser that has it, for each encoding on its own", () => {
    const first = ask("/assets/main-x1.js", { headers: { "accept-encoding": "br" } });
    const etag = first.headers.get("etag") ?? "";
    const again = (tag: string, accepted: string) =>
      ask("/assets/main-x1.js", { headers: { "accept-encoding": accepted, "if-none-match": tag } }).status;
    expect(again(etag, "br")).toBe(304);
    expect(again(`"other", W/${etag}`, "br")).toBe(304);
    expect(again(etag, "gzip")).toBe(200);
  });

  test("that is missing is a 404, not the page", () => {
    expect(ask("/assets/main-x0.js").status).toBe(404);
    expect(ask("/robots.txt").status).toBe(404);
    expect(ask("/assets/../../../etc/passwd").status).toBe(200);
    expect(ask("/assets/%2e%2e%2fsecret").status).toBe(404);
  });

  test("can be asked about without being fetched, and not be written", async () => {
    const head = ask("/assets/main-x1.js", { method: "HEAD" });
    expect(head.headers.get("content-length")).toBe(String(script.length));
    expect(await head.text()).toBe("");
    expect(ask("/", { method: "POST" }).status).toBe(405);
  });
});
