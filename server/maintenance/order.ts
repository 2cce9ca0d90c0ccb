import type { NewUpkeepJob, UpkeepKind } from "@restic-manager/protocol/api/maintenance";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobOrder } from "@restic-manager/protocol/jobs";
import { keepsSomething } from "@restic-manager/protocol/retention";
import type { UserActor } from "../audit/actor.ts";
import type { Audit, AuditActor } from "../platform/audit.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { policyOf } from "./facts.ts";
import { defaultRow } from "./settings.ts";
import { activeJobs, lockHost, readPolicies, readSettings, readSlots, type UpkeepHost } from "./store.ts";

export interface OrderParts {
  db: Database;
  clock: Clock;
  audit: Audit;
  /** Writes the job as queued and refreshes its host; whoever orders tells the bus after the commit. */
  createJob: (
    trx: Trx,
    job: JobOrder & { hostId: HostId; actor: AuditActor & { kind: "user" | "system" } },
  ) => Promise<{ id: JobId }>;
}

/**
 * Queues what somebody wants done in a repository, and records who.
 *
 * @throws ApiProblem `not_found`, `no_credentials`, `host_offline`, `admin_creds_required`, `missing_retention`, `conflict` when one of the
 * kind is under way, or `validation_failed` by field.
 */
export async function orderUpkeep(
  parts: OrderParts,
  trx: Trx,
  hostId: HostId,
  wish: NewUpkeepJob,
  actor: UserActor,
): Promise<JobId> {
  const host = await lockHost(trx, hostId);
  if (host === undefined) throw new ApiProblem("not_found", `there is no host ${hostId}`);
  const order = await orderFor(parts, trx, host, wish);
  if (wish.when_offline === "refuse" && host.online !== 1)
    throw new ApiProblem("host_offline", `${host.name} is not connected`, {
      hint: "run it when the machine is back: the job then waits for it",
    });
  const job = await parts.createJob(trx, { ...order, hostId, actor: { ...actor, kind: "user" } });
  await parts.audit.record(trx, {
    actor,
    action: "job.run_now",
    target: { kind: "host", id: hostId, name: host.name },
    detail: {
      kind: wish.kind,
      job_id: job.id,
      ...(wish.kind === "forget" ? { dry_run: wish.dry_run } : {}),
      ...(wish.kind === "unlock" ? { remove_all: wish.remove_all } : {}),
    },
  });
  return job.id;
}

async function orderFor(
  { clock }: Pick<OrderParts, "clock">,
  trx: Trx,
  host: UpkeepHost,
  wish: NewUpkeepJob,
): Promise<JobOrder> {
  const slots = new Set((await readSlots(trx, [host.id])).map((row) => row.slot));
  if (!slots.has("repo"))
    throw new ApiProblem("no_credentials", `${host.name} has no repository`, {
      hint: "enter the repository's address and passwords on the host's page",
    });
  const hasAdmin = slots.has("admin");
  const preview = wish.kind === "forget" && wish.dry_run;
  if (wish.kind !== "unlock" && !preview) await refuseSecond(trx, host, wish.kind);
  switch (wish.kind) {
    case "forget":
      return { kind: "forget", input: await forgetInput(trx, host.id, wish, hasAdmin) };
    case "prune":
      if (!hasAdmin)
        throw new ApiProblem(
          "admin_creds_required",
          `${host.name} has no credentials that may delete in its repository`,
          { hint: "enter admin credentials on the repository's page" },
        );
      return { kind: "prune", input: { use_admin: true } };
    case "check": {
      const row = (await readSettings(trx, host.id)) ?? defaultRow(host.id, clock.now());
      const read_data_percent = wish.read_data_percent ?? row.check_read_data_percent;
      return { kind: "check", input: { read_data_percent } };
    }
    case "unlock":
      if (wish.remove_all && wish.confirm_host_name !== host.name)
        throw invalid("confirm_host_name", `type ${host.name} to remove locks that are in use`);
      return { kind: "unlock", input: { remove_all: wish.remove_all } };
  }
}

type ForgetWish = Pick<
  Extract<NewUpkeepJob, { kind: "forget" }>,
  "dry_run" | "source_group_ids" | "retention_policy"
>;

/**
 * What a forget is told: every group with what it keeps, and those that keep nothing by name.
 *
 * @throws ApiProblem `missing_retention` when no group says what to keep, or `validation_failed` by field.
 */
export async function forgetInput(
  db: Database | Trx,
  hostId: HostId,
  { dry_run, source_group_ids, retention_policy }: ForgetWish,
  hasAdmin: boolean,
): Promise<Extract<JobOrder, { kind: "forget" }>["input"]> {
  if (retention_policy !== undefined && (!dry_run || source_group_ids?.length !== 1))
    throw invalid("retention_policy", "can only be tried with dry_run and for one source group");
  const all = await readPolicies(db, hostId === undefined ? [] : [hostId]);
  const groups =
    source_group_ids === undefined
      ? all
      : source_group_ids.map((id, at) => {
          const group = all.find((one) => one.id === id);
          if (group === undefined)
            throw invalid(`source_group_ids.${at}`, "is not a source group of this host");
          return group;
        });
  const told = groups.map((group) => ({
    source_group_id: group.id,
    source_group_name: group.name,
    retention_policy: retention_policy ?? policyOf(group),
  }));
  const keeping = told.filter((group) => keepsSomething(group.retention_policy));
  if (keeping.length === 0)
    throw new ApiProblem(
      "missing_retention",
      "no source group says what to keep: it would delete everything",
      {
        hint: "give a source group a retention policy first",
      },
    );
  const skipped = told
    .filter((group) => !keepsSomething(group.retention_policy))
    .map(({ source_group_id, source_group_name }) => ({ source_group_id, source_group_name }));
  // A preview deletes nothing: what may delete stays here.
  return { groups: keeping, skipped, dry_run, use_admin: hasAdmin && !dry_run };
}

async function refuseSecond(trx: Trx, host: UpkeepHost, kind: UpkeepKind): Promise<void> {
  const under = (await activeJobs(trx, host.id)).find((job) => job.kind === kind && !isPreview(job.input));
  if (under !== undefined)
    throw new ApiProblem("conflict", `a ${kind} of ${host.name} is ${under.state} already`, {
      hint: "wait for its end, or cancel it first",
    });
}

/** A forget that removes nothing. */
export function isPreview(input: string): boolean {
  return input.includes('"dry_run":true');
}

function invalid(field: string, words: string): ApiProblem {
  return new ApiProblem("validation_failed", `${field}: ${words}`, { fields: { [field]: words } });
}
