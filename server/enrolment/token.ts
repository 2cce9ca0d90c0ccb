import { randomBytes } from "node:crypto";
import { EnrollmentId } from "@restic-manager/protocol/ids";

/** A token as it travels: the id may be shown and logged, the secret only hashed. */
export interface TokenParts {
  id: EnrollmentId;
  secret: string;
}

export function writeToken({ id, secret }: TokenParts): string {
  return `${id}.${secret}`;
}

/** Undefined for whatever is no token of ours. */
export function readToken(token: string): TokenParts | undefined {
  const [, id, secret] = /^([^.]{1,64})\.([A-Za-z0-9_-]{1,128})$/.exec(token) ?? [];
  const parsed = EnrollmentId.safeParse(id);
  return parsed.success && secret !== undefined ? { id: parsed.data, secret } : undefined;
}

/** 24 bytes from the system, URL-safe: 32 characters, 192 bits. */
export function mintPassword(): string {
  return randomBytes(24).toString("base64url");
}
