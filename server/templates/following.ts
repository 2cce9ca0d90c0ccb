import type {
  Following,
  PreviewTemplate,
  Template,
  TemplateChange,
  TemplateHosts,
  TemplatePreview,
} from "@restic-manager/protocol/api/templates";
import type { HostId, TemplateId } from "@restic-manager/protocol/ids";
import { instant } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { turn } from "../platform/turn.ts";
import { readHostNames } from "../sources/store.ts";
import { targetsOf } from "./apply.ts";
import { contentOf, existing } from "./change.ts";
import { readHostStates } from "./host-state.ts";
import { planFor, type HostState } from "./plan.ts";
import {
  originOf,
  readFollower,
  readFollowers,
  readTargets,
  readTemplate,
  readTemplates,
  type FollowerRow,
  type TemplateRow,
} from "./store.ts";

/** Hosts whose groups and schedules are compared before others have their turn. */
const HOSTS_AT_ONCE = 100;
const NOTHING: HostState = { groups: [], schedules: [], maintenance: null };

/** All templates with how many hosts follow each, and how many of those differ. */
export async function viewTemplates(db: Database): Promise<Template[]> {
  const views: Template[] = [];
  for (const row of await readTemplates(db)) views.push(await viewOf(db, row));
  return views;
}

/** @throws ApiProblem `not_found`. */
export async function viewTemplate(db: Database, id: TemplateId): Promise<Template> {
  return viewOf(db, existing(await readTemplate(db, id)));
}

/** Who follows a template; those that differ first, each part by name. */
export async function templateHosts(db: Database, id: TemplateId): Promise<TemplateHosts["items"]> {
  const template = existing(await readTemplate(db, id));
  const followers = await readFollowers(db, id);
  const drifts = await driftOf(db, template, followers);
  const names = new Map<HostId, string>();
  for (let from = 0; from < followers.length; from += HOSTS_AT_ONCE) {
    const some = followers.slice(from, from + HOSTS_AT_ONCE).map((row) => row.host_id);
    for (const { id: hostId, name } of await readHostNames(db, some)) names.set(hostId, name);
  }
  // One for all: `localeCompare` makes its rules anew for each pair, which is most of the time for 10,000 hosts.
  const inOrder = new Intl.Collator("en");
  return followers
    .map((row) => ({
      host: { id: row.host_id, name: names.get(row.host_id) ?? "" },
      version: row.version,
      applied_at: instant(row.applied_at),
      applied_by: row.applied_by,
      others: row.others,
      changes: drifts.get(row.host_id) ?? [],
    }))
    .toSorted(
      (a, b) =>
        Number(b.changes.length > 0) - Number(a.changes.length > 0) ||
        inOrder.compare(a.host.name, b.host.name),
    );
}

/** What a host follows, and how it differs from that; null when it follows nothing. */
export async function followingOf(db: Database, hostId: HostId): Promise<Following | null> {
  const [host] = await readHostNames(db, [hostId]);
  if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
  const follower = await readFollower(db, hostId);
  const row = follower && (await readTemplate(db, follower.template_id));
  if (follower === undefined || row === undefined) return null;
  const drift = await driftOf(db, row, [follower]);
  return {
    template: { id: row.id, name: row.name, version: row.version },
    version: follower.version,
    applied: { at: instant(follower.applied_at), by: follower.applied_by },
    others: follower.others,
    changes: drift.get(hostId) ?? [],
  };
}

/**
 * What applying a template would do, hosts alike together.
 *
 * @throws ApiProblem `not_found`.
 */
export async function previewTemplate(
  db: Database,
  id: TemplateId,
  wanted: PreviewTemplate,
): Promise<TemplatePreview> {
  const template = existing(await readTemplate(db, id));
  const content = contentOf(template);
  const names = new Map((await readTemplates(db)).map((row) => [row.id, row.name]));
  const alike = new Map<string, TemplatePreview["items"][number]>();
  const ids = await targetsOf(db, wanted);
  for (let from = 0; from < ids.length; from += HOSTS_AT_ONCE) {
    const hosts = await readTargets(db, ids.slice(from, from + HOSTS_AT_ONCE));
    const states = await readHostStates(
      db,
      hosts.map((host) => host.id),
    );
    for (const host of hosts) {
      const follower = await readFollower(db, host.id);
      const state = states.get(host.id) ?? NOTHING;
      const { changes, others } = planFor(content, state, originOf(follower), wanted.others);
      const key = JSON.stringify([changes, others]);
      const item = alike.get(key) ?? { hosts: [], changes, others };
      const other = follower !== undefined && follower.template_id !== id;
      const leaves = other ? (names.get(follower.template_id) ?? null) : null;
      item.hosts.push({ ...host, leaves });
      alike.set(key, item);
    }
    await turn();
  }
  const items = [...alike.values()].toSorted((a, b) => b.hosts.length - a.hosts.length);
  const inOrder = new Intl.Collator("en");
  for (const { hosts } of items) hosts.sort((a, b) => inOrder.compare(a.name, b.name));
  return { template_version: template.version, items };
}

async function viewOf(db: Database, row: TemplateRow): Promise<Template> {
  const followers = await readFollowers(db, row.id);
  const drifts = await driftOf(db, row, followers);
  return {
    id: row.id,
    name: row.name,
    content: contentOf(row),
    version: row.version,
    changed: { at: instant(row.changed_at), by: row.changed_by },
    hosts: { following: followers.length, differing: drifts.size },
  };
}

/** What applying the template again would do to those that follow it; hosts that have all of it are left out. */
async function driftOf(
  db: Database,
  template: TemplateRow,
  followers: readonly FollowerRow[],
): Promise<Map<HostId, TemplateChange[]>> {
  const content = contentOf(template);
  const found = new Map<HostId, TemplateChange[]>();
  for (let from = 0; from < followers.length; from += HOSTS_AT_ONCE) {
    const some = followers.slice(from, from + HOSTS_AT_ONCE);
    const states = await readHostStates(
      db,
      some.map((row) => row.host_id),
    );
    for (const row of some) {
      const state = states.get(row.host_id) ?? NOTHING;
      const { changes } = planFor(content, state, originOf(row), row.others);
      if (changes.length > 0) found.set(row.host_id, changes);
    }
    if (followers.length > HOSTS_AT_ONCE) await turn();
  }
  return found;
}
