import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { Database } from "./db/schema.ts";
import { createKeyFile, readKeyFile, SealError, type SealKey } from "./seal-keys.ts";

/**
 * Keeps secrets in the database unreadable without the key file: AES-256-GCM. The slot (`host:<id>:repo`, `enrollment:<id>`) is
 * bound to the text, so that a sealed value moved to another row does not open.
 */
export interface Seal {
  /** Id of the key that seals. */
  readonly keyId: string;
  /** `v1.<key id>.<nonce>.<text and tag>` */
  seal(plain: string, slot: string): string;
  /** @throws SealError when it was changed, belongs to another slot, or its key is not in the file. */
  open(sealed: string, slot: string): string;
}

const VERSION = "v1";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CHECK_ROW = "seal_check";
const CHECK_TEXT = "this database belongs to this key";

/** @param keys the first seals, all open; at least one. */
export function createSeal(keys: readonly SealKey[]): Seal {
  const [first] = keys;
  if (first === undefined) throw new SealError("there is no key to seal with");
  return {
    keyId: first.id,
    seal(plain, slot) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", first.bytes, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(boundTo(first.id, slot));
      const text = Buffer.concat([cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return [VERSION, first.id, nonce.toString("base64url"), text.toString("base64url")].join(".");
    },
    open(sealed, slot) {
      const [version, id = "", nonceText = "", text = ""] = sealed.split(".");
      const key = keys.find((one) => one.id === id);
      if (version !== VERSION || key === undefined)
        throw new SealError(`the secret of ${slot} was sealed with key ${id}, which is not in the key file`);
      const bytes = Buffer.from(text, "base64url");
      const nonce = Buffer.from(nonceText, "base64url");
      try {
        const decipher = createDecipheriv("aes-256-gcm", key.bytes, nonce, { authTagLength: TAG_BYTES });
        decipher.setAAD(boundTo(id, slot));
        decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
        return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString(
          "utf8",
        );
      } catch {
        throw new SealError(`the secret of ${slot} was changed, or belongs to another row`);
      }
    },
  };
}

/**
 * Reads the key file and proves on the database that it is the right one. Makes a file when there is none and the database has
 * never been sealed with any.
 *
 * @throws SealError with what to do, before anything is served.
 */
export async function openSeal(db: Database, file: string): Promise<Seal> {
  const check = await db
    .selectFrom("instance")
    .select("value")
    .where("key", "=", CHECK_ROW)
    .executeTakeFirst();
  const keys = readKeyFile(file);
  if (check === undefined) {
    const seal = createSeal(keys ?? createKeyFile(file));
    const value = seal.seal(CHECK_TEXT, CHECK_ROW);
    // Another server may have been first: its word counts, and ours is tried against it.
    await db
      .insertInto("instance")
      .values({ key: CHECK_ROW, value })
      .onConflict((conflict) => conflict.column("key").doNothing())
      .execute();
    return openSeal(db, file);
  }
  if (keys === null)
    throw new SealError(
      `the key file ${file} is missing, and the database holds secrets sealed with it: ` +
        "bring it back from your backup, or point RM_SECRET_KEY_FILE to it",
    );
  const seal = createSeal(keys);
  if (!opens(seal, check.value))
    throw new SealError(
      `the key in ${file} is not the one this database was sealed with: point RM_SECRET_KEY_FILE to the right one`,
    );
  if (!check.value.startsWith(`${VERSION}.${seal.keyId}.`))
    await db
      .updateTable("instance")
      .set({ value: seal.seal(CHECK_TEXT, CHECK_ROW) })
      .where("key", "=", CHECK_ROW)
      .execute();
  return seal;
}

function opens(seal: Seal, sealed: string): boolean {
  try {
    return seal.open(sealed, CHECK_ROW) === CHECK_TEXT;
  } catch (error) {
    if (error instanceof SealError) return false;
    throw error;
  }
}

function boundTo(keyId: string, slot: string): Buffer {
  return Buffer.from(`${VERSION}.${keyId}.${slot}`, "utf8");
}
