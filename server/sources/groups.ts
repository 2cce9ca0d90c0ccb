import { z } from "zod";
import type { SourceGroup } from "@restic-manager/protocol/api/sources";
import { SourceGroupId, type HostId } from "@restic-manager/protocol/ids";
import type { Trx } from "../platform/db/schema.ts";
import type { Ids } from "../platform/ids.ts";
import { defaultSources, type Sources } from "./default-sources.ts";
import { insertSourceGroup, type SourceGroupRow } from "./store.ts";

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
  const group = { id: ids.mint(SourceGroupId), name: FIRST_GROUP, ...sources };
  await insertSourceGroup(trx, {
    id: group.id,
    host_id: host.id,
    name: group.name,
    includes: JSON.stringify(group.includes),
    excludes: JSON.stringify(group.excludes),
    created_at: now,
  });
  return group;
}

export function sourceGroupView(row: SourceGroupRow): SourceGroup {
  return { id: row.id, name: row.name, includes: paths(row.includes), excludes: paths(row.excludes) };
}

function wishedOrDefault(os: string, { includes, excludes }: WishedSources): Sources {
  if (includes !== null) return { includes, excludes: excludes ?? [] };
  const usual = defaultSources(os);
  return excludes === null ? usual : { ...usual, excludes };
}

function paths(json: string): string[] {
  return z.array(z.string()).parse(JSON.parse(json));
}
