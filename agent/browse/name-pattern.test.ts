import { expect, test } from "bun:test";
import { namePattern } from "./name-pattern.ts";

const found = (query: string, text: string) => namePattern(query).matches(text.toLowerCase());

test("words are found anywhere in a name, in upper or lower case", () => {
  expect(found("Report", "my-report.PDF")).toBeTrue();
  expect(found("report", "rapport")).toBeFalse();
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
});
