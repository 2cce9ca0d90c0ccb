import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ROLES } from "@restic-manager/protocol/api/session";
import { createApp } from "./app.ts";
import { ACCESS, type Access } from "./platform/http/access.ts";
import { ACCESS_FIELD } from "./platform/http/room.ts";
import { startTestServer, type TestServer } from "./testing/server.ts";

/**
 * Every route and who may call it, written down by hand: this table is the decision, the code follows it. A route that is missing
 * here, or here and not in the server, fails the test.
 */
const TABLE: Record<string, Access> = {
  "GET /healthz": "nobody",
  "GET /readyz": "nobody",
  "GET /api/openapi.json": "nobody",
  "GET /api/docs": "nobody",
  "GET /api/docs/rapidoc.js": "nobody",
  "GET /api/setup": "nobody",
  "POST /api/setup": "nobody",
  "POST /api/setup/check": "nobody",
  "POST /api/setup/probe": "nobody",
  "POST /api/session": "nobody",
  "DELETE /api/session": "viewer",
  "GET /api/me": "viewer",
  "GET /api/fleet/summary": "viewer",
  "GET /api/hosts": "viewer",
  "GET /api/hosts/{id}": "viewer",
  "PATCH /api/hosts/{id}": "operator",
  "DELETE /api/hosts/{id}": "admin",
  "GET /api/hosts/{id}/repo-credentials": "viewer",
  "PUT /api/hosts/{id}/repo-credentials": "operator",
  "GET /api/hosts/{id}/admin-credentials": "viewer",
  "PUT /api/hosts/{id}/admin-credentials": "admin",
  "DELETE /api/hosts/{id}/admin-credentials": "admin",
  "GET /api/hosts/{id}/repository": "viewer",
  "GET /api/hosts/{id}/repo/stats": "viewer",
  "GET /api/hosts/{id}/repo-maintenance": "viewer",
  "PUT /api/hosts/{id}/repo-maintenance": "operator",
  "POST /api/hosts/{id}/repo/forget": "operator",
  "POST /api/hosts/{id}/repo/prune": "operator",
  "POST /api/hosts/{id}/repo/check": "operator",
  "POST /api/hosts/{id}/repo/unlock": "operator",
  "POST /api/hosts/{id}/repo/reinit": "admin",
  "GET /api/tags": "viewer",
  "GET /api/schedules/load": "viewer",
  "POST /api/pauses": "operator",
  "GET /api/policy-templates": "viewer",
  "POST /api/policy-templates": "operator",
  "GET /api/policy-templates/{id}": "viewer",
  "PUT /api/policy-templates/{id}": "operator",
  "DELETE /api/policy-templates/{id}": "operator",
  "GET /api/policy-templates/{id}/hosts": "viewer",
  "POST /api/policy-templates/{id}/preview": "viewer",
  "POST /api/policy-templates/{id}/apply": "operator",
  "GET /api/hosts/{id}/policy-template": "viewer",
  "DELETE /api/hosts/{id}/policy-template": "operator",
  "GET /api/hosts/{id}/snapshots": "viewer",
  "GET /api/hosts/{id}/snapshots/{sid}/tree": "operator",
  "GET /api/hosts/{id}/snapshots/{sid}/search": "operator",
  "GET /api/hosts/{id}/versions": "operator",
  "POST /api/hosts/{id}/snapshots/tags": "operator",
  "POST /api/hosts/{id}/snapshots/forget": "operator",
  "GET /api/hosts/{id}/snapshots/{sid}/download": "operator",
  "POST /api/hosts/{id}/restore": "operator",
  "GET /api/hosts/{id}/restore": "operator",
  "GET /api/hosts/{id}/restore/{jid}": "operator",
  "POST /api/hosts/{id}/snapshots/diff": "operator",
  "GET /api/jobs/{id}/changes": "operator",
  "GET /api/hosts/{id}/source-groups": "viewer",
  "POST /api/hosts/{id}/source-groups": "operator",
  "GET /api/hosts/{id}/source-groups/{gid}": "viewer",
  "PUT /api/hosts/{id}/source-groups/{gid}": "operator",
  "DELETE /api/hosts/{id}/source-groups/{gid}": "operator",
  "POST /api/hosts/{id}/source-groups/{gid}/run": "operator",
  "PUT /api/hosts/{id}/source-groups/{gid}/hooks": "admin",
  "GET /api/hosts/{id}/hooks": "viewer",
  "PUT /api/hosts/{id}/hooks": "admin",
  "PUT /api/hosts/{id}/bandwidth": "operator",
  "POST /api/hosts/{id}/run-backup": "operator",
  "GET /api/hosts/{id}/schedules": "viewer",
  "POST /api/hosts/{id}/schedules": "operator",
  "POST /api/hosts/{id}/schedules/preview": "viewer",
  "PUT /api/hosts/{id}/schedules/{sid}": "operator",
  "DELETE /api/hosts/{id}/schedules/{sid}": "operator",
  "POST /api/hosts/{id}/schedules/{sid}/run": "operator",
  "POST /api/hosts/{id}/schedules/{sid}/pause": "operator",
  "POST /api/hosts/{id}/schedules/{sid}/resume": "operator",
  "PUT /api/hosts/{id}/pause": "operator",
  "DELETE /api/hosts/{id}/pause": "operator",
  "POST /api/hosts/{id}/jobs": "operator",
  "POST /api/backups": "operator",
  "GET /api/jobs": "viewer",
  "GET /api/jobs/{id}": "viewer",
  "GET /api/jobs/{id}/log": "viewer",
  "GET /api/jobs/{id}/stream": "viewer",
  "POST /api/jobs/{id}/cancel": "operator",
  "POST /api/jobs/{id}/give-up": "operator",
  "POST /api/enrollment-tokens": "operator",
  "GET /api/enrollment-tokens/{id}": "operator",
  "POST /api/agents/enroll": "nobody",
  "GET /install/install.sh": "nobody",
  "GET /agent/binary": "nobody",
  "GET /agent/binary/sha256": "nobody",
  "GET /api/events": "viewer",
};

const CALLERS = ["nobody", ...ROLES] as const;
type Caller = (typeof CALLERS)[number];
/** The status of a refusal, or null when the caller may pass. */
const REFUSED: Record<Access, Record<Caller, number | null>> = {
  nobody: { nobody: null, viewer: null, operator: null, admin: null },
  viewer: { nobody: 401, viewer: null, operator: null, admin: null },
  operator: { nobody: 401, viewer: 403, operator: null, admin: null },
  admin: { nobody: 401, viewer: 403, operator: 403, admin: null },
  agent: { nobody: 401, viewer: 401, operator: 401, admin: 401 },
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** A session of its own for every call: signing out must not spoil the next one. */
async function call(name: string, caller: Caller): Promise<{ status: number; code: unknown }> {
  const [method = "", path = ""] = name.split(" ");
  const cookie = caller === "nobody" ? undefined : await server.signedInAs(caller);
  const response = await server.ask(path.replaceAll(/\{[^}]+\}/g, "01J00000000000000000000000"), {
    method,
    ...(cookie === undefined ? {} : { cookie }),
  });
  if (response.ok) {
    // A stream of events would never end.
    await response.body?.cancel();
    return { status: response.status, code: null };
  }
  const { code }: { code?: unknown } = JSON.parse(await response.text());
  return { status: response.status, code };
}

describe("every route", () => {
  test("is in the table, and every line of the table is a route", () => {
    const documented = new Map<string, unknown>();
    const document = createApp(server.parts).getOpenAPI31Document({
      openapi: "3.1.0",
      info: { title: "", version: "" },
    });
    for (const [path, methods] of Object.entries(document.paths ?? {}))
      for (const [method, route] of Object.entries(methods))
        documented.set(`${method.toUpperCase()} ${path}`, Reflect.get(Object(route), ACCESS_FIELD));
    expect(Object.fromEntries(documented)).toEqual(TABLE);
  });

  test("is declared with `route`: none was added beside the document and its guard", () => {
    const registered = createApp(server.parts).routes.filter(({ method }) => method !== "ALL");
    const names = new Set(
      registered.map(({ method, path }) => `${method} ${path.replaceAll(/:([^/]+)/g, "{$1}")}`),
    );
    expect([...names].toSorted()).toEqual(Object.keys(TABLE).toSorted());
  });

  for (const [name, access] of Object.entries(TABLE))
    test(`${name} is for ${access}`, async () => {
      for (const caller of CALLERS) {
        const { status, code } = await call(name, caller);
        const refused = REFUSED[access][caller];
        if (refused !== null)
          expect({ caller, status, code }).toEqual({
            caller,
            status: refused,
            code: refused === 401 ? "unauthenticated" : "forbidden",
          });
        else expect([name, caller, code]).not.toEqual([name, caller, "forbidden"]);
        if (refused === null) expect(code).not.toBe("unauthenticated");
        expect(status).toBeLessThan(500);
      }
    });
});

test("the ranks cover every access there is", () => {
  expect(Object.keys(REFUSED).toSorted()).toEqual([...ACCESS].toSorted());
});
