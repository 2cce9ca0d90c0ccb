import type { FieldChange } from "@restic-manager/protocol/api/templates";

/** What a thing says, field by field; null says nothing. */
export type Facts = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** Entries of a list that are shown of what goes, and of what comes. */
const MOST_LISTED = 50;

/**
 * The fields in which `after` differs from `before`. Of a list the entries that go and that come; one that is only in another order
 * is listed whole. A thing that is new has all that it says.
 */
export function fieldChanges(before: Facts | undefined, after: Facts): FieldChange[] {
  return Object.entries(after).flatMap(([field, value]) => {
    const [was, is] = [listOf(before?.[field] ?? null), listOf(value)];
    if (was.length === is.length && was.every((entry, at) => entry === is[at])) return [];
    const [old, fresh] = [new Set(was), new Set(is)];
    const minus = was.filter((entry) => !fresh.has(entry));
    const plus = is.filter((entry) => !old.has(entry));
    if (minus.length === 0 && plus.length === 0) return [change(field, was, is)];
    return [change(field, minus, plus)];
  });
}

function change(field: string, minus: readonly string[], plus: readonly string[]): FieldChange {
  const cut = (entries: readonly string[]) => Math.max(0, entries.length - MOST_LISTED);
  return {
    field,
    minus: minus.slice(0, MOST_LISTED),
    plus: plus.slice(0, MOST_LISTED),
    more: cut(minus) + cut(plus),
  };
}

function listOf(value: Facts[string]): readonly string[] {
  if (value === null) return [];
  return typeof value === "object" ? value : [String(value)];
}
