import { z } from "zod";
import { Instant } from "../ids.ts";
import {
  FileVersion,
  FoundEntry,
  SearchCursor,
  SearchQuery,
  SnapshotPath,
  TREE_PAGE,
  TreeEntry,
  TreePage,
} from "../tree.ts";

const limit = z.coerce.number().int().min(1).max(TREE_PAGE).default(500);
const FolderCursor = z.string().regex(/^\d{1,9}$/, "belongs to another list");

/** `GET /hosts/{id}/snapshots/{sid}/tree` */
export const TreeQuery = z.strictObject({
  path: SnapshotPath.default("/"),
  cursor: FolderCursor.optional(),
  limit,
  /** `true` waits up to half a minute for the index, and is `snapshot_indexing` if that takes longer. */
  indexed: z.stringbool().default(false),
});
/** A page of a folder: its folders first, then the rest, each by name. */
export const TreeFolder = z.object({
  path: z.string(),
  items: z.array(TreeEntry),
  /** Things in the folder, on all pages. */
  total: z.int().nonnegative(),
  next_cursor: z.string().nullable(),
  /** False while the agent indexes the snapshot: folders have no `below` yet. Ask with `indexed=true` to get it. */
  indexed: z.boolean(),
  /** All there is in the snapshot, once indexed. */
  snapshot: TreePage.shape.snapshot,
  /** `kept`: the machine is away, and this is what was shown before. */
  source: z.enum(["agent", "kept"]),
  /** When the agent said it. What is in a snapshot never changes. */
  at: Instant,
});
export type TreeFolder = z.infer<typeof TreeFolder>;

/** `GET /hosts/{id}/snapshots/{sid}/search`: part of a name, `*` and `?` for a whole name, with a slash for paths. */
export const TreeSearchQuery = z.strictObject({
  q: SearchQuery,
  /** Only below this folder. */
  path: SnapshotPath.default("/"),
  cursor: SearchCursor.optional(),
  limit,
});
/** A page may be empty and not the last. */
export const TreeFound = z.object({ items: z.array(FoundEntry), next_cursor: z.string().nullable() });
export type TreeFound = z.infer<typeof TreeFound>;

/** `GET /hosts/{id}/versions`: a file in all snapshots of the host, in the repository's order. */
export const VersionsQuery = z.strictObject({ path: SnapshotPath });
export const FileVersions = z.object({ items: z.array(FileVersion), truncated: z.boolean() });
export type FileVersions = z.infer<typeof FileVersions>;
