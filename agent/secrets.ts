import { readFileSync, statSync } from "node:fs";
import { AgentConfig } from "@restic-manager/protocol/config";
import { writePrivateFile } from "./atomic-file.ts";

/** First bytes of the file: what it is and in which version; they are authenticated with the rest. */
const MAGIC = Buffer.from("RMSEC1\n\0");
/** NIST SP 800-38D: 96 bits, random for each write. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
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
export async function readSecrets(
  path: string,
  key: Uint8Array<ArrayBuffer>,
  hostId: string,
): Promise<AgentConfig | undefined> {
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
  const head = MAGIC.byteLength + NONCE_BYTES;
  if (sealed.byteLength < head + TAG_BYTES || !sealed.subarray(0, MAGIC.byteLength).equals(MAGIC)) {
    throw new SecretsError(path, "is not a file of this agent, or was cut short");
  }
  const nonce = new Uint8Array(sealed.subarray(MAGIC.byteLength, head));
  let plain: ArrayBuffer;
  try {
    const body = new Uint8Array(sealed.subarray(head));
    plain = await crypto.subtle.decrypt(parameters(nonce, hostId), await imported(key, "decrypt"), body);
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
export async function writeSecrets(
  path: string,
  key: Uint8Array<ArrayBuffer>,
  hostId: string,
  config: AgentConfig,
): Promise<void> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const plain = new TextEncoder().encode(JSON.stringify(config));
  const body = await crypto.subtle.encrypt(parameters(nonce, hostId), await imported(key, "encrypt"), plain);
  writePrivateFile(path, Buffer.concat([MAGIC, nonce, new Uint8Array(body)]));
}

/** WebCrypto and not node:crypto, which keeps 4 MB of an agent that may take 40. The tag follows the text. */
function imported(key: Uint8Array<ArrayBuffer>, use: "encrypt" | "decrypt"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", key, "AES-GCM", false, [use]);
}

function parameters(iv: Uint8Array<ArrayBuffer>, hostId: string) {
  const additionalData = new Uint8Array([...MAGIC, ...new TextEncoder().encode(hostId)]);
  return { name: "AES-GCM", iv, additionalData, tagLength: TAG_BYTES * 8 };
}

function jsonOf(plain: ArrayBuffer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(plain));
  } catch {
    return undefined;
  }
}
