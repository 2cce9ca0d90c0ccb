import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { JobId } from "@restic-manager/protocol/ids";
import { mutated, noiseText } from "@restic-manager/protocol/testing/hostile";
import fc from "fast-check";

/** What a server that is broken, or none at all, does next; and what happens on the machine meanwhile. */
export type HostileStep =
  | { do: "text"; text: string }
  | { do: "welcome"; lastSeq: number; next: "continue" | "new_epoch" | "resync" }
  | { do: "ack"; seq: number }
  | { do: "hang up"; code: number }
  | { do: "write"; frames: number }
  | { do: "wait"; ms: number };

/** What every release of the server has said, from the recordings, about one of `jobs`. */
function wholeMessages(jobs: readonly JobId[]): fc.Arbitrary<object> {
  const recorded = ["v1", "v2", "v3"].flatMap((version) => {
    const folder = join(import.meta.dirname, "../../protocol/golden", version);
    return readdirSync(folder)
      .filter((name) => /^server\..*\.json$/.test(name))
      .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Record<string, unknown>);
  });
  return fc
    .tuple(fc.constantFrom(...recorded), fc.constantFrom(...jobs))
    .map(([message, job]) => ("job_id" in message ? { ...message, job_id: job } : message));
}

/** Steps of such a server, which speaks of `jobs` when it speaks of any. */
export function hostileSteps(jobs: readonly JobId[]): fc.Arbitrary<HostileStep[]> {
  const whole = wholeMessages(jobs);
  const text = fc
    .oneof(
      { weight: 1, arbitrary: noiseText },
      { weight: 3, arbitrary: mutated(whole) },
      { weight: 3, arbitrary: whole.map((message) => JSON.stringify(message)) },
    )
    .map((found) => ({ do: "text" as const, text: found }));
  const number = fc.oneof(fc.constant(0), fc.nat(30), fc.constantFrom(1e6, Number.MAX_SAFE_INTEGER));
  const next = fc.constantFrom(
    "continue" as const,
    "continue" as const,
    "new_epoch" as const,
    "resync" as const,
  );
  const step = fc.oneof(
    { weight: 6, arbitrary: text },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("welcome" as const), lastSeq: number, next }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("ack" as const), seq: number }) },
    // More than the window holds, too.
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("write" as const),
        frames: fc.oneof(fc.constant(1), fc.nat(200)),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("hang up" as const),
        code: fc.oneof(fc.integer({ min: 1_000, max: 1_015 }), fc.integer({ min: 4_000, max: 4_010 })),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 900_000 }) }),
    },
  );
  return fc.array(step, { minLength: 1, maxLength: 40 });
}
