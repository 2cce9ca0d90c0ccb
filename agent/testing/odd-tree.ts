import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { extendedAttributes } from "./xattr.ts";

const SPARSE_BYTES = 8 * 1024 * 1024;

/** Names that a pattern, a shell, a line reader or a decoder may stumble over. */
export const ODD_NAMES: Buffer[] = [
  "new\nline",
  "star*[?]",
  "-dash",
  "--target=x",
  "trail ",
  " lead",
  "$HOME",
  "back\\slash",
  "#c",
  "!neg",
  "nbsp\u00a0",
  "cr\r",
  "{a,b}",
  "a\\",
  "\u00fc",
  "\u{1f600}",
  "**",
  "%41",
  "'quote'",
  '"',
  "tab\t",
]
  .map((name) => Buffer.from(name))
  .concat(["caf\xe9", "\x85", "end\xa0"].map((name) => Buffer.from(name, "latin1")));

const below = (folder: string | Buffer, name: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from(folder), Buffer.from("/"), Buffer.from(name)]);

/**
 * Makes a tree with all that a restore has to bring back: odd names, links of both sorts, empty folders, a sparse and a large file, modes,
 * times, extended attributes, and other people's files where we may make such.
 */
export function oddTree(folder: string): void {
  const attributes = extendedAttributes();
  mkdirSync(below(folder, "names"), { recursive: true });
  for (const name of ODD_NAMES)
    writeFileSync(below(`${folder}/names`, name), Buffer.concat([Buffer.from("is "), name]));
  mkdirSync(`${folder}/empty/deeper`, { recursive: true });
  mkdirSync(`${folder}/links`);
  writeFileSync(`${folder}/links/file`, "content");
  linkSync(`${folder}/links/file`, `${folder}/links/hard`);
  symlinkSync("file", `${folder}/links/soft`);
  symlinkSync("/nowhere at all", `${folder}/links/broken`);
  symlinkSync("../empty", `${folder}/links/to-folder`);
  const sparse = openSync(`${folder}/sparse`, "w");
  ftruncateSync(sparse, SPARSE_BYTES);
  writeSync(sparse, "end", SPARSE_BYTES - 3);
  closeSync(sparse);
  const large = new Uint8Array(3 * 1024 * 1024 + 17);
  for (let i = 0; i < large.length; i += 1) large[i] = (i * 2_654_435_761) >>> 13;
  writeFileSync(`${folder}/large`, large);
  writeFileSync(`${folder}/nothing`, "");
  writeFileSync(`${folder}/private`, "secret", { mode: 0o600 });
  writeFileSync(`${folder}/program`, "#!/bin/sh\n");
  chmodSync(`${folder}/program`, 0o755);
  attributes.set(`${folder}/private`, "user.colour", "blue");
  if (process.getuid?.() === 0) {
    chownSync(`${folder}/large`, 1_234, 2_345);
    chownSync(`${folder}/program`, 1_234, 2_345);
    chmodSync(`${folder}/program`, 0o4755);
    lchownSync(`${folder}/links/soft`, 1_234, 2_345);
    chownSync(`${folder}/empty`, 4_321, 5_432);
  }
  lutimesSync(`${folder}/links/soft`, 1_000_000, 1_000_000);
  utimesSync(`${folder}/large`, 1_100_000_000.5, 1_100_000_000.25);
  chmodSync(`${folder}/empty`, 0o711);
  utimesSync(`${folder}/empty`, 1_000_000, 1_000_000);
}

/** All there is to know of one thing in a tree, by its path in hexadecimal. */
export type Fact = {
  type: string;
  mode: number;
  mtime: number;
  size: number;
  owner: string;
  content: string;
  colour: string;
};

/** Everything in a folder, to be compared. A folder's size says nothing. */
export function factsOf(folder: string): Record<string, Fact> {
  const attributes = extendedAttributes();
  const facts: Record<string, Fact> = {};
  const walk = (at: Buffer, name: Buffer): void => {
    const stat = lstatSync(at);
    const type = stat.isDirectory() ? "folder" : stat.isSymbolicLink() ? "link" : "file";
    facts[name.toString("latin1")] = {
      type,
      mode: stat.mode & 0o7777,
      mtime: stat.mtimeMs,
      size: type === "folder" ? 0 : stat.size,
      owner: `${stat.uid}:${stat.gid}`,
      content:
        type === "file"
          ? Bun.hash(readFileSync(at)).toString(16)
          : type === "link"
            ? readlinkSync(at, { encoding: "buffer" }).toString("hex")
            : "",
      colour: type === "link" ? "" : (attributes.get(at, "user.colour") ?? ""),
    };
    if (type !== "folder") return;
    for (const child of readdirSync(at, { encoding: "buffer" })) {
      const bytes = Buffer.from(child);
      walk(below(at, bytes), below(name, bytes));
    }
  };
  for (const child of readdirSync(folder, { encoding: "buffer" })) {
    const bytes = Buffer.from(child);
    walk(below(folder, bytes), bytes);
  }
  return facts;
}
