/** OWASP's first choice for argon2id: 19 MiB, two passes; 24 ms here, off the event loop (recipes.md 9). */
const ARGON2 = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

/**
 * A hash of no password anybody has, with the same cost. A constant, since making one at start would cost 19 MB of memory.
 */
const NOBODYS_HASH =
  "$argon2id$v=19$m=19456,t=2,p=1$QQnfuxs9+DUUTRV3qylEYchQykT0G4WiY45qSuiOnZQ$wpROvQvOEvEeYvX4LcdBA8oktxltuw4n3fJ+nLA7y7A";

/** @returns the hash as it rests in `users.password_hash`. */
export function hashPassword(password: string): Promise<string> {
  return Bun.password.hash(password, ARGON2);
}

/** Takes as long for an account that does not exist (`hash` null) as for one that does. */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  const right = await Bun.password.verify(password, hash ?? NOBODYS_HASH);
  return right && hash !== null;
}
