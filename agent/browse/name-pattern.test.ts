import { expect, test } from "bun:test";
import fc from "fast-check";
import { fold, namePattern } from "./name-pattern.ts";

/** As a chunk is looked through: names of a folder, or folders and names. */
const found = (query: string, text: string) => {
  const { expression, folder, wholePath } = namePattern(query);
  const isAll = (what: RegExp, part: string) => `\0${part}\0`.match(what)?.[0] === `\0${part}`;
  const folded = fold(text);
  if (!wholePath || folder === undefined) return isAll(expression, folded);
  const slash = folded.lastIndexOf("/");
  return isAll(folder, folded.slice(0, slash) || "/") && isAll(expression, folded.slice(slash + 1));
};

test("words are found anywhere in a name, in upper or lower case", () => {
  expect(found("Report", "my-report.PDF")).toBeTrue();
  expect(found("report", "rapport")).toBeFalse();
  expect(found("ΟΔΟΣ", "οδοσμα")).toBeTrue();
  expect(found("οδος", "ΟΔΟΣ.txt")).toBeTrue();
});

test("a pattern is the whole name; in a path one star stops at slashes", () => {
  expect(found("*.pdf", "a.pdf")).toBeTrue();
  expect(found("*.pdf", "a.pdf.zip")).toBeFalse();
  expect(found("a?c", "abc")).toBeTrue();
  expect(found("a?c", "ac")).toBeFalse();
  expect(found("etc/*.conf", "/srv/etc/a.conf")).toBeTrue();
  expect(found("etc/*.conf", "/srv/etc/b/a.conf")).toBeFalse();
  expect(found("/etc/**.conf", "/etc/b/a.conf")).toBeTrue();
  expect(found("new\nline*", "new\nline and more")).toBeTrue();
});

test("a pattern made to be slow is not", () => {
  expect(found("*a".repeat(200) + "b", "a".repeat(255))).toBeFalse();
  expect(found("/" + "**a*a".repeat(100) + "b", "/" + "a".repeat(4_000))).toBeFalse();
});

/** The same in a regular expression, which is exact and may be slow. */
function expressionOf(pattern: string): RegExp {
  const anchored = pattern.includes("/") && !pattern.startsWith("/") ? `**/${pattern}` : pattern;
  const source = anchored.replaceAll(/\*+|[^*]/gsu, (token) => {
    if (token === "?") return "[^/]";
    if (token.startsWith("*")) return token.length > 1 ? ".*" : "[^/]*";
    return RegExp.escape(token);
  });
  return new RegExp(`^${source}$`, "su");
}

test("any pattern means what its regular expression means", () => {
  const character = fc.constantFrom("a", "b", "/", ".", "\u{1f600}");
  const pattern = fc
    .string({ unit: fc.oneof(character, fc.constantFrom("*", "**", "?")), maxLength: 9 })
    .filter((query) => /[*?]/.test(query));
  const text = fc.string({ unit: character, maxLength: 12 });
  fc.assert(
    fc.property(pattern, text, (query, rest) => {
      // A path begins with a slash, and a name has none.
      const parts = ["a", ...rest.split("/")].filter((part) => part !== "");
      const path = query.includes("/")
        ? `/${parts.slice(rest.length % 2).join("/") || "a"}`
        : rest.replaceAll("/", "");
      const pair = [query, path];
      expect([...pair, found(query, path)]).toEqual([...pair, expressionOf(query).test(path)]);
      if (found(query, path)) expect(path).toInclude(namePattern(query).literal);
    }),
    { numRuns: 5_000 },
  );
});
