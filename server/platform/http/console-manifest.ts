import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** How a file may be sent: as it is, or compressed when it was built. */
export type Encoding = "identity" | "br" | "gzip";

/** One file of the built console. */
export interface ConsoleAsset {
  /** Value of `Content-Type`. */
  type: string;
  /** Base of its entity tags: the same for the same bytes. */
  hash: string;
  /** True if the name changes with the content, so that a browser may keep it for ever. */
  immutable: boolean;
  /** Where the bytes lie, for each encoding that was made. */
  files: { identity: string } & Partial<Record<Encoding, string>>;
}

/** Every file of the built console by its path, such as `/assets/main-x1.js`. */
export type ConsoleManifest = Record<string, ConsoleAsset>;

/** The endings of what `script/build` compressed. */
export const compressed = { br: ".br", gzip: ".gz" } as const;

const types: Record<string, string> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  map: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  webmanifest: "application/manifest+json",
  woff2: "font/woff2",
};

/**
 * The manifest of a built console on disk (`console/dist`); empty if there is none.
 *
 * @param folder absolute path.
 */
export function manifestOf(folder: string): ConsoleManifest {
  const names = new Set(filesBelow(folder));
  const manifest: ConsoleManifest = {};
  for (const name of [...names].toSorted()) {
    const original = name.replace(/\.(br|gz)$/, "");
    if (original !== name && names.has(original)) continue;
    const files: ConsoleAsset["files"] = { identity: join(folder, name) };
    if (names.has(name + compressed.br)) files.br = join(folder, name + compressed.br);
    if (names.has(name + compressed.gzip)) files.gzip = join(folder, name + compressed.gzip);
    manifest[`/${name}`] = {
      type: types[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream",
      hash: createHash("sha256").update(readFileSync(files.identity)).digest("base64url").slice(0, 22),
      immutable: name.startsWith("assets/"),
      files,
    };
  }
  return manifest;
}

function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
