import { expect, test } from "bun:test";
import { inspect } from "node:util";
import { Secret } from "./secret.ts";

test("a secret prints as [secret] wherever it is printed", () => {
  const secret = new Secret("hunter2");
  expect(["password", secret].join(" ")).toBe("password [secret]");
  expect(String(secret)).toBe("[secret]");
  expect(JSON.stringify({ password: secret })).toBe('{"password":"[secret]"}');
  expect(inspect(secret)).toBe("[secret]");
  expect(inspect({ deep: { password: secret } }, { showHidden: true, depth: 9 })).not.toContain("hunter2");
  expect(Bun.inspect({ password: secret })).not.toContain("hunter2");
  expect(Object.keys(secret)).toEqual([]);
});

test("a secret gives its value only when asked", () => {
  expect(new Secret("hunter2").reveal()).toBe("hunter2");
});
