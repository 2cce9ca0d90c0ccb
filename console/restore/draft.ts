import type { RestoreRequest } from "@restic-manager/protocol/api/restore";
import type { ResticId } from "@restic-manager/protocol/ids";
import type { OverwriteMode } from "@restic-manager/protocol/jobs/restore";
import type { z } from "zod";
import type { Picks } from "./picks.ts";

/** What is answered so far, besides the files. */
export interface Draft {
  target: "folder" | "in_place";
  /** Of a new folder; empty: the agent's own choice. */
  folder: string;
  overwrite: OverwriteMode;
  delete: boolean;
  verify: boolean;
  sparse: boolean;
}

export const FIRST_DRAFT: Draft = {
  target: "folder",
  folder: "",
  overwrite: "if-changed",
  delete: false,
  verify: false,
  sparse: false,
};

/** Where a restore goes that names no folder. */
export const USUAL_FOLDER = "/var/restic-restore/";

export const OVERWRITE_WORDS: Record<OverwriteMode, { title: string; note: string }> = {
  "if-changed": {
    title: "Overwrite if changed",
    note: "Files whose size or time differs are written again.",
  },
  always: {
    title: "Overwrite always",
    note: "Every file is compared by its contents; what differs is written.",
  },
  "if-newer": { title: "Only over older files", note: "A file that is newer on the host stays." },
  never: { title: "Keep what is there", note: "Only files that are missing are written." },
};

/** What is wrong with a folder, or null. The agent has the last word: only it knows where it may write. */
export function folderProblem(folder: string): string | null {
  if (folder === "") return null;
  if (!folder.startsWith("/") && !/^[A-Za-z]:[\\/]/.test(folder))
    return "Write the whole path: it begins with / (on Windows with a drive)";
  if (folder.split(/[\\/]/).includes("..")) return "Write the path without ..: where that leads is not plain";
  if (folder.replaceAll("/", "") === "")
    return "Name a folder; to bring files back to where they were, choose In place";
  return null;
}

interface Asked {
  snapshotId: ResticId;
  picks: Picks;
  draft: Draft;
  dryRun?: boolean;
  /** What was typed. */
  confirmHost?: string;
  confirmDelete?: string;
  wait?: boolean;
}

/** The request that says what was answered. A new folder has nothing to overwrite or delete. */
export function requestOf(asked: Asked): z.input<typeof RestoreRequest> {
  const { draft, dryRun = false } = asked;
  const inPlace = draft.target === "in_place";
  const folder = draft.folder.trim();
  return {
    snapshot_id: asked.snapshotId,
    paths: [...asked.picks.chosen.keys()],
    target: inPlace ? { kind: "in_place" } : { kind: "folder", ...(folder === "" ? {} : { path: folder }) },
    overwrite: inPlace ? draft.overwrite : "always",
    delete: inPlace && draft.delete,
    dry_run: dryRun,
    verify: draft.verify && !dryRun,
    sparse: draft.sparse,
    ...(asked.confirmHost === undefined ? {} : { confirm_host: asked.confirmHost }),
    ...(asked.confirmDelete === undefined ? {} : { confirm_delete: asked.confirmDelete }),
    when_offline: asked.wait === true ? "wait" : "refuse",
  };
}
