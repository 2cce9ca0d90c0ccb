import type { Clock } from "../platform/clock.ts";
import { ApiProblem } from "../platform/http/problem.ts";

/** Wrong tokens an address may send in a minute. Guessing is hopeless anyway; this keeps it from being work. */
const FREE_PER_MINUTE = 30;
const MINUTE_MS = 60_000;
/** Addresses remembered at once. */
const MOST_ADDRESSES = 10_000;

/** Counts wrong tokens by address. Right ones never count: a whole fleet may enrol from behind one address. */
export interface WrongTokens {
  /** @throws ApiProblem `rate_limited`. */
  check(address: string | null): void;
  count(address: string | null): void;
}

export function wrongTokens(clock: Clock): WrongTokens {
  const seen = new Map<string, { count: number; until: number }>();
  const of = (address: string | null) => {
    const entry = seen.get(address ?? "unknown");
    return entry !== undefined && entry.until > clock.now() ? entry : undefined;
  };
  return {
    check(address) {
      const entry = of(address);
      if (entry === undefined || entry.count < FREE_PER_MINUTE) return;
      throw new ApiProblem("rate_limited", "too many wrong tokens from this address", {
        retryAfterSeconds: (entry.until - clock.now()) / 1_000,
      });
    },
    count(address) {
      const entry = of(address);
      if (entry !== undefined) {
        entry.count++;
        return;
      }
      if (seen.size >= MOST_ADDRESSES) seen.clear();
      seen.set(address ?? "unknown", { count: 1, until: clock.now() + MINUTE_MS });
    },
  };
}
