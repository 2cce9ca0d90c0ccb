import { expect, test } from "bun:test";
import { pickPassthrough, resticEnvironment } from "./environment.ts";
import { Secret } from "./secret.ts";

const access = {
  url: "rest:https://host/x/",
  username: "agent1",
  password: new Secret("http-pass"),
  repositoryPassword: new Secret("repo-pass"),
};

test("the environment is exactly the allow-list", () => {
  expect(resticEnvironment({ access, cacheDir: "/var/cache/rm", tmpDir: "/var/tmp/rm" })).toEqual({
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/var/cache/rm",
    TMPDIR: "/var/tmp/rm",
    RESTIC_CACHE_DIR: "/var/cache/rm",
    RESTIC_PROGRESS_FPS: "1",
    RESTIC_REPOSITORY: "rest:https://host/x/",
    RESTIC_PASSWORD: "repo-pass",
    RESTIC_REST_USERNAME: "agent1",
    RESTIC_REST_PASSWORD: "http-pass",
  });
});

test("without a repository no credential is set", () => {
  const environment = resticEnvironment({ cacheDir: "/c", tmpDir: "/t" });
  expect(
    Object.keys(environment)
      .filter((name) => /PASSWORD|REPOSITORY|REST/.test(name))
      .sort(),
  ).toEqual(["RESTIC_CACHE_DIR", "RESTIC_PROGRESS_FPS"]);
});

test("of a caller's environment only the listed names pass", () => {
  const caller = {
    HTTPS_PROXY: "http://proxy:3128",
    SSL_CERT_FILE: "/etc/ca.pem",
    SSH_AUTH_SOCK: "",
    LD_PRELOAD: "/tmp/evil.so",
    RESTIC_PASSWORD_COMMAND: "id",
    RM_TOKEN: "token",
    PATH: "/tmp/evil",
  };
  expect(pickPassthrough(caller)).toEqual({ HTTPS_PROXY: "http://proxy:3128", SSL_CERT_FILE: "/etc/ca.pem" });
  const environment = resticEnvironment({ cacheDir: "/c", tmpDir: "/t", passthrough: caller });
  expect(environment["HTTPS_PROXY"]).toBe("http://proxy:3128");
  expect(environment["PATH"]).not.toContain("evil");
  expect(environment["RESTIC_PASSWORD_COMMAND"]).toBeUndefined();
  expect(environment["LD_PRELOAD"]).toBeUndefined();
});

test("on Windows the system folder is found from SYSTEMROOT", () => {
  const environment = resticEnvironment({
    cacheDir: "c",
    tmpDir: "t",
    passthrough: { SYSTEMROOT: "C:\\Windows" },
  });
  expect(environment["PATH"]).toBe("C:\\Windows\\System32;C:\\Windows\\System32\\OpenSSH");
});
