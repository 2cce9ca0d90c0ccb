import { gunzipSync } from "node:zlib";
import { z } from "zod";
import rapidoc from "rapidoc/dist/rapidoc-min.js.gz" with { type: "file" };
import { json, newRoom, route } from "./room.ts";

const document = route({
  method: "get",
  path: "/api/openapi.json",
  access: "nobody",
  summary: "This document",
  responses: { 200: json(z.looseObject({ openapi: z.string() }), "OpenAPI 3.1") },
});
const page = route({
  method: "get",
  path: "/api/docs",
  access: "nobody",
  summary: "This document as a page",
  responses: { 200: { description: "A page", content: { "text/html": { schema: z.string() } } } },
});
const script = route({
  method: "get",
  path: "/api/docs/rapidoc.js",
  access: "nobody",
  summary: "The script of the page",
  responses: { 200: { description: "A script", content: { "text/javascript": { schema: z.string() } } } },
});

/** RapiDoc sets styles on elements; everything comes from this server. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>restic-manager API</title>
<style>
  body { margin: 0; font: 16px/1.5 system-ui, sans-serif }
  section { max-width: 46rem; padding: 1rem 2rem }
  rapi-doc { width: 100% }
</style>
<section id="protocol">
  <h1>restic-manager API</h1>
  <h2>An agent says protocol_too_old or protocol_too_new</h2>
  <p>The agent and this server speak different versions of their protocol. Its backups go on, and what they report is kept on
  the machine until both fit. <b>protocol_too_old</b>: update the agent on that machine, with the install command that
  “Add host” shows. <b>protocol_too_new</b>: update this server.</p>
</section>
<rapi-doc spec-url="/api/openapi.json" render-style="view" show-header="false" load-fonts="false" allow-try="false"
  allow-authentication="false" allow-server-selection="false" theme="light"></rapi-doc>
<script type="module" src="/api/docs/rapidoc.js"></script>
</html>
`;

/** The OpenAPI document, and a page to read it that asks nobody else for anything. */
export function docsRoom(describe: () => { openapi: string }) {
  return newRoom()
    .openapi(document, (c) => c.json(describe(), 200))
    .openapi(page, (c) =>
      c.html(PAGE, 200, { "content-security-policy": POLICY, "cache-control": "no-cache" }),
    )
    .openapi(script, async (c) => {
      const packed = await Bun.file(rapidoc).bytes();
      const headers = {
        "content-type": "text/javascript; charset=utf-8",
        "cache-control": "public, max-age=86400",
        vary: "accept-encoding",
      };
      if (/\bgzip\b/.test(c.req.header("accept-encoding") ?? ""))
        return c.body(packed, 200, { ...headers, "content-encoding": "gzip" });
      return c.body(gunzipSync(packed), 200, headers);
    });
}
