import { expect, test } from "bun:test";
import type { RepoCredentialsInput } from "@restic-manager/protocol/api/repository";
import { createSeal } from "../platform/seal.ts";
import { newHostId } from "../testing/rows.ts";
import { credentialsView, mergeCredentials, openCredentials, sealCredentials } from "./credentials.ts";

const stored = { url: "rest:https://vault/a/", username: "a", password: "http", repository_password: "repo" };
const folder = { url: "/srv/repo", repository_password: "repo" };
const seal = createSeal([{ id: "00000000", bytes: Buffer.alloc(32, 7) }]);

test.each<[string, RepoCredentialsInput, typeof stored | typeof folder | null, object]>([
  ["what is left out stays", { url: stored.url }, stored, stored],
  [
    "a new repository password alone",
    { url: stored.url, repository_password: "new" },
    stored,
    { ...stored, repository_password: "new" },
  ],
  [
    "a path on the same server keeps the password",
    { url: "rest:https://vault/b/" },
    stored,
    { ...stored, url: "rest:https://vault/b/" },
  ],
  [
    "the same account with a new password",
    { url: stored.url, password: "new" },
    stored,
    { ...stored, password: "new" },
  ],
  [
    "another account with its password",
    { url: stored.url, username: "b", password: "b" },
    stored,
    { ...stored, username: "b", password: "b" },
  ],
  [
    "an empty name takes the account away",
    { url: stored.url, username: "" },
    stored,
    { url: stored.url, repository_password: "repo" },
  ],
  ["a folder has no account, and keeps the repository's password", { url: "/srv/repo" }, stored, folder],
  [
    "an account in the address is the account",
    { url: "rest:https://b:pw@vault/a/" },
    stored,
    { ...stored, username: "b", password: "pw" },
  ],
  ["the first credentials", { url: "/srv/repo", repository_password: "repo" }, null, folder],
])("%s", (_name, input, before, after) => {
  expect(mergeCredentials(input, before)).toEqual({ ok: true, credentials: after as never });
});

test.each<[string, RepoCredentialsInput, typeof stored | null, string]>([
  ["another server is not sent the old password", { url: "rest:https://evil/a/" }, stored, "password"],
  ["nor is the same server without TLS", { url: "rest:http://vault/a/" }, stored, "password"],
  ["nor another port", { url: "rest:https://vault:8000/a/" }, stored, "password"],
  ["nor another account", { url: stored.url, username: "b" }, stored, "password"],
  [
    "a new account needs a password",
    { url: stored.url, username: "a", repository_password: "r" },
    null,
    "password",
  ],
  ["the repository needs a password", { url: "/srv/repo" }, null, "repository_password"],
  ["a folder has no account", { url: "/srv/repo", username: "a" }, stored, "username"],
  ["a password needs an account", { url: stored.url, username: "", password: "x" }, stored, "username"],
  ["two accounts", { url: "rest:https://b:pw@vault/a/", username: "c" }, stored, "username"],
])("refused: %s", (_name, input, before, field) => {
  const merged = mergeCredentials(input, before);
  expect(merged.ok ? {} : merged.fields).toHaveProperty(field);
});

test("credentials open on their own host's row only, and show no secret", () => {
  const [mine, other] = [newHostId(), newHostId()];
  const row = sealCredentials(seal, mine, stored, 0);
  expect(openCredentials(seal, row)).toEqual(stored);
  expect(() => openCredentials(seal, { ...row, host_id: other })).toThrow("belongs to another row");
  expect([row.sealed.includes("http"), row.has_password]).toEqual([false, 1]);
  expect(credentialsView(row)).toEqual({
    url: stored.url,
    username: "a",
    has_password: true,
    has_repository_password: true,
    updated_at: "1970-01-01T00:00:00.000Z",
  });
  expect(openCredentials(seal, sealCredentials(seal, mine, folder, 0))).toEqual(folder);
});
