/** What a search looks for. Matching takes time in proportion to the name, whatever the pattern. */
export interface NamePattern {
  /** A part that every match's name has, folded; may be empty. Cheap to look for in a whole list of names. */
  literal: string;
  /** True: `matches` wants the whole path, not the name. */
  wholePath: boolean;
  /** @param text the name or path, folded. */
  matches(text: string): boolean;
}

type Part = { kind: "text"; character: string } | { kind: "one" } | { kind: "some"; across: boolean };

/** Upper and lower case are the same; of the small sigma there are two. */
export function fold(text: string): string {
  return text.toLowerCase().replaceAll("ς", "σ");
}

/**
 * `report` finds names that contain it; `*.pdf` and `a?c` are the whole name; with a slash it is the path (`etc/*.conf`), in which `*` stops at
 * slashes and `**` does not. Upper and lower case are the same.
 */
export function namePattern(query: string): NamePattern {
  const text = fold(query);
  const wholePath = text.includes("/");
  const last = text.slice(text.lastIndexOf("/") + 1);
  if (!/[*?]/.test(text)) return { literal: last, wholePath, matches: (name) => name.includes(text) };
  const anchored = wholePath && !text.startsWith("/") ? `**/${text}` : text;
  const literal = last.split(/[*?]+/).reduce((best, part) => (part.length > best.length ? part : best), "");
  const matches = matcherOf(partsOf(anchored));
  // Most names have not even that, and looking for it is much faster.
  return { literal, wholePath, matches: (name) => name.includes(literal) && matches(name) };
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

/** Keeps all places in the pattern at which the text so far may stand, and moves them on with each character. */
function matcherOf(parts: readonly Part[]): (text: string) => boolean {
  let at = new Uint8Array(parts.length + 1);
  let next = new Uint8Array(parts.length + 1);
  /** A star may stand for nothing. */
  const mark = (places: Uint8Array, place: number): void => {
    for (let to = place; places[to] === 0; to += 1) {
      places[to] = 1;
      if (parts[to]?.kind !== "some") return;
    }
  };
  return (text) => {
    at.fill(0);
    mark(at, 0);
    for (const character of text) {
      next.fill(0);
      for (const [place, part] of parts.entries()) {
        if (at[place] === 0) continue;
        if (part.kind === "some" && (part.across || character !== "/")) mark(next, place);
        if (part.kind === "one" && character !== "/") mark(next, place + 1);
        if (part.kind === "text" && part.character === character) mark(next, place + 1);
      }
      [at, next] = [next, at];
      if (!at.includes(1)) return false;
    }
    return at[parts.length] === 1;
  };
}
