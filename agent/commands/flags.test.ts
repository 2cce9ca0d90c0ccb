import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseFlags } from "./flags.ts";

const KNOWN = {
  server: { value: "URL", summary: "" },
  token: { value: "TOKEN", summary: "" },
  force: { summary: "" },
};
const parse = (...argv: string[]) => parseFlags("enroll", KNOWN, argv);

test("reads values after a space or an equals sign, and switches; the last one counts", () => {
  expect(parse("--server", "https://a", "--force", "--token=b=c")).toEqual({
    server: "https://a",
    force: true,
    token: "b=c",
  });
  expect(parse("--token", "a", "--token", "-b")).toEqual({ token: "-b" });
  expect(parse()).toEqual({});
});

test.each([
  [["--tokn", "x"], "does not know the flag --tokn"],
  [["--toString"], "does not know the flag --toString"],
  [["--__proto__=x"], "does not know the flag --__proto__"],
  [["--token"], "--token needs a value"],
  [["--token="], "--token needs a value"],
  [["--token", "--force"], "--token needs a value"],
  [["--force=yes"], "--force takes no value"],
  [["x"], "flags only"],
  [["--"], "flags only"],
])("%j is refused in a sentence", (argv, words) => {
  expect(parse(...argv)).toContain(words);
});

test("-h asks for help where there is help", () => {
  expect(parseFlags("run", { help: { summary: "" } }, ["-h"])).toEqual({ help: true });
});

test("whatever is typed, the answer is values of known flags or a sentence without any of the values", () => {
  const word = fc.oneof(
    fc.constantFrom("--server", "--token", "--force", "--server=", "--"),
    fc.string({ minLength: 1 }).map((text) => `--token=${text}`),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
      const answer = parse(...argv);
      if (typeof answer === "string") expect(answer).toEndWith(".");
      else expect(Object.keys(answer).filter((key) => !Object.hasOwn(KNOWN, key))).toEqual([]);
    }),
  );
});
