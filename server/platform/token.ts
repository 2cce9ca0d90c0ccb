import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 bits from the system, URL-safe: 43 characters. */
export function mintToken(): string {
  return randomBytes(32).toString("base64url");
}

/** SHA-256 in hexadecimal: how a token rests in the database. Tokens are random, so no salt and no stretching. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token, "utf8").digest("hex");
}

/** Compares two hashes in constant time. */
export function sameHash(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
