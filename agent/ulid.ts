import { JobId } from "@restic-manager/protocol/ids";

const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Mints the id of a job that this agent starts by itself: 48 bits of time in milliseconds, 80 bits of chance. */
export function mintJobId(now: number): JobId {
  let time = "";
  for (let left = Math.max(0, Math.floor(now)), n = 0; n < 10; n += 1, left = Math.floor(left / 32))
    time = LETTERS.charAt(left % 32) + time;
  const chance = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => LETTERS.charAt(byte % 32));
  return JobId.parse(time + chance.join(""));
}
