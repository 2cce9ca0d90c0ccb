import type { ConsoleAsset, ConsoleManifest, Encoding } from "./console-manifest.ts";

/** What a page of the console may load: its own files. Mantine sets inline styles, so those are let through. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * Answers everything that no other route takes: the console's files by name, and its one page for every other path,
 * because the console knows its own routes. A path that looks like a file and is none is a 404. The
 * headers that every answer carries are for `securityHeaders` to add.
 *
 * @param manifest from `loadConsole`; an empty one (console not built) answers 503 with what to do.
 */
export function serveConsole(manifest: ConsoleManifest): (request: Request) => Response {
  const assets = new Map(Object.entries(manifest));
  const page = assets.get("/index.html");
  return (request) => {
    if (request.method !== "GET" && request.method !== "HEAD")
      return plain(405, "This address can only be read.", { Allow: "GET, HEAD" });
    if (!page) return plain(503, "The console is not built. Run script/build, or script/dev to work on it.");
    const { pathname } = new URL(request.url);
    const asset = assets.get(pathname);
    if (asset) return answer(request, asset);
    const looksLikeFile = pathname.startsWith("/assets/") || /\.[a-z0-9]{2,5}$/i.test(pathname);
    return looksLikeFile ? plain(404, "There is no such file.") : answer(request, page);
  };
}

function answer(request: Request, asset: ConsoleAsset): Response {
  const encoding = preferred(request.headers.get("accept-encoding") ?? "", asset);
  const etag = `"${asset.hash}${encoding === "identity" ? "" : `-${encoding}`}"`;
  const headers = new Headers({
    "Content-Security-Policy": pagePolicy,
    "Cache-Control": asset.immutable ? "public, max-age=31536000, immutable" : "no-cache",
    ETag: etag,
    Vary: "Accept-Encoding",
  });
  if (matches(request.headers.get("if-none-match"), etag))
    return new Response(null, { status: 304, headers });
  headers.set("Content-Type", asset.type);
  if (encoding !== "identity") headers.set("Content-Encoding", encoding);
  const file = Bun.file(asset.files[encoding] ?? asset.files.identity);
  if (request.method === "HEAD") {
    headers.set("Content-Length", String(file.size));
    return new Response(null, { headers });
  }
  return new Response(file, { headers });
}

/** The smallest encoding that was built and that the browser takes (`q=0` refuses one). */
function preferred(accepted: string, asset: ConsoleAsset): Encoding {
  const offers = new Map(
    accepted.split(",").map((offer) => {
      const [name = "", ...parameters] = offer.split(";").map((part) => part.trim().toLowerCase());
      return [name, !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))] as const;
    }),
  );
  for (const encoding of ["br", "gzip"] as const)
    if (asset.files[encoding] && (offers.get(encoding) ?? offers.get("*") ?? false)) return encoding;
  return "identity";
}

function matches(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  return ifNoneMatch.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag);
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: {
      ...headers,
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "no-store",
    },
  });
}
