import { z } from "zod";
import type { HooksInput, HooksView } from "@restic-manager/protocol/api/sources";
import type { AgentConfig, Hooks } from "@restic-manager/protocol/config";
import type { HostId, SourceGroupId } from "@restic-manager/protocol/ids";
import { HOOK_TIMEOUT_SECONDS, HOOKS_BYTES } from "@restic-manager/protocol/limits";
import type { UserActor } from "../audit/actor.ts";
import type { Audit } from "../platform/audit.ts";
import type { Bus } from "../platform/bus.ts";
import { instant, type Clock } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import type { Seal } from "../platform/seal.ts";
import {
  bumpConfigVersion,
  lockHost,
  readHooks,
  readSourceGroup,
  removeHooks,
  writeHooks,
  type HooksRow,
} from "./store.ts";

export interface HookParts {
  db: Database;
  seal: Seal;
  clock: Clock;
  bus: Bus;
  audit: Audit;
}

/** What a row seals: bodies and nothing else, so that the rest can be shown without opening it. */
const Sealed = z.object({ pre: z.string().optional(), post: z.string().optional() });
type Bodies = z.infer<typeof Sealed>;

/**
 * Changes the hooks of a host, or of one of its groups. The record says which were changed and never what they say.
 *
 * @param groupId "" for the host's own.
 * @returns what may be shown; null when there are none any more.
 * @throws ApiProblem `not_found`, or `validation_failed` when all hooks of the host together have too much to say.
 */
export async function updateHooks(
  { db, seal, clock, bus, audit }: HookParts,
  hostId: HostId,
  groupId: SourceGroupId | "",
  input: HooksInput,
  actor: UserActor,
): Promise<HooksView | null> {
  const view = await db.transaction().execute(async (trx) => {
    const host = await lockHost(trx, hostId);
    if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
    const group = groupId === "" ? undefined : await readSourceGroup(trx, hostId, groupId);
    if (groupId !== "" && group === undefined)
      throw new ApiProblem("not_found", "the host has no such source group");
    const all = await readHooks(trx, hostId);
    const before = all.get(groupId);
    const bodies = before === undefined ? {} : open(seal, before);
    const next: Bodies = { pre: changed(input.pre, bodies.pre), post: changed(input.post, bodies.post) };
    const timeout = input.timeout_seconds ?? before?.timeout_seconds ?? HOOK_TIMEOUT_SECONDS;
    let row: HooksRow | null = null;
    if (next.pre === undefined && next.post === undefined) await removeHooks(trx, hostId, groupId);
    else {
      row = {
        host_id: hostId,
        source_group_id: groupId,
        sealed: seal.seal(JSON.stringify(next), slotOf(hostId, groupId)),
        has_pre: next.pre === undefined ? 0 : 1,
        has_post: next.post === undefined ? 0 : 1,
        timeout_seconds: timeout,
        updated_at: clock.now(),
      };
      await writeHooks(trx, row);
    }
    const field = input.pre === undefined || input.pre === null ? "post" : "pre";
    refuseTooMuch(await agentHooks(trx, seal, hostId), field);
    await bumpConfigVersion(trx, hostId);
    await audit.record(trx, {
      actor,
      action: groupId === "" ? "host.default_hook_updated" : "source_group.hook_updated",
      target: { kind: "host", id: hostId, name: host.name },
      detail: {
        ...(group === undefined ? {} : { source_group: group.name }),
        pre: did(bodies.pre, next.pre),
        post: did(bodies.post, next.post),
        timeout_seconds: timeout,
      },
    });
    return row === null ? null : hooksView(row);
  });
  bus.publish("config.changed", { hostId });
  return view;
}

/** What a host's agent is told; undefined when there are none. @throws SealError */
export async function agentHooks(db: Database, seal: Seal, hostId: HostId): Promise<AgentConfig["hooks"]> {
  const rows = await readHooks(db, hostId);
  if (rows.size === 0) return undefined;
  const hooks = (row: HooksRow): Hooks => ({ ...open(seal, row), timeout_seconds: row.timeout_seconds });
  const own = rows.get("");
  return {
    ...(own === undefined ? {} : { host: hooks(own) }),
    groups: [...rows.values()].flatMap((row) =>
      row.source_group_id === "" ? [] : [{ source_group_id: row.source_group_id, hooks: hooks(row) }],
    ),
  };
}

export function hooksView(row: HooksRow): HooksView {
  return {
    has_pre: row.has_pre === 1,
    has_post: row.has_post === 1,
    timeout_seconds: row.timeout_seconds,
    updated_at: instant(row.updated_at),
  };
}

/** A host's default hooks as they may be shown. */
export async function defaultHooks(db: Database | Trx, hostId: HostId): Promise<HooksView | null> {
  const row = (await readHooks(db, hostId)).get("");
  return row === undefined ? null : hooksView(row);
}

function open(seal: Seal, row: HooksRow): Bodies {
  return Sealed.parse(JSON.parse(seal.open(row.sealed, slotOf(row.host_id, row.source_group_id))));
}

/** Binds hooks to their row. */
function slotOf(hostId: HostId, groupId: SourceGroupId | ""): string {
  return `host:${hostId}:hooks:${groupId === "" ? "default" : groupId}`;
}

function changed(given: string | null | undefined, kept: string | undefined): string | undefined {
  return given === undefined ? kept : (given ?? undefined);
}

function did(before: string | undefined, after: string | undefined): string {
  if (before === after) return before === undefined ? "none" : "kept";
  return after === undefined ? "removed" : "changed";
}

function refuseTooMuch(hooks: AgentConfig["hooks"], field: string): void {
  if (Buffer.byteLength(JSON.stringify(hooks ?? {})) <= HOOKS_BYTES) return;
  const words = "the hooks of one host may have 256 KiB in all: put them into a script on the machine";
  throw new ApiProblem("validation_failed", `${field}: ${words}`, { fields: { [field]: words } });
}
