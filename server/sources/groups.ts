import { z } from "zod";
import {
  RetentionPolicy,
  RETRY_BACKOFF_SECONDS,
  RETRY_MAX,
  type SourceGroup,
} from "@restic-manager/protocol/api/sources";
import { SourceGroupId, type HostId } from "@restic-manager/protocol/ids";
import type { Trx } from "../platform/db/schema.ts";
import { changedOf } from "../platform/http/two-editors.ts";
import type { Ids } from "../platform/ids.ts";
import { defaultSources, type Sources } from "./default-sources.ts";
import { hooksView } from "./hooks.ts";
import { insertSourceGroup, type HooksRow, type NewSourceGroupRow, type SourceGroupRow } from "./store.ts";

/** The name of the group every host begins with; also the tag of its snapshots. */
export const FIRST_GROUP = "default";

/** What an operator said when adding the machine; null leaves it to the machine's system. */
export interface WishedSources {
  includes: string[] | null;
  excludes: string[] | null;
}

/**
 * Gives a new host its first source group. Excludes that were left out are the system's only with the system's own
 * includes: whoever says what to back up means just that.
 *
 * @param os what the agent said: `linux`, `windows`, …
 */
export async function seedSourceGroup(
  trx: Trx,
  ids: Ids,
  host: { id: HostId; os: string },
  wished: WishedSources,
  now: number,
): Promise<SourceGroup> {
  const sources = wishedOrDefault(host.os, wished);
  const row: NewSourceGroupRow = {
    id: ids.mint(SourceGroupId),
    host_id: host.id,
    name: FIRST_GROUP,
    includes: JSON.stringify(sources.includes),
    excludes: JSON.stringify(sources.excludes),
    retention_policy: "{}",
    retry_max: RETRY_MAX,
    retry_backoff_seconds: RETRY_BACKOFF_SECONDS,
    created_at: now,
  };
  return sourceGroupView(await insertSourceGroup(trx, row));
}

/** @param hooks the group's own, if it has any. */
export function sourceGroupView(row: SourceGroupRow, hooks?: HooksRow): SourceGroup {
  return {
    id: row.id,
    name: row.name,
    includes: paths(row.includes),
    excludes: paths(row.excludes),
    retention_policy: RetentionPolicy.parse(JSON.parse(row.retention_policy)),
    retry_max: row.retry_max,
    retry_backoff_seconds: row.retry_backoff_seconds,
    hooks: hooks === undefined ? null : hooksView(hooks),
    version: row.version,
    changed: changedOf(row),
  };
}

function wishedOrDefault(os: string, { includes, excludes }: WishedSources): Sources {
  if (includes !== null) return { includes, excludes: excludes ?? [] };
  const usual = defaultSources(os);
  return excludes === null ? usual : { ...usual, excludes };
}

function paths(json: string): string[] {
  return z.array(z.string()).parse(JSON.parse(json));
}
