import { describe, expect, test } from "bun:test";
import { ConfigError, readConfig } from "./config.ts";

const DAY_MS = 24 * 3600_000;
const MIB = 2 ** 20;

const wrong = (env: Record<string, string>) => {
  try {
    readConfig(env);
    return "";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
};

describe("the environment", () => {
  test("may be empty", () => {
    const { trustedProxies, ...config } = readConfig({ RM_BASE_URL: "  " });
    expect(config).toEqual({
      listen: { hostname: "127.0.0.1", port: 8080 },
      dataDir: "/var/lib/restic-manager",
      baseUrl: null,
      secretKeyFile: "/var/lib/restic-manager/secret.key",
      cookieSecure: true,
      databaseUrl: "sqlite:/var/lib/restic-manager/server.db",
      nats: null,
      tls: null,
      retention: {
        logsMs: 90 * DAY_MS,
        logBytesPerHost: 256 * MIB,
        logBytes: 10_240 * MIB,
        jobsMs: 400 * DAY_MS,
        auditMs: 730 * DAY_MS,
      },
    });
    expect(trustedProxies.trusts("127.0.0.1")).toBe(false);
  });

  test("says how long things are kept, in days, MiB, or for ever", () => {
    const { retention } = readConfig({
      RM_KEEP_LOGS_DAYS: "7",
      RM_KEEP_LOGS_MIB: "forever",
      RM_KEEP_LOGS_MIB_PER_HOST: "1",
      RM_KEEP_AUDIT_DAYS: "Forever",
    });
    expect(retention).toEqual({
      logsMs: 7 * DAY_MS,
      logBytesPerHost: MIB,
      logBytes: null,
      jobsMs: 400 * DAY_MS,
      auditMs: null,
    });
    expect(wrong({ RM_KEEP_LOGS_DAYS: "0" })).toContain("RM_KEEP_LOGS_DAYS: 0 is neither a whole number");
    expect(wrong({ RM_KEEP_JOBS_DAYS: "1.5" })).toContain("RM_KEEP_JOBS_DAYS");
  });

  test("says everything", () => {
    const config = readConfig({
      RM_LISTEN: "[::1]:0",
      RM_DATA_DIR: "/srv/rm",
      RM_BASE_URL: "https://backup.example.org:8443/",
      RM_SECRET_KEY_FILE: "/run/secrets/rm",
      RM_COOKIE_SECURE: "false",
      RM_TRUSTED_PROXY: "10.0.0.0/8",
      RM_DATABASE_URL: "postgres://rm@db/rm",
      RM_TLS_CERT_FILE: "/etc/rm/cert.pem",
      RM_TLS_KEY_FILE: "/etc/rm/key.pem",
    });
    expect(config).toMatchObject({
      listen: { hostname: "::1", port: 0 },
      dataDir: "/srv/rm",
      baseUrl: "https://backup.example.org:8443",
      secretKeyFile: "/run/secrets/rm",
      cookieSecure: false,
      databaseUrl: "postgres://rm@db/rm",
      tls: { certFile: "/etc/rm/cert.pem", keyFile: "/etc/rm/key.pem" },
    });
    expect(config.trustedProxies.trusts("10.9.8.7")).toBe(true);
  });

  test.each([":8080", "8080"])("may give a port alone: %s listens everywhere", (RM_LISTEN) => {
    expect(readConfig({ RM_LISTEN }).listen).toEqual({ hostname: "0.0.0.0", port: 8080 });
  });

  test.each([
    ["RM_LISTEN", "localhost"],
    ["RM_LISTEN", "127.0.0.1:99999"],
    ["RM_LISTEN", "a b:80"],
    ["RM_DATA_DIR", "data"],
    ["RM_BASE_URL", "backup.example.org"],
    ["RM_BASE_URL", "ftp://backup.example.org"],
    ["RM_BASE_URL", "https://backup.example.org/console"],
    ["RM_BASE_URL", "https://user@backup.example.org"],
    ["RM_SECRET_KEY_FILE", "key"],
    ["RM_COOKIE_SECURE", "maybe"],
    ["RM_TRUSTED_PROXY", "caddy"],
    ["RM_TLS_CERT_FILE", "/only/one"],
  ])("is refused by the variable's name: %s=%s", (name, value) => {
    expect(wrong({ [name]: value })).toContain(name);
  });

  test("is told everything that is wrong at once", () => {
    expect(wrong({ RM_LISTEN: "x", RM_COOKIE_SECURE: "y" }).split("\n")).toHaveLength(2);
  });

  test("does not show a database's password", () => {
    const message = wrong({ RM_DATABASE_URL: "mysql://rm:hunter2@db/rm" });
    expect(message).toContain("RM_DATABASE_URL");
    expect(message).not.toContain("hunter2");
  });
});

test("NATS joins servers on one PostgreSQL: with SQLite it is refused, and a wrong address shows nothing of itself", () => {
  const refused = (env: Record<string, string>): string => {
    try {
      readConfig(env);
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
    return "";
  };
  expect(refused({ RM_NATS_URL: "nats://127.0.0.1" })).toContain("many servers share one PostgreSQL");
  const words = refused({ RM_NATS_URL: "http://ada:hunter2@nats", RM_DATABASE_URL: "postgres://rm@db/rm" });
  expect(words).toContain("RM_NATS_URL");
  expect(words).not.toContain("hunter2");
});
