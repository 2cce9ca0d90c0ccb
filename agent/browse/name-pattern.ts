/** What a search looks for, in texts that are folded. */
export interface NamePattern {
  /** A part that every match has in its name or in a folder's; may be empty. Cheap to look for in a whole list of names. */
  literal: string;
  /** True: the whole path is meant, not the name. */
  wholePath: boolean;
  /** With a whole path: which folders have matches, where that can be told; then `expression` is about names again. */
  folder: RegExp | undefined;
  /**
   * Matches a NUL and what follows it up to the next NUL, so that one call goes through a whole list: the agent interprets its own code
   * mostly, and a loop over a million names would take seconds. Takes time in proportion to a name, or to the square of a path.
   */
  expression: RegExp;
}

/** Upper and lower case are the same; of the small sigma there are two. A character stays one. */
export function fold(text: string): string {
  return text.replaceAll("İ", "i").toLowerCase().replaceAll("ς", "σ");
}

/**
 * `report` finds names that contain it; `*.pdf` and `a?c` are the whole name; with a slash it is the path (`etc/*.conf`), in which `*` stops at
 * slashes and `**` does not. Upper and lower case are the same.
 *
 * @param query without a NUL.
 */
export function namePattern(query: string): NamePattern {
  const text = fold(query);
  const wholePath = text.includes("/");
  const last = text.slice(text.lastIndexOf("/") + 1);
  const literal = last.split(/[*?]+/).reduce((best, part) => (part.length > best.length ? part : best), "");
  const pattern = /[*?]/.test(text) ? wholeText(text) : `**${text}**`;
  if (!wholePath) return { literal, wholePath, folder: undefined, expression: inLists(pattern, "(?!/)") };
  const slash = pattern.lastIndexOf("/");
  const name = pattern.slice(slash + 1);
  if (name.includes("**")) return { literal, wholePath, folder: undefined, expression: inLists(pattern, "") };
  // Without such a star the slash before a name is the pattern's last one, so folders and names can be looked for each by itself.
  const above = pattern.slice(0, slash);
  const root = inLists(above, "").test("\0\0") ? "/(?=\\0)|" : "";
  const folder = new RegExp(`\\0(?:${root}(?=/[^\\0])${sourceOf(above)})`, "gsu");
  return { literal, wholePath, folder, expression: inLists(name, "(?!/)") };
}

/** A folder stands in a list of names by its path, which begins with a slash. */
function inLists(pattern: string, condition: string): RegExp {
  return new RegExp(`\\0${condition}${sourceOf(pattern)}`, "gsu");
}

function wholeText(text: string): string {
  return text.includes("/") && !text.startsWith("/") ? `**/${text}` : text;
}

/**
 * The pattern as a regular expression that never tries again what it has matched: after a star the first place where the next part
 * stands is as good as any later one. Such a choice for good is written `(?=(…))\1`.
 */
function sourceOf(pattern: string): string {
  let groups = 0;
  const forGood = (made: () => string): string => {
    const group = ++groups;
    return `(?=(${made()}))\\${group}`;
  };
  const blocks = pattern.split(/\*{2,}/);
  const block = (text: string, isLast: boolean): string => {
    const parts = text.split("*").map(partOf);
    return parts
      .map((part, at) => {
        if (at === 0) return part;
        return isLast && at === parts.length - 1 ? `[^\\0/]*${part}` : forGood(() => `[^\\0/]*?${part}`);
      })
      .join("");
  };
  const whole = blocks.map((text, at) => {
    const isLast = at === blocks.length - 1;
    if (at === 0) return block(text, isLast);
    return isLast ? `[^\\0]*?${block(text, true)}` : forGood(() => `[^\\0]*?${block(text, false)}`);
  });
  return `${whole.join("")}(?=\\0)`;
}

/** What stands between two stars. */
function partOf(text: string): string {
  return text
    .split("?")
    .map((literal) => RegExp.escape(literal))
    .join("[^\\0/]");
}
