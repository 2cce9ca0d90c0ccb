import { Database } from "bun:sqlite";
import { chmodSync } from "node:fs";

/** Rises when older files cannot be read any more; they are then made anew. */
export const TREE_FORMAT = 1;

/**
 * Makes the file of one snapshot's tree: `chunk` has the entries, packed (`chunk.ts`), `piece` says which chunk has what of a
 * folder. A folder stands there by a hash of its path: the paths themselves would take more than all the rest. Nobody reads the file
 * before it is whole, so no journal is kept.
 */
export function createTreeFile(path: string): Database {
  const db = new Database(path, { create: true, strict: true });
  chmodSync(path, 0o600);
  db.run("pragma page_size = 4096");
  db.run("pragma journal_mode = off");
  db.run("pragma synchronous = off");
  db.run(`pragma user_version = ${TREE_FORMAT}`);
  db.run("create table chunk (id integer primary key, names blob not null, facts blob not null) strict");
  // `rank` 0: the folder's folders; 1: everything else. `seq` keeps the order of what was too much for one chunk.
  db.run(`create table piece (
    folder blob not null, rank integer not null, seq integer not null,
    chunk integer not null, place integer not null, count integer not null,
    primary key (folder, rank, seq)
  ) strict, without rowid`);
  db.run("create table root (entries integer not null, bytes integer not null) strict");
  return db;
}

/** 96 bits: two folders of one snapshot never have the same. */
export function folderHash(path: string): Uint8Array<ArrayBuffer> {
  const hash = new Uint8Array(12);
  const view = new DataView(hash.buffer);
  view.setBigUint64(0, BigInt(Bun.hash(path)));
  view.setUint32(8, Number(BigInt.asUintN(32, BigInt(Bun.hash(path, 1)))));
  return hash;
}
