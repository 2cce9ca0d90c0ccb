import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { AgentConfig } from "@restic-manager/protocol/config";
import { writePrivateFile } from "./atomic-file.ts";

/** First bytes of the file: what it is and in which version; they are authenticated with the rest. */
const MAGIC = Buffer.from("RMSEC1\n\0");
/** NIST SP 800-38D: 96 bits, random for each write. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = "aes-256-gcm";
/** Far above any configuration; a larger file is not ours. */
const LARGEST_FILE = 1024 * 1024;

/** `secrets.enc` is there and cannot be opened. It is never overwritten by reading it. */
export class SecretsError extends Error {
  override readonly name = "SecretsError";
  readonly path: string;

  constructor(path: string, what: string) {
    super(
      `${path}: ${what}. The file was left as it is. Move it away and restart: the server sends the configuration again.`,
    );
    this.path = path;
  }
}

/**
 * Opens the configuration that `writeSecrets` sealed. `undefined` when there is no file.
 * Throws `SecretsError` when it was changed, cut, made with another key or for another host, or holds another shape.
 */
export function readSecrets(path: string, key: Uint8Array, hostId: string): AgentConfig | undefined {
  let sealed: Buffer;
  try {
    if (statSync(path).size > LARGEST_FILE)
      throw new SecretsError(path, `is larger than ${LARGEST_FILE} bytes`);
    sealed = readFileSync(path);
  } catch (error) {
    if (error instanceof SecretsError) throw error;
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new SecretsError(path, error instanceof Error ? error.message : String(error));
  }
  const head = MAGIC.byteLength + NONCE_BYTES + TAG_BYTES;
  if (sealed.byteLength < head || !sealed.subarray(0, MAGIC.byteLength).equals(MAGIC)) {
    throw new SecretsError(path, "is not a file of this agent, or was cut short");
  }
  const nonce = sealed.subarray(MAGIC.byteLength, MAGIC.byteLength + NONCE_BYTES);
  const tag = sealed.subarray(MAGIC.byteLength + NONCE_BYTES, head);
  let plain: Buffer;
  try {
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(additionalData(hostId)).setAuthTag(tag);
    plain = Buffer.concat([decipher.update(sealed.subarray(head)), decipher.final()]);
  } catch {
    throw new SecretsError(path, "is damaged, or was sealed with another key or for another host");
  }
  const config = AgentConfig.safeParse(jsonOf(plain));
  if (!config.success) {
    const issue = config.error.issues[0];
    throw new SecretsError(path, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "has another shape"}`);
  }
  return config.data;
}

/** Seals a configuration with AES-256-GCM, bound to the host, and writes it private and all at once. Throws the system's error. */
export function writeSecrets(path: string, key: Uint8Array, hostId: string, config: AgentConfig): void {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(additionalData(hostId));
  const body = Buffer.concat([cipher.update(JSON.stringify(config), "utf8"), cipher.final()]);
  writePrivateFile(path, Buffer.concat([MAGIC, nonce, cipher.getAuthTag(), body]));
}

function additionalData(hostId: string): Buffer {
  return Buffer.concat([MAGIC, Buffer.from(hostId)]);
}

function jsonOf(plain: Buffer): unknown {
  try {
    return JSON.parse(plain.toString("utf8"));
  } catch {
    return undefined;
  }
}
