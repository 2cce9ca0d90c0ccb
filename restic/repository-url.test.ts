import { expect, test } from "bun:test";
import { checkRepositoryUrl, repositoryAddress, splitRepositoryUrl } from "./repository-url.ts";

test.each([
  ["rest:https://backup.example:8000/host1/", "rest"],
  ["rest:http://127.0.0.1:8000/", "rest"],
  ["rest:https://[::1]:8000/x", "rest"],
  ["rest:https://backup.example", "rest"],
  ["sftp:backup@nas:/srv/repo", "sftp"],
  ["sftp://backup@nas:2222//srv/repo", "sftp"],
  ["sftp:nas:repo", "sftp"],
  ["/srv/repo with spaces", "local"],
  ["C:\\backup", "local"],
])("%s is accepted as %s", (url, kind) => {
  expect(checkRepositoryUrl(url)).toEqual({ state: "ok", url, kind: kind as "rest" });
});

test.each([
  ["", "empty"],
  ["/srv/repo\n--option", "control_character"],
  ["rest:https://host/\u0000", "control_character"],
  ["-o", "leading_dash"],
  ["--password-command=id", "leading_dash"],
  ["rest:https://user:pass@host/", "credentials_in_url"],
  ["rest:https://user@host/", "credentials_in_url"],
  ["rest:https://:@host/", "credentials_in_url"],
  ["sftp://user:pass@host/srv", "credentials_in_url"],
  ["rest:https:///path", "bad_host"],
  ["rest:https://-oProxy/", "bad_host"],
  ["rest:https://a b/", "bad_host"],
  ["sftp:-oProxyCommand=id:/x", "bad_host"],
  ["sftp:user@-oProxyCommand=id:/x", "bad_host"],
  ["sftp://-oProxyCommand=id/x", "bad_host"],
  ["sftp:-l@host:/x", "bad_host"],
  ["rest:ftp://host/", "bad_url"],
  ["rest:host", "bad_url"],
  ["rest:https://host/a?b", "bad_url"],
  ["rest:https://host/a@b", "bad_url"],
  ["sftp:nothing", "bad_url"],
  ["s3:https://s3.example/bucket", "unsupported"],
  ["rclone:remote:path", "unsupported"],
  ["local:/srv", "unsupported"],
  ["srv/repo", "relative_path"],
])("%j is refused as %s", (url, reason) => {
  expect(checkRepositoryUrl(url)).toMatchObject({ state: "refused", reason: reason as "empty" });
});

test("user and password leave the URL and are decoded", () => {
  const split = splitRepositoryUrl("rest:https://ag%40ent:p%3Aa%2Fss@host:8000/x/");
  expect(split.url).toBe("rest:https://host:8000/x/");
  expect(split.username).toBe("ag@ent");
  expect(split.password?.reveal()).toBe("p:a/ss");
  expect(checkRepositoryUrl(split.url).state).toBe("ok");
});

test("a password with an unescaped @ leaves nothing behind in the URL", () => {
  const split = splitRepositoryUrl("rest:https://u:p@ss@host/x");
  expect(split.url).toBe("rest:https://host/x");
  expect(split.password?.reveal()).toBe("p@ss");
});

test("URLs without credentials come back unchanged", () => {
  for (const url of ["rest:https://host/x", "/srv/repo", "sftp:user@host:/x"]) {
    expect(splitRepositoryUrl(url)).toEqual({ url });
  }
});

test("the address in a message never shows a user", () => {
  expect(repositoryAddress("rest:https://u:p@host:8000/x")).toBe("host:8000");
  expect(repositoryAddress("sftp:me@nas:/x")).toBe("nas");
  expect(repositoryAddress("/srv/repo")).toBe("/srv/repo");
});
