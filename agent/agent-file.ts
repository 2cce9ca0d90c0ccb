import { chmodSync, readFileSync, statSync } from "node:fs";
import { HostId } from "@restic-manager/protocol/ids";
import { z } from "zod";
import { PRIVATE_FILE, writePrivateFile } from "./atomic-file.ts";
import { parsePin } from "./tls.ts";

/** AES-256 key, in bytes. */
export const SEALING_KEY_BYTES = 32;
/** Far above any real file; a larger one is not ours. */
const LARGEST_FILE = 64 * 1024;

const SealingKey = z
  .string()
  .refine((text) => /^[A-Za-z0-9+/]{43}=$/.test(text), "must be 32 bytes in base64 (44 characters)");

/** How the server's certificate is judged; without it, by the system's CAs. */
export const TlsSettings = z.strictObject({
  /** PEM file; the CAs in it replace the system's. */
  ca_file: z.string().min(1).optional(),
  /** SHA-256 of the server's own certificate in hex; it replaces CAs and host name. */
  pin_sha256: z
    .string()
    .refine((text) => parsePin(text) !== undefined, "must be a SHA-256 in hex (64 digits)")
    .optional(),
});
export type TlsSettings = z.infer<typeof TlsSettings>;

/** Who this machine is. Holds secrets: bearer, sealing key, perhaps a proxy's password. */
export const AgentFile = z.strictObject({
  /** Address of the server: scheme, host, port, perhaps a folder; no slash at the end. */
  server: z.string().regex(/^https?:\/\/[^/\s]+/, "must start with https:// or http://"),
  host_id: HostId,
  bearer: z.string().regex(/^[\x21-\x7e]+$/, "must be printable ASCII without spaces"),
  sealing_key: SealingKey,
  tls: TlsSettings.optional(),
  proxy: z
    .string()
    .regex(/^https?:\/\/[^/\s]+/, "must start with http:// or https://")
    .optional(),
  /** Which restic to run; the one on PATH when left out. */
  restic_path: z.string().min(1).optional(),
});
export type AgentFile = z.infer<typeof AgentFile>;

/** `agent.yaml` is there and cannot be used. It is never overwritten: only a person knows what to do with it. */
export class AgentFileError extends Error {
  override readonly name = "AgentFileError";
  readonly path: string;
  /** The field at fault, as `tls.pin_sha256`; absent when the file as a whole is. */
  readonly field: string | undefined;

  constructor(path: string, what: string, field?: string) {
    const where = field === undefined ? path : `${path}: ${field}`;
    super(`${where}: ${what}. The file was left as it is; correct it, or move it away and enrol again.`);
    this.path = path;
    this.field = field;
  }
}

/**
 * Reads `agent.yaml`. `undefined` when there is none. A file that others may read is made private, with a warning.
 * Throws `AgentFileError` when it cannot be read or has another shape; the message holds no value from the file.
 */
export function readAgentFile(path: string, warn: (message: string) => void): AgentFile | undefined {
  let text: string;
  try {
    const found = statSync(path);
    if (found.size > LARGEST_FILE) throw new AgentFileError(path, `is larger than ${LARGEST_FILE} bytes`);
    tighten(path, found.mode, warn);
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof AgentFileError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") return undefined;
    throw new AgentFileError(
      path,
      code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "is not text" : reason(error),
    );
  }
  let yaml: unknown;
  try {
    yaml = Bun.YAML.parse(text);
  } catch (error) {
    throw new AgentFileError(path, `is not YAML (${reason(error)})`);
  }
  const parsed = AgentFile.safeParse(yaml);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join(".");
  throw new AgentFileError(path, issue?.message ?? "has another shape", field === "" ? undefined : field);
}

/** Writes `agent.yaml`, private and all at once. Throws the system's error. */
export function writeAgentFile(path: string, file: AgentFile): void {
  const head = "# restic-manager agent. It holds this machine's bearer and key: nobody else may read it.\n";
  writePrivateFile(path, `${head}${Bun.YAML.stringify(AgentFile.parse(file), null, 2)}\n`);
}

/** The key that seals `secrets.enc`. */
export function sealingKey(file: AgentFile): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(file.sealing_key);
}

/** Everything in the file that a log must not show. */
export function secretsIn(file: AgentFile): string[] {
  return [file.bearer, file.sealing_key, ...secretsInProxy(file.proxy)];
}

/** The password in a proxy's address, as written and as meant. */
export function secretsInProxy(proxy: string | undefined): string[] {
  const password = proxy === undefined ? "" : (URL.parse(proxy)?.password ?? "");
  return password === "" ? [] : [password, unescaped(password)];
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function tighten(path: string, mode: number, warn: (message: string) => void): void {
  if (process.platform === "win32" || (mode & 0o077) === 0) return;
  const found = (mode & 0o777).toString(8).padStart(4, "0");
  try {
    chmodSync(path, PRIVATE_FILE);
    warn(
      `${path} could be read by others (mode ${found}); it is 0600 now. Who read it meanwhile has the bearer.`,
    );
  } catch (error) {
    warn(`${path} can be read by others (mode ${found}) and could not be changed to 0600: ${reason(error)}`);
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
