import { z } from "zod";
import type { Hooks, ResticContext } from "../context.ts";
import { executeDocument } from "../document.ts";
import type { Outcome } from "../error.ts";

const count = z.number().int().nonnegative().catch(0);

/** What a backup counted, kept in the snapshot since restic 0.17. Sizes in bytes. */
export const snapshotSummary = z.object({
  backup_start: z.string(),
  backup_end: z.string(),
  files_new: count,
  files_changed: count,
  files_unmodified: count,
  dirs_new: count,
  dirs_changed: count,
  dirs_unmodified: count,
  data_blobs: count,
  tree_blobs: count,
  data_added: count,
  data_added_packed: count,
  total_files_processed: count,
  total_bytes_processed: count,
});

const strings = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);

export const snapshot = z.object({
  id: z.string().min(1),
  short_id: z.string(),
  time: z.string(),
  tree: z.string(),
  parent: z.string().optional(),
  original: z.string().optional(),
  hostname: z.string().default(""),
  username: z.string().default(""),
  uid: z.number().int().optional(),
  gid: z.number().int().optional(),
  paths: strings,
  excludes: strings,
  tags: strings,
  program_version: z.string().optional(),
  // Snapshots of older programs have none; a broken one must not hide the list.
  summary: snapshotSummary.optional().catch(undefined),
});
export type Snapshot = z.infer<typeof snapshot>;

export type SnapshotsInput = {
  /** Only this host's. */
  host?: string;
  /** Only those with this tag. */
  tag?: string;
  deadlineMs?: number;
};

/** A list of 1,000 snapshots takes 0.75 s locally; over a slow line each file is a request. */
const snapshotsDeadlineMs = 10 * 60_000;

export function snapshotsArgs({ host, tag }: SnapshotsInput): string[] {
  return [
    "snapshots",
    "--json",
    "--no-lock",
    ...(host === undefined ? [] : [`--host=${host}`]),
    ...(tag === undefined ? [] : [`--tag=${tag}`]),
  ];
}

/** The repository's snapshots, oldest first as restic gives them. */
export function snapshots(
  context: ResticContext,
  input: SnapshotsInput = {},
  hooks: Hooks = {},
): Promise<Outcome<Snapshot[]>> {
  const deadlineMs = input.deadlineMs ?? snapshotsDeadlineMs;
  const command = { args: snapshotsArgs(input), kind: "read" as const, deadlineMs };
  return executeDocument(context, command, z.array(snapshot), hooks);
}
