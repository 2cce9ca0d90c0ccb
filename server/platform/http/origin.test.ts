import { describe, expect, test } from "bun:test";
import { ApiProblem } from "./problem.ts";
import { refuseForeignOrigin } from "./origin.ts";

const HOST = "rm.internal:8080";
const PUBLIC = "https://backup.example.org";

/** True when the request may pass. */
async function passes(headers: Record<string, string>, method = "POST"): Promise<boolean> {
  const request = new Request(`http://${HOST}/api/session`, { method, headers });
  try {
    await refuseForeignOrigin(request, HOST, async () => PUBLIC);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(ApiProblem);
    return false;
  }
}

describe("a request that changes something", () => {
  test.each([
    ["from the console's own page", { "sec-fetch-site": "same-origin" }],
    ["from the same host, where the browser says no more", { origin: `http://${HOST}` }],
    ["from the same host with cookie", { origin: `http://${HOST}`, cookie: "rm_session=x" }],
    ["from the public address, behind a proxy that changes the host", { origin: PUBLIC }],
    ["from an agent or a script, which bring no cookie", {}],
    ["from a script with a bearer", { authorization: "Bearer x" }],
  ])("passes %s", async (_name, headers) => {
    expect(await passes({ ...headers })).toBe(true);
  });

  test.each([
    ["from another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    [
      "from a neighbour under the same domain",
      { "sec-fetch-site": "same-site", origin: "https://x.example.org" },
    ],
    ["from another site in an old browser", { origin: "https://evil.example" }],
    ["from another port", { origin: "http://rm.internal:9090" }],
    ["from a sandboxed frame", { origin: "null" }],
    ["from nowhere, with a cookie", { cookie: "rm_session=x" }],
    ["typed by hand", { "sec-fetch-site": "none", cookie: "rm_session=x" }],
    ["from a host that only begins like ours", { origin: "http://rm.internal:8080.evil.example" }],
    ["from the public address' plain twin", { origin: "http://backup.example.org" }],
  ])("is refused %s", async (_name, headers) => {
    expect(await passes({ ...headers })).toBe(false);
    for (const method of ["PUT", "PATCH", "DELETE"]) expect(await passes({ ...headers }, method)).toBe(false);
  });
});

test("a request that only reads may come from anywhere: its answer stays unreadable there", async () => {
  expect(await passes({ "sec-fetch-site": "cross-site", cookie: "rm_session=x" }, "GET")).toBe(true);
});
