import { expect, test } from "bun:test";
import fc from "fast-check";
import { repositoryServer, splitRepositoryUrl } from "./repository-url.ts";

test.each([
  ["rest:https://vault:8000/a/", { url: "rest:https://vault:8000/a/" }],
  [
    "rest:https://ada:se%40cret@vault/a/",
    { url: "rest:https://vault/a/", username: "ada", password: "se@cret" },
  ],
  ["rest:http://ada@vault/", { url: "rest:http://vault/", username: "ada" }],
  ["rest:http://ada:100%@vault/", { url: "rest:http://vault/", username: "ada", password: "100%" }],
  ["rest:https://a:b@c@vault/", { url: "rest:https://vault/", username: "a", password: "b@c" }],
  ["rest:https://vault/a@b/", { url: "rest:https://vault/a@b/" }],
  ["sftp:ada@vault:/srv/a", { url: "sftp:ada@vault:/srv/a" }],
  ["/srv/a@b", { url: "/srv/a@b" }],
])("%s is split", (url, parts) => {
  expect(splitRepositoryUrl(url)).toEqual(parts);
});

test.each([
  ["rest:https://ada:x@Vault:8000/a/", "rest:https://vault:8000"],
  ["rest:https://vault:8000", "rest:https://vault:8000"],
  ["sftp:ada@vault:/srv/a", "sftp:ada@vault"],
  ["sftp://ada@vault//srv/a", "sftp:ada@vault"],
  ["/srv/a", null],
])("%s lies on %s", (url, server) => {
  expect(repositoryServer(url)).toBe(server);
});

test("whatever account is written into an address comes out whole and leaves nothing behind", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (username, password) => {
      fc.pre(username.isWellFormed() && password.isWellFormed());
      const account = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
      expect(splitRepositoryUrl(`rest:https://${account}@vault/a/`)).toEqual({
        url: "rest:https://vault/a/",
        username,
        password,
      });
    }),
  );
});
