/** bcrypt reads no further; both `htpasswd` and rest-server cut there. */
const BCRYPT_BYTES = 72;
/**
 * Costs of bcrypt. rest-server works one out for every request whose account it has not just seen. A minted password has
 * 192 bits, which no cost makes safer, so it takes what `htpasswd -B` takes; one that a person chose takes more.
 */
const COST = { minted: 5, chosen: 10 } as const;

/** A line for the htpasswd file of a rest-server. @param origin where the password comes from. */
export async function htpasswdLine(
  username: string,
  password: string,
  origin: keyof typeof COST,
): Promise<string> {
  // Bun would hash a longer password first, which nobody else does.
  const bytes = Buffer.from(password, "utf8").subarray(0, BCRYPT_BYTES);
  const hash = await Bun.password.hash(bytes, { algorithm: "bcrypt", cost: COST[origin] });
  // The same algorithm under the name that Apache's and Go's readers both know.
  return `${username}:${hash.replace(/^\$2b\$/, "$2y$")}`;
}
