import { z } from "zod";
import { ResticId } from "./ids.ts";

const count = z.int().nonnegative();
const bytes = z.number().nonnegative();
/** Absolute, as restic's JSON has it: each byte that is no UTF-8 is U+FFFD. */
export const SnapshotPath = z
  .string()
  .min(1)
  .max(16_384)
  .startsWith("/", "a path in a snapshot begins with /")
  .refine((path) => !path.includes("\0"), "a path holds no NUL");

/** Most entries of one page. */
export const TREE_PAGE = 1_000;
/** Most bytes of JSON that the entries of one answer take, so that it fits a frame of the link and a message between servers. */
export const TREE_ANSWER_BYTES = 512 * 1024;
/** Where a search goes on: a place in the agent's index, which is always made in the same order. */
export const SearchCursor = z.string().regex(/^\d{1,9}\.\d{1,9}$/, "belongs to another list");

const facts = {
  type: z.enum(["file", "dir", "symlink", "other"]).catch("other").meta({ type: "string" }),
  /** In bytes; zero for anything but a file. */
  size: bytes,
  /** As `chmod` takes them, up to 0o7777. */
  mode: count,
  /** Milliseconds since 1970. */
  mtime_ms: z.number(),
  uid: count,
  gid: count,
};
/** Of a folder: how many things lie below it at any depth, and their bytes. */
const below = z.object({ entries: count, bytes });

export const TreeEntry = z.object({
  name: z.string().max(16_384),
  ...facts,
  /** Of a folder, once the snapshot is indexed. */
  below: below.optional(),
});
export type TreeEntry = z.infer<typeof TreeEntry>;

/** A page of one folder: its folders first, then the rest, each by name. */
export const TreePage = z.object({
  entries: z.array(TreeEntry).max(TREE_PAGE),
  /** Things in the folder, on all pages. */
  total: count,
  /** Where the next page begins; null when this is the last. */
  next: count.nullable(),
  /** From the index, with sums of folders; false: while the index is made. */
  indexed: z.boolean(),
  /** Of the folder itself and the whole snapshot, once indexed. */
  snapshot: below.optional(),
});
export type TreePage = z.infer<typeof TreePage>;

export const FoundEntry = TreeEntry.extend({ path: z.string().max(32_768) });
export const FoundPage = z.object({
  entries: z.array(FoundEntry).max(TREE_PAGE),
  next: SearchCursor.nullable(),
});
export type FoundPage = z.infer<typeof FoundPage>;

/** A thing as it is in one snapshot. */
export const FileVersion = z.object({
  snapshot_id: ResticId,
  ...facts,
  link_target: z.string().max(16_384).optional(),
});
export type FileVersion = z.infer<typeof FileVersion>;
export const VERSIONS_LISTED = 1_000;

/** Part of a name, a pattern with `*` and `?` for a whole name, or either of a path when there is a slash. */
export const SearchQuery = z
  .string()
  .min(1)
  .max(1_024)
  .refine((query) => !query.includes("\0"), "a name holds no NUL");

const question = {
  /** Names the question in its answer; made anew for each. */
  request_id: z.string().min(1).max(64),
  /** Nobody waits longer. */
  deadline_ms: z.int().positive().max(600_000),
};
const inSnapshot = {
  ...question,
  snapshot_id: ResticId,
  /** The snapshot's tree. Snapshots with the same tree share an index. */
  tree: ResticId.optional(),
};

/** What the server asks about snapshots. May be lost, as may the answer: whoever asked has a deadline. */
export const TreeQuestion = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("tree.list"),
    ...inSnapshot,
    path: SnapshotPath,
    /** Waits for the index, for the sums of folders. */
    indexed: z.boolean().optional(),
    from: count,
    limit: z.int().positive().max(TREE_PAGE),
  }),
  z.object({
    type: z.literal("tree.search"),
    ...inSnapshot,
    query: SearchQuery,
    /** Only what lies below this folder. */
    below: SnapshotPath,
    cursor: SearchCursor.optional(),
    limit: z.int().positive().max(TREE_PAGE),
  }),
  z.object({ type: z.literal("tree.versions"), ...question, path: SnapshotPath }),
]);
export type TreeQuestion = z.infer<typeof TreeQuestion>;

export const TREE_FAILURES = [
  "snapshot_missing",
  "path_missing",
  /** The index is still being made, and only it could tell. */
  "indexing",
  /** The snapshot is too large to be indexed. */
  "too_large",
  "busy",
  "timed_out",
  "cancelled",
  "failed",
] as const;
export type TreeFailureCode = (typeof TREE_FAILURES)[number];

const request_id = question.request_id;
export const TreeAnswer = z.discriminatedUnion("type", [
  z.object({ type: z.literal("tree.list.result"), request_id, page: TreePage }),
  z.object({ type: z.literal("tree.search.result"), request_id, page: FoundPage }),
  z.object({
    type: z.literal("tree.versions.result"),
    request_id,
    versions: z.array(FileVersion).max(VERSIONS_LISTED),
    /** There are more. */
    truncated: z.boolean(),
  }),
  z.object({
    type: z.literal("tree.failed"),
    request_id,
    error: z.object({ code: z.enum(TREE_FAILURES).catch("failed"), message: z.string().max(8_192) }),
  }),
]);
export type TreeAnswer = z.infer<typeof TreeAnswer>;
