import type { JobKind } from "@restic-manager/protocol/jobs";

/** What a machine does while a job of that kind runs. */
export const doingWords: Record<JobKind, string> = {
  init: "Opening the repository",
  backup: "Backing up",
  forget: "Forgetting snapshots",
  prune: "Pruning the repository",
  check: "Checking the repository",
  unlock: "Unlocking the repository",
  restore: "Restoring",
  diff: "Comparing snapshots",
  tag: "Tagging snapshots",
  forget_snapshots: "Removing snapshots",
};
