import { isAbsolute, join } from "node:path";
import { publicAddress } from "./public-address.ts";
import { natsAddress, type NatsAddress } from "./nats-address.ts";
import { readRetention, type RetentionLimits } from "./retention-limits.ts";
import { trustedProxies, type TrustedProxies } from "./http/client-address.ts";

/** What the environment says, checked. */
export interface Config {
  /** Port 0 takes a free one. */
  listen: { hostname: string; port: number };
  dataDir: string;
  /** The public address without a trailing slash; null leaves it to what set-up stored. */
  baseUrl: string | null;
  secretKeyFile: string;
  /** False names the cookie plainly and lets it travel without TLS: for a private network only. */
  cookieSecure: boolean;
  trustedProxies: TrustedProxies;
  /** `sqlite:/path` or `postgres://…` */
  databaseUrl: string;
  /** Joins this server with others on the same database; null for a server alone. */
  nats: NatsAddress | null;
  /** The server's own TLS; null behind a proxy that ends it. */
  tls: { certFile: string; keyFile: string } | null;
  retention: RetentionLimits;
}

/** The environment cannot be used; one sentence per variable. */
export class ConfigError extends Error {
  override name = "ConfigError";
  readonly sentences: readonly string[];

  constructor(sentences: readonly string[]) {
    super(sentences.join("\n"));
    this.sentences = sentences;
  }
}

/**
 * Reads `RM_LISTEN` (127.0.0.1:8080), `RM_DATA_DIR` (/var/lib/restic-manager), `RM_BASE_URL`, `RM_SECRET_KEY_FILE` and
 * `RM_DATABASE_URL` (both in the data folder), `RM_NATS_URL`, `RM_COOKIE_SECURE` (true), `RM_TRUSTED_PROXY`,
 * `RM_TLS_CERT_FILE` and `RM_TLS_KEY_FILE`, and how long things are kept (`readRetention`). An empty variable counts as absent.
 *
 * @throws ConfigError with everything that is wrong, not only the first.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const wrong: string[] = [];
  const text = (name: string): string | null => env[name]?.trim() || null;
  const read = <T>(name: string, fallback: T, parse: (value: string) => T): T => {
    const value = text(name);
    if (value === null) return fallback;
    try {
      return parse(value);
    } catch (error) {
      wrong.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return fallback;
    }
  };
  const listen = read("RM_LISTEN", { hostname: "127.0.0.1", port: 8080 }, listenAddress);
  const dataDir = read("RM_DATA_DIR", "/var/lib/restic-manager", absolute);
  const certFile = read<string | null>("RM_TLS_CERT_FILE", null, absolute);
  const keyFile = read<string | null>("RM_TLS_KEY_FILE", null, absolute);
  if ((certFile === null) !== (keyFile === null))
    wrong.push("RM_TLS_CERT_FILE and RM_TLS_KEY_FILE: set both, or neither behind a proxy that ends TLS");
  const config: Config = {
    listen,
    dataDir,
    baseUrl: read<string | null>("RM_BASE_URL", null, publicAddress),
    secretKeyFile: read("RM_SECRET_KEY_FILE", join(dataDir, "secret.key"), absolute),
    cookieSecure: read("RM_COOKIE_SECURE", true, flag),
    trustedProxies: read("RM_TRUSTED_PROXY", trustedProxies(""), trustedProxies),
    databaseUrl: read("RM_DATABASE_URL", `sqlite:${join(dataDir, "server.db")}`, databaseAddress),
    nats: read<NatsAddress | null>("RM_NATS_URL", null, natsAddress),
    tls: certFile !== null && keyFile !== null ? { certFile, keyFile } : null,
    retention: readRetention(read),
  };
  if (config.nats !== null && config.databaseUrl.startsWith("sqlite:"))
    wrong.push(
      "RM_NATS_URL: many servers share one PostgreSQL: set RM_DATABASE_URL to postgres://… too, or leave RM_NATS_URL out",
    );
  if (wrong.length > 0) throw new ConfigError(wrong);
  return config;
}

function listenAddress(value: string): { hostname: string; port: number } {
  const match = /^(?:(\[[0-9a-fA-F:]+\]|[^:\s[\]]*):)?(\d{1,5})$/.exec(value);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535)
    throw new Error(`${value} is no address to listen on: write 127.0.0.1:8080 or [::]:8080`);
  return { hostname: (match[1] || "0.0.0.0").replaceAll(/[[\]]/g, ""), port };
}

function absolute(value: string): string {
  if (!isAbsolute(value)) throw new Error(`${value} must be an absolute path`);
  return value;
}

function flag(value: string): boolean {
  if (/^(true|1|yes)$/i.test(value)) return true;
  if (/^(false|0|no)$/i.test(value)) return false;
  throw new Error(`${value} is neither true nor false`);
}

function databaseAddress(value: string): string {
  if (value.startsWith("sqlite:/") || /^postgres(ql)?:\/\//.test(value)) return value;
  // It may hold a password: say nothing of what it was.
  throw new Error("must begin with sqlite:/ and a path, or with postgres://");
}
