import type { FileVersions, TreeFolder, TreeFound } from "@restic-manager/protocol/api/tree";
import type { ApiErrorCode } from "@restic-manager/protocol/api/errors";
import type { HostId, ResticId } from "@restic-manager/protocol/ids";
import type { TreeAnswer, TreeFailureCode } from "@restic-manager/protocol/tree";
import type { Questions } from "../link/questions.ts";
import type { Answered } from "../platform/bus.ts";
import { instant, type Clock } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import type { PageCache } from "./page-cache.ts";
import { readHostName, readSnapshot } from "./store.ts";

/** A folder or a search answers within this, or says that the index is still being made. */
const LOOK_MS = 30_000;
/** restic walks through every snapshot. */
const VERSIONS_MS = 5 * 60_000;
/** An index of a million entries takes some 20 seconds. */
const AGAIN_SECONDS = 2;

export interface BrowseParts {
  db: Database;
  clock: Clock;
  ask: Questions["ask"];
  kept: PageCache<TreeFolder>;
}

export interface Viewer {
  session: string;
  /** Aborts when they leave. */
  gone: AbortSignal;
}

interface Place {
  hostId: HostId;
  snapshotId: ResticId;
}

/**
 * A page of a folder in a snapshot. What the viewer saw within half an hour comes from memory: at once when it was whole, and otherwise when
 * the machine cannot be asked.
 *
 * @throws ApiProblem `not_found`, `host_offline` and what an agent may fail with.
 */
export async function folderPage(
  parts: BrowseParts,
  { hostId, snapshotId }: Place,
  query: { path: string; cursor?: string | undefined; limit: number; indexed: boolean },
  viewer: Viewer,
): Promise<TreeFolder> {
  const path = query.path.replace(/(?<=.)\/+$/, "");
  const from = Number(query.cursor ?? 0);
  const snapshot = await snapshotOf(parts, hostId, snapshotId);
  const key = { session: viewer.session, hostId, snapshotId, path, part: `${from}.${query.limit}` };
  const kept = parts.kept.get(key);
  if (kept?.indexed === true) return kept;
  const { limit, indexed } = query;
  const question = { type: "tree.list" as const, ...snapshot, path, from, limit, indexed };
  const answered = await parts.ask(hostId, question, { deadlineMs: LOOK_MS, cancel: viewer.gone });
  if (!answered.ok) {
    if (kept !== undefined) return { ...kept, source: "kept" };
    throw await unanswered(parts, hostId, answered.why, parts.kept.folders(key));
  }
  const { page } = expected(answered.answer, "tree.list.result");
  const folder: TreeFolder = {
    path,
    items: page.entries,
    total: page.total,
    next_cursor: page.next === null ? null : String(page.next),
    indexed: page.indexed,
    ...(page.snapshot === undefined ? {} : { snapshot: page.snapshot }),
    source: "agent",
    at: instant(parts.clock.now()),
  };
  parts.kept.set(key, folder);
  return folder;
}

/** Things by their name or path. @throws as {@link folderPage} does, and `snapshot_indexing`. */
export async function searchSnapshot(
  parts: BrowseParts,
  { hostId, snapshotId }: Place,
  { q, path, cursor, limit }: { q: string; path: string; cursor?: string | undefined; limit: number },
  viewer: Viewer,
): Promise<TreeFound> {
  const question = {
    type: "tree.search" as const,
    ...(await snapshotOf(parts, hostId, snapshotId)),
    query: q,
    below: path,
    ...(cursor === undefined ? {} : { cursor }),
    limit,
  };
  const answered = await parts.ask(hostId, question, { deadlineMs: LOOK_MS, cancel: viewer.gone });
  if (!answered.ok) throw await unanswered(parts, hostId, answered.why);
  const { page } = expected(answered.answer, "tree.search.result");
  return { items: page.entries, next_cursor: page.next };
}

/** A file in all of the host's snapshots. @throws as {@link folderPage} does. */
export async function fileVersions(
  parts: BrowseParts,
  hostId: HostId,
  path: string,
  viewer: Viewer,
): Promise<FileVersions> {
  if ((await readHostName(parts.db, hostId)) === undefined)
    throw new ApiProblem("not_found", "there is no such host");
  const question = { type: "tree.versions" as const, path };
  const answered = await parts.ask(hostId, question, { deadlineMs: VERSIONS_MS, cancel: viewer.gone });
  if (!answered.ok) throw await unanswered(parts, hostId, answered.why);
  const { versions, truncated } = expected(answered.answer, "tree.versions.result");
  return { items: versions, truncated };
}

async function snapshotOf({ db }: BrowseParts, hostId: HostId, snapshotId: ResticId) {
  const snapshot = await readSnapshot(db, hostId, snapshotId);
  if (snapshot === undefined) throw new ApiProblem("not_found", "this host has no such snapshot");
  return { snapshot_id: snapshotId, ...(snapshot.tree === undefined ? {} : { tree: snapshot.tree }) };
}

const CODES: Record<TreeFailureCode, ApiErrorCode> = {
  snapshot_missing: "not_found",
  path_missing: "not_found",
  indexing: "snapshot_indexing",
  too_large: "snapshot_too_large",
  busy: "agent_busy",
  timed_out: "agent_timeout",
  cancelled: "agent_timeout",
  failed: "agent_failed",
};

function expected<T extends TreeAnswer["type"]>(
  answer: TreeAnswer,
  type: T,
): Extract<TreeAnswer, { type: T }> {
  if (answer.type === "tree.failed") {
    const { code, message } = answer.error;
    const again = code === "indexing" || code === "busy" ? { retryAfterSeconds: AGAIN_SECONDS } : {};
    throw new ApiProblem(CODES[code], message, again);
  }
  // The link gives an answer to whoever asked, and an agent may still answer something else.
  if (answer.type !== type) throw new ApiProblem("agent_failed", "the agent answered another question");
  return answer as Extract<TreeAnswer, { type: T }>;
}

async function unanswered(
  { db }: BrowseParts,
  hostId: HostId,
  why: Extract<Answered, { ok: false }>["why"],
  folders?: string[],
): Promise<ApiProblem> {
  const name = (await readHostName(db, hostId)) ?? "this host";
  switch (why) {
    case "host_offline":
      return new ApiProblem("host_offline", `${name} is not connected`, {
        hint: "what is in its snapshots is read by its own agent: it can be looked at when the machine is back",
        ...(folders === undefined ? {} : { folders }),
      });
    case "agent_outdated":
      return new ApiProblem("agent_outdated", `the agent on ${name} cannot browse yet`, {
        hint: "update the agent",
      });
    case "agent_busy":
      return new ApiProblem("agent_busy", `${name} is answering too many questions at once`, {
        retryAfterSeconds: AGAIN_SECONDS,
      });
    case "timed_out":
    case "cancelled":
      return new ApiProblem("agent_timeout", `${name} did not answer in time`);
  }
}
