import type { Changed } from "@restic-manager/protocol/api/changed";
import { instant } from "../clock.ts";
import { ApiProblem } from "./problem.ts";

/** What rows that people edit carry. */
export interface EditedRow {
  version: number;
  changed_at: number | null;
  changed_by: string | null;
}

/** Who changed a row last; null while it is as it was made. */
export function changedOf({ changed_at, changed_by }: Omit<EditedRow, "version">): Changed | null {
  return changed_at === null ? null : { at: instant(changed_at), by: changed_by ?? "" };
}

/**
 * Refuses to overwrite what somebody else saved while this one was being edited.
 *
 * @param edited the version the caller began with; undefined compares nothing.
 * @throws ApiProblem `changed_meanwhile`, with the newest version and whose it is.
 */
export function refuseStale(what: string, row: EditedRow, edited: number | undefined): void {
  if (edited === undefined || edited === row.version) return;
  const changed = changedOf(row);
  const who = changed === null ? "somebody" : changed.by;
  throw new ApiProblem("changed_meanwhile", `${who} changed ${what} while you were editing it`, {
    hint: "look at theirs first; nothing was saved",
    newest: { version: row.version, changed },
  });
}
