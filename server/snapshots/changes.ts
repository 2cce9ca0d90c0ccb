import type { Snapshot } from "@restic-manager/protocol/snapshot";
import type { SnapshotRow } from "./store.ts";

/** What turns one list into another: rows to take away (by id) and rows to write, those that changed in both. */
export interface SnapshotChanges {
  remove: string[];
  add: SnapshotRow[];
}

/**
 * Compares what is stored with what the agent listed. A fleet's lists change by one or two snapshots a day, so writing
 * the difference and not the list is what keeps a report cheap. A snapshot that a report names twice counts once.
 */
export function snapshotChanges(stored: SnapshotRow[], listed: Snapshot[]): SnapshotChanges {
  const wanted = new Map(listed.map((snapshot) => [String(snapshot.id), rowOf(snapshot)]));
  const remove: string[] = [];
  for (const row of stored) {
    const want = wanted.get(row.id);
    if (want?.body === row.body) wanted.delete(row.id);
    else remove.push(row.id);
  }
  return { remove, add: [...wanted.values()] };
}

/** Bytes the newest snapshot covers; null when there is none, or when its restic did not say. */
export function protectedBytes(listed: Snapshot[]): number | null {
  let newest: Snapshot | undefined;
  for (const snapshot of listed)
    if (newest === undefined || Date.parse(snapshot.time) > Date.parse(newest.time)) newest = snapshot;
  return newest?.summary?.total_bytes_processed ?? null;
}

function rowOf(snapshot: Snapshot): SnapshotRow {
  return { id: snapshot.id, time: Date.parse(snapshot.time), body: JSON.stringify(snapshot) };
}
