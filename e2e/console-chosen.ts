import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobKind, JobProgress } from "@restic-manager/protocol/jobs";
import { recordChanges } from "@restic-manager/server/compare/record";
import { addJob, NOON } from "@restic-manager/server/testing/rows";
import { refresh } from "./console-hosts.ts";
import { CHANGES } from "./console-snapshot-rows.ts";
import type { ConsoleWorld } from "./console-world.ts";

/** Jobs on chosen snapshots as an agent's word would make them. */

type World = Pick<ConsoleWorld, "server">;
interface HostHere {
  id: HostId;
}

/** The input of a host's newest job of that kind. */
export async function newestInput({ server }: World, host: HostHere, kind: JobKind): Promise<unknown> {
  const { input } = await server.parts.db
    .selectFrom("jobs")
    .select("input")
    .where("host_id", "=", host.id)
    .where("kind", "=", kind)
    .orderBy("id", "desc")
    .executeTakeFirstOrThrow();
  return JSON.parse(input);
}

export function addChosen(
  { server }: World,
  host: HostHere,
  kind: JobKind,
  state: "running" | "succeeded" | "cancelled",
  input: object,
  result?: object,
): Promise<JobId> {
  return addJob(server.parts.db, host.id, state, {
    kind,
    input: JSON.stringify(input),
    started_at: NOON - 60_000,
    ...(state === "cancelled" ? { cancel_requested_at: NOON } : {}),
    ...(result === undefined ? {} : { result: JSON.stringify(result) }),
  });
}

/** Keeps the made-up changes from one number to another. */
export async function found({ server }: World, host: HostHere, job: JobId, from: number, to: number) {
  const changes = CHANGES.slice(from, to);
  await server.parts.db
    .transaction()
    .execute((trx) =>
      recordChanges(trx, host.id, { type: "diff.changes", job_id: job, first: from, changes: [...changes] }),
    );
}

type Report = Parameters<ConsoleWorld["server"]["parts"]["core"]["progress"]["report"]>[1];

export function report(
  { server }: World,
  host: HostHere,
  job: JobId,
  progress: JobProgress<"diff"> | JobProgress<"tag">,
): Promise<void> {
  const at = new Date(NOON).toISOString();
  const kind = "counts" in progress ? "diff" : "tag";
  const told = { type: "job.progress", job_id: job, kind, at, progress } as Report;
  return server.parts.core.progress.report(host.id, told);
}

/** Ends a job and tells everybody. */
export async function finish(
  { server }: World,
  host: HostHere,
  id: JobId,
  outcome: NonNullable<Parameters<typeof addJob>[3]>,
): Promise<void> {
  const { db, bus } = server.parts;
  await db
    .updateTable("jobs")
    .set({ finished_at: NOON, ...outcome })
    .where("id", "=", id)
    .execute();
  await refresh(db, host.id);
  bus.publish("job.changed", { jobId: id, hostId: host.id });
}
