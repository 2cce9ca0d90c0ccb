import { Database, SQLiteError } from "bun:sqlite";
import { chmodSync } from "node:fs";
import { Meta } from "./meta.ts";

/** Pages of WAL after which SQLite checkpoints: 2 MiB, so that the ballast can always be larger than the WAL. */
const CHECKPOINT_PAGES = 512;

/** `agent.db` is there and cannot be used. It is never overwritten. */
export class AgentDbError extends Error {
  override readonly name = "AgentDbError";
  /** A person has to act; trying again does not help. */
  readonly damaged: boolean;

  constructor(path: string, cause: SQLiteError) {
    const damaged = /^SQLITE_(NOTADB|CORRUPT)/.test(cause.code ?? "");
    const what = damaged ? "is damaged, or is no file of this agent" : "cannot be opened";
    const then = damaged
      ? "Move it away and restart: the server is told that this machine's memory was lost."
      : "Check the disk and who may write there.";
    super(`${path}: ${what} (${cause.message}). The file was left as it is. ${then}`, { cause });
    this.damaged = damaged;
  }
}

/** Gives SQLite's errors the name of the file, which they do not know. */
export function namingFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof SQLiteError ? new AgentDbError(path, error) : error;
  }
}

/**
 * Opens the agent's one state file and makes its tables. WAL with `synchronous=FULL`: a power cut is a normal event here.
 *
 * - `outbox` what the server has not acknowledged, by sequence number
 * - `job` every job this agent ever accepted, for 30 days
 * - `schedule_set` what the server last sent; `schedule_state` up to which moment each schedule has had its runs; `fired` each instant
 *   that has; `schedule_latest` the newest job of each group of each schedule
 * - `meta` the outbox's epoch and highest number, and what must be done again after a crash
 *
 * @throws SQLiteError when the file is no database or is damaged; see `namingFile`.
 */
export function openAgentDb(path: string): Database {
  const db = new Database(path, { create: true, strict: true });
  db.run("pragma busy_timeout = 5000");
  db.run("pragma journal_mode = wal");
  db.run("pragma synchronous = full");
  db.run(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  db.run("pragma journal_size_limit = 4194304");
  if (path !== ":memory:") chmodSync(path, 0o600);
  db.transaction(() => {
    db.run(`create table if not exists meta (key text primary key, value text not null) strict`);
    db.run(`create table if not exists outbox (
      seq integer primary key,
      job_id text,
      message text,
      first_line integer,
      count integer,
      raw_size integer,
      chunk blob,
      check ((message is null) <> (chunk is null))
    ) strict`);
    db.run(`create index if not exists outbox_chunks on outbox (seq) where chunk is not null`);
    db.run(`create table if not exists job (
      position integer primary key autoincrement,
      id text not null unique,
      kind text not null,
      input text not null,
      actor_kind text not null,
      created_at text not null,
      state text not null check (state in ('accepted', 'running', 'finished')),
      started_at text,
      pid integer,
      pid_started_at text,
      finished_at text,
      outcome text,
      log_lines integer not null default 0,
      check ((state = 'finished') = (outcome is not null))
    ) strict`);
    db.run(`create table if not exists schedule_set (
      only integer primary key check (only = 1),
      body text not null
    ) strict`);
    db.run(`create table if not exists schedule_state (
      schedule_id text primary key,
      timing text not null,
      until integer not null
    ) strict`);
    db.run(`create table if not exists schedule_latest (
      schedule_id text not null,
      group_id text not null,
      job_id text not null,
      scheduled_at integer not null,
      attempt integer not null,
      primary key (schedule_id, group_id)
    ) strict`);
    db.run(`create table if not exists fired (
      schedule_id text not null,
      scheduled_at integer not null,
      primary key (schedule_id, scheduled_at)
    ) strict`);
    db.run(`create index if not exists job_unfinished on job (position) where state <> 'finished'`);
  })();
  return db;
}

/**
 * Makes the file that of `hostId`. One that was another host's is emptied, since nothing in it is this host's to report; true then.
 */
export function belongsToAnother(db: Database, hostId: string): boolean {
  const meta = new Meta(db);
  const owner = meta.get("host_id");
  if (owner === hostId) return false;
  db.transaction(() => {
    const tables = ["outbox", "job", "schedule_set", "schedule_state", "schedule_latest", "fired", "meta"];
    for (const table of tables) db.run(`delete from ${table}`);
    meta.set("host_id", hostId);
  })();
  return owner !== undefined;
}
