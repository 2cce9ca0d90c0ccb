import { z } from "zod";
import { ResticId } from "../ids.ts";
import { OverwriteMode, restore, RESTORE_PATHS, TargetFolder } from "../jobs/restore.ts";
import { SnapshotPath } from "../tree.ts";
import { Job } from "./jobs.ts";

/**
 * `POST /hosts/{id}/restore`, answered by `CreatedJob`. What writes over or deletes files is typed twice: in place needs the host's name
 * in `confirm_host`, `delete` needs it in `confirm_delete` too. A dry run writes nothing and needs neither.
 */
export const RestoreRequest = z.strictObject({
  snapshot_id: ResticId,
  /** Files and folders mixed; `/` is everything. One below another is left out. */
  paths: z.array(SnapshotPath).min(1).max(RESTORE_PATHS),
  target: z
    .discriminatedUnion("kind", [
      /** Without `path` it is `/var/restic-restore/<job-id>`. */
      z.strictObject({ kind: z.literal("folder"), path: TargetFolder.optional() }),
      z.strictObject({ kind: z.literal("in_place") }),
    ])
    .default({ kind: "folder" }),
  overwrite: OverwriteMode.default("always"),
  delete: z.boolean().default(false),
  dry_run: z.boolean().default(false),
  verify: z.boolean().default(false),
  sparse: z.boolean().default(false),
  confirm_host: z.string().max(253).optional(),
  confirm_delete: z.string().max(253).optional(),
  /** What to do when the machine is not connected: let the job wait for it, or answer `host_offline`. */
  when_offline: z.enum(["wait", "refuse"]).default("refuse"),
});
export type RestoreRequest = z.infer<typeof RestoreRequest>;

/** A restore together with what was asked of it. */
export const Restore = z.object({ job: Job, request: restore.input });
export type Restore = z.infer<typeof Restore>;

/** `GET /hosts/{id}/restore`: newest first, dry runs only when asked for. */
export const RestoresQuery = z.strictObject({
  dry_runs: z.enum(["include", "omit"]).default("omit"),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});
export const Restores = z.object({ items: z.array(Restore) });
export type Restores = z.infer<typeof Restores>;

/**
 * `GET /hosts/{id}/snapshots/{sid}/download`: a file as it is, or a folder as an archive, straight to the browser. Give the link to the
 * browser (`<a download>`); a download that fails on its way breaks off, so that the browser does not take a part for the whole.
 */
export const DownloadQuery = z.strictObject({
  path: SnapshotPath,
  /** `file` for a file, either of the others for a folder. Only the name of what is saved follows from it when it is wrong. */
  as: z.enum(["file", "tar", "zip"]).default("file"),
});
