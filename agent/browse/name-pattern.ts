/** What a search looks for. Matching takes time in proportion to the name, whatever the pattern. */
export interface NamePattern {
  /** A part that every match's name has, in lower case; may be empty. Cheap to look for in a whole list of names. */
  literal: string;
  /** True: `matches` wants the whole path, not the name. */
  wholePath: boolean;
  /** @param text the name or path in lower case. */
  matches(text: string): boolean;
}

type Part = { kind: "text"; character: string } | { kind: "one" } | { kind: "some"; across: boolean };

/**
 * `report` finds names that contain it; `*.pdf` and `a?c` are the whole name; with a slash it is the path (`etc/*.conf`), in which `*` stops at
 * slashes and `**` does not. Upper and lower case are the same.
 */
export function namePattern(query: string): NamePattern {
  const text = query.toLowerCase();
  const wholePath = text.includes("/");
  const last = text.slice(text.lastIndexOf("/") + 1);
  if (!/[*?]/.test(text)) return { literal: last, wholePath, matches: (name) => name.includes(text) };
  const anchored = wholePath && !text.startsWith("/") ? `**/${text}` : text;
  const parts = partsOf(anchored);
  const literal = last.split(/[*?]+/).reduce((best, part) => (part.length > best.length ? part : best), "");
  return { literal, wholePath, matches: (name) => matchParts(parts, name) };
}

function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  for (const [token] of text.matchAll(/\*+|[^*]/gsu)) {
    if (token === "?") parts.push({ kind: "one" });
    else if (token.startsWith("*")) parts.push({ kind: "some", across: token.length > 1 });
    else parts.push({ kind: "text", character: token });
  }
  return parts;
}

/** All places in the pattern at which the text so far may stand, moved on with each character. */
function matchParts(parts: readonly Part[], text: string): boolean {
  let at = skipStars(parts, new Set([0]));
  for (const character of text) {
    const next = new Set<number>();
    for (const place of at) {
      const part = parts[place];
      if (part === undefined) continue;
      if (part.kind === "some" && (part.across || character !== "/")) next.add(place);
      if (part.kind === "one" && character !== "/") next.add(place + 1);
      if (part.kind === "text" && part.character === character) next.add(place + 1);
    }
    at = skipStars(parts, next);
    if (at.size === 0) return false;
  }
  return at.has(parts.length);
}

/** A star may stand for nothing. */
function skipStars(parts: readonly Part[], places: Set<number>): Set<number> {
  for (const place of places) if (parts[place]?.kind === "some") places.add(place + 1);
  return places;
}
