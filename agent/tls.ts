import { readFileSync } from "node:fs";
import type { PeerCertificate } from "node:tls";

/** What `fetch` and `new WebSocket` both take to reach the server. */
export interface ConnectionOptions {
  tls?: {
    ca?: string | string[];
    allowPartialTrustChain?: boolean;
    checkServerIdentity?: (host: string, certificate: PeerCertificate) => Error | undefined;
  };
  proxy?: string;
}

export interface ConnectionSettings {
  tls?: { ca_file?: string | undefined; pin_sha256?: string | undefined } | undefined;
  /** `http://[user:password@]host:port`; the environment's proxy settings are not looked at. */
  proxy?: string | undefined;
  /** PEM files that may hold the system's CAs; the first that can be read counts. */
  systemCaFiles?: readonly string[];
}

/** The way to the server is not safe, or cannot be judged. */
export class TlsError extends Error {
  override readonly name = "TlsError";
  readonly code: "ca_unreadable" | "pin_malformed" | "pin_without_tls" | "pin_mismatch";

  constructor(code: TlsError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** Where Linux distributions keep the system's CAs: Debian, Fedora, openSUSE, RHEL, Alpine. */
const SYSTEM_CA_FILES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
] as const;

/**
 * Says how to connect to `server` (http, https, ws or wss). A pinned certificate outranks a CA file, a CA file the system's
 * CAs; where a system has none, the runtime's own list counts. With a pin the server is asked for its certificate first,
 * so this is called anew for every connection: a server that then shows another one is refused by the options as well.
 *
 * Throws `TlsError`, or the system's error when the server of a pin cannot be reached.
 */
export async function connectionOptions(
  server: URL,
  settings: ConnectionSettings,
  signal?: AbortSignal,
): Promise<ConnectionOptions> {
  const options: ConnectionOptions = settings.proxy === undefined ? {} : { proxy: settings.proxy };
  const { ca_file: caFile, pin_sha256: pinText } = settings.tls ?? {};
  const secure = server.protocol === "https:" || server.protocol === "wss:";
  if (pinText !== undefined) {
    const pin = parsePin(pinText);
    if (pin === undefined) throw new TlsError("pin_malformed", "the certificate pin is not a SHA-256 in hex");
    if (!secure)
      throw new TlsError("pin_without_tls", `a certificate is pinned but ${server.origin} has no TLS`);
    return { ...options, tls: await pinned(server, pin, settings.proxy, signal) };
  }
  if (!secure) return options;
  const ca =
    caFile === undefined ? await systemCas(settings.systemCaFiles ?? SYSTEM_CA_FILES) : readCa(caFile);
  return ca === undefined ? options : { ...options, tls: { ca } };
}

/** Reads a SHA-256 as openssl and browsers write it (colons, `sha256:`, upper case) into 64 lower-case digits. */
export function parsePin(text: string): string | undefined {
  const hex = text
    .trim()
    .replace(/^sha-?256[:=]/i, "")
    .replaceAll(":", "")
    .toLowerCase();
  return /^[0-9a-f]{64}$/.test(hex) ? hex : undefined;
}

/**
 * Trusts one certificate and nothing else. Bun ignores `checkServerIdentity` without `rejectUnauthorized`, so the leaf itself
 * becomes the CA, and the check (which replaces the one of the host name) compares it again on the real connection.
 */
async function pinned(
  server: URL,
  pin: string,
  proxy: string | undefined,
  signal: AbortSignal | undefined,
): Promise<NonNullable<ConnectionOptions["tls"]>> {
  // Loaded for pins only: node:tls costs memory that most agents need not pay.
  const { askLeaf } = await import("./leaf.ts");
  const leaf = await askLeaf(server, proxy, signal);
  const shown = sha256(leaf);
  if (shown !== pin) {
    const both = `it shows ${shown}, pinned is ${pin}`;
    throw new TlsError("pin_mismatch", `the certificate of ${server.host} is not the pinned one: ${both}`);
  }
  return {
    ca: pem(leaf),
    allowPartialTrustChain: true,
    checkServerIdentity: (_host, certificate) =>
      sha256(certificate.raw) === pin
        ? undefined
        : new TlsError("pin_mismatch", `the certificate of ${server.host} is not the pinned one`),
  };
}

function readCa(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TlsError("ca_unreadable", `the CA file ${path} cannot be read: ${why}`);
  }
  if (!text.includes("-----BEGIN CERTIFICATE-----")) {
    throw new TlsError("ca_unreadable", `the CA file ${path} holds no certificate in PEM`);
  }
  return text;
}

/** Bun trusts its own list by default; an agent trusts what its machine trusts. */
async function systemCas(files: readonly string[]): Promise<string | string[] | undefined> {
  if (process.platform === "win32") return (await import("node:tls")).getCACertificates("system");
  for (const path of files) {
    try {
      return readCa(path);
    } catch {
      // The next distribution's place.
    }
  }
  return undefined;
}

function sha256(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
