import type { BackupIssue } from "@restic-manager/protocol/jobs/backup";

/** Files that could not be read for one reason in one folder. */
export interface IssuePlace {
  /** The folder with its slash, or the one file's path. */
  where: string;
  why: string;
  files: number;
}

/** Issues by folder and reason, the most files first. */
export function issuePlaces(issues: readonly BackupIssue[]): IssuePlace[] {
  const groups = new Map<string, BackupIssue[]>();
  for (const issue of issues) {
    const key = `${folderOf(issue.path)}\n${reasonOf(issue)}`;
    groups.set(key, [...(groups.get(key) ?? []), issue]);
  }
  return [...groups.values()]
    .flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const where = group.length === 1 ? first.path : folderOf(first.path);
      return [{ where, why: reasonOf(first), files: group.length }];
    })
    .toSorted((a, b) => b.files - a.files || (a.where < b.where ? -1 : 1));
}

/** The folder that holds a path, with the slash or backslash at its end; the path itself when it names none. */
function folderOf(path: string): string {
  const cut = Math.max(path.lastIndexOf("/", path.length - 2), path.lastIndexOf("\\", path.length - 2));
  return cut < 0 ? path : path.slice(0, cut + 1);
}

/** What the system said, without the call and the path before it: `open /a: permission denied` is `Permission denied`. */
function reasonOf({ path, message }: BackupIssue): string {
  const after = path === "" ? -1 : message.lastIndexOf(path);
  const rest = after < 0 ? message : message.slice(after + path.length);
  const words = rest.replace(/^[\s:"')]+/, "").trim();
  const reason = words === "" ? message.trim() : words;
  return reason.charAt(0).toUpperCase() + reason.slice(1);
}
