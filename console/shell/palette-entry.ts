import type { StateWord } from "../ui/state-words.ts";

/** Something the palette can go to. */
export interface PaletteEntry {
  id: string;
  group: "Hosts" | "Go to" | "Do";
  title: string;
  /** One quiet line below. */
  note?: string;
  mark?: Pick<StateWord, "state" | "icon">;
  /** Where it leads, or what it does. */
  to: string | (() => void);
}

/**
 * The entries that match, names before notes and beginnings before middles. Nothing typed matches everything, in the order
 * given.
 */
export function rankEntries(entries: readonly PaletteEntry[], typed: string): PaletteEntry[] {
  const wanted = typed.trim().toLowerCase();
  if (wanted === "") return [...entries];
  const ranked = entries.map((entry) => ({ entry, rank: rankOf(entry, wanted) }));
  return ranked
    .filter(({ rank }) => rank < NO_MATCH)
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ entry }) => entry);
}

const NO_MATCH = 4;

function rankOf(entry: PaletteEntry, wanted: string): number {
  const title = entry.title.toLowerCase();
  if (title.startsWith(wanted)) return 0;
  if (title.split(/[\s.\-_]+/).some((word) => word.startsWith(wanted))) return 1;
  if (title.includes(wanted)) return 2;
  return entry.note?.toLowerCase().includes(wanted) ? 3 : NO_MATCH;
}
