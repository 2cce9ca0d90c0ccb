import type { Trx } from "./db/schema.ts";

/** The acts that are recorded so far; the words are public (mission.md). */
export const AUDIT_ACTIONS = [
  "setup.completed",
  "session.created",
  "session.failed",
  "session.revoked",
  "enrollment.created",
  "host.enrolled",
  "host.updated",
  "host.deleted",
  "credential.read_by_agent",
  "credential.updated",
  "source_group.created",
  "source_group.updated",
  "source_group.deleted",
  "source_group.hook_updated",
  "host.default_hook_updated",
  "host.paused",
  "host.resumed",
  "schedule.created",
  "schedule.updated",
  "schedule.deleted",
  "schedule.paused",
  "schedule.resumed",
  "maintenance.updated",
  "host.repo_reinit",
  "template.created",
  "template.updated",
  "template.deleted",
  "template.applied",
  "template.left",
  "pending_run.abandoned",
  "host.restore",
  "file.downloaded",
  "snapshots.tagged",
  "snapshots.forgotten",
  "job.run_now",
  "job.cancelled",
  "job.given_up",
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** Who did something. Their name is kept, so that the row is still readable when they are gone. */
export interface AuditActor {
  kind: "user" | "schedule" | "system" | "agent" | "nobody";
  id: string | null;
  name: string;
  address: string | null;
}

export interface AuditEntry {
  actor: AuditActor;
  action: AuditAction;
  target?: { kind: string; id: string | null; name: string | null };
  /** Facts for the reader. Never a secret, not even a hashed one. */
  detail?: Record<string, string | number | boolean | null>;
}

/** Writes audit rows. */
export interface Audit {
  /** In the transaction of the change it records: either both are there, or neither. */
  record(trx: Trx, entry: AuditEntry): Promise<void>;
}
