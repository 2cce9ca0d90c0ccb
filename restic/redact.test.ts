import { expect, test } from "bun:test";
import fc from "fast-check";
import { redactor, redactorFor } from "./redact.ts";
import { Secret } from "./secret.ts";

const redact = redactorFor({
  url: "rest:https://host/x",
  username: "agent1",
  password: new Secret("p@ss w/rd<>"),
  repositoryPassword: new Secret("repo.pass*"),
});

test.each([
  ["password p@ss w/rd<> was refused", "password [secret] was refused"],
  ["Head https://agent1:p%40ss%20w%2Frd%3C%3E@host/x", "Head https://[secret]@host/x"],
  ["p%40ss%20w%2Frd%3C%3E", "[secret]"],
  ['{"m":"p@ss w/rd\\u003c\\u003e"}', '{"m":"[secret]"}'],
  [`Authorization: Basic ${btoa("agent1:p@ss w/rd<>")}`, "Authorization: Basic [secret]"],
  ["repo.pass* and repoXpass", "[secret] and repoXpass"],
  ["proxy http://me:other@proxy:3128 failed", "proxy http://[secret]@proxy:3128 failed"],
  ['Head "http://:***@127.0.0.1:9/x/config"', 'Head "http://:***@127.0.0.1:9/x/config"'],
  ["nothing to hide: https://host/x", "nothing to hide: https://host/x"],
])("%s", (text, expected) => {
  expect(redact(text)).toBe(expected);
});

test("no secret survives, whatever it is and wherever it stands", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 9, unit: "binary" }),
      fc.string(),
      fc.string(),
      (secret, before, after) => {
        const clean = redactor([new Secret(secret)]);
        expect(clean(before + secret + after)).not.toContain(secret);
        expect(clean(before + encodeURIComponent(secret.toWellFormed()) + after)).not.toContain(
          encodeURIComponent(secret.toWellFormed()),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test("an empty secret hides nothing", () => {
  expect(redactor([new Secret("")])("some text")).toBe("some text");
});

test("a line that a hostile server makes up of a million colons or letters is still read at once", () => {
  const clean = redactor([new Secret("correct horse")]);
  for (const hostile of [
    `x://${":".repeat(1_000_000)}`,
    `${"a".repeat(1_000_000)} ://`,
    "x://:".repeat(200_000),
  ])
    expect(clean(`${hostile} rest:https://me:pw@host/ correct horse`)).toEndWith(
      " rest:https://[secret]@host/ [secret]",
    );
});
