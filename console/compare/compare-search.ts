import type { DiffKind } from "@restic-manager/protocol/jobs/diff";
import type { ChangeList } from "../queries.ts";

/** What a comparison's page says in its address. */
export interface CompareSearch {
  kind?: DiffKind;
  /** Part of a path. */
  q?: string;
  /** A folder: only what lies in it. */
  below?: string;
}

/** One that is missing here does not compile. */
const KINDS: Record<DiffKind, true> = {
  added: true,
  removed: true,
  modified: true,
  metadata: true,
  type_changed: true,
};
export const CHANGE_KINDS = Object.keys(KINDS) as readonly DiffKind[];

/** Reads the address; what it does not know it leaves out. */
export function readCompareSearch(raw: Record<string, unknown>): CompareSearch {
  const kind = CHANGE_KINDS.find((known) => known === raw["kind"]);
  const { q, below } = raw;
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(typeof q === "string" && q !== "" ? { q } : {}),
    ...(typeof below === "string" && below.startsWith("/") && below !== "/" ? { below } : {}),
  };
}

/** The address of a comparison's page with this search. */
export function compareHref(jobId: string, search: CompareSearch): string {
  const given = new URLSearchParams({ ...search }).toString();
  return `/jobs/${jobId}${given === "" ? "" : `?${given}`}`;
}

/** What the server is asked for; spaces around what was typed mean nothing. */
export function changeListOf({ q, ...rest }: CompareSearch): ChangeList {
  const part = q?.trim().slice(0, MOST_TYPED) ?? "";
  return part === "" ? rest : { ...rest, q: part };
}
/** The server looks for no longer part of a path. */
const MOST_TYPED = 1_024;
