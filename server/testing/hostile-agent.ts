import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { binaryFrame, mutated, NEXT_SEQ, noiseText } from "@restic-manager/protocol/testing/hostile";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { ServerMessage } from "@restic-manager/protocol/server-message";
import { PROTOCOL_VERSION } from "@restic-manager/protocol/version";
import fc from "fast-check";
import type { Link } from "../link/link.ts";

/** What an agent that is broken, or none at all, does next. Printable, so that a failure can be read. */
export type HostileStep =
  | { do: "text"; text: string }
  | { do: "binary"; header: string; chunk: Chunk; claimed?: number }
  | { do: "noise"; bytes: Uint8Array }
  | { do: "hello" }
  | { do: "redial"; hello: boolean }
  | { do: "vanish" };
type Chunk = keyof typeof CHUNKS;

const EPOCH = "0123456789abcdef0123456789abcdef";
const HELLO = {
  type: "hello",
  protocol_version: PROTOCOL_VERSION,
  machine_id: "m1",
  epoch: EPOCH,
  // As far as it likes: below what was committed, every later hello would only be told to begin anew.
  outbox: { lowest: 1, highest: 1_000_000 },
  jobs: [],
  clock: 1,
};
const line = "1\to\tone\n";
const zstd = (text: string | Uint8Array) => new Uint8Array(Bun.zstdCompressSync(text));
const CHUNKS = {
  empty: new Uint8Array(),
  whole: zstd(line.repeat(3)),
  torn: zstd(line.repeat(300)).slice(0, 9),
  garbage: new Uint8Array(500).fill(0xa5),
  "not utf-8": zstd(new Uint8Array(64).fill(0xff)),
  "no lines": zstd("\n\n\n"),
  "many lines": zstd(line.repeat(8_000)),
  // 64 MiB of nothing in a few kilobytes.
  bomb: zstd(new Uint8Array(64 * 1024 * 1024)),
};

/** What every release has said, from the recordings, with its numbers and jobs made to fit. */
function wholeMessages(jobId: JobId): fc.Arbitrary<object> {
  const golden = join(import.meta.dirname, "../../protocol/golden");
  const recorded = ["v1", "v2", "v3"]
    .flatMap((version) => readdirSync(join(golden, version)).map((name) => join(golden, version, name)))
    .filter((file) => /\/agent\.[^/]*\.json$/.test(file))
    .map((file) => JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>)
    .map((message) => {
      if (message["type"] === "hello") return HELLO;
      if ("seq" in message) message["seq"] = NEXT_SEQ;
      for (const inner of [message, message["message"]])
        if (typeof inner === "object" && inner !== null && "job_id" in inner) inner.job_id = jobId;
      return message;
    });
  return fc.constantFrom(...recorded);
}

/** What such an agent does, which speaks of `jobId`: mostly it says hello first. */
export function hostileSteps(jobId: JobId): fc.Arbitrary<HostileStep[]> {
  const first = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ do: "hello" as const }) },
    { weight: 1, arbitrary: hostileStep(jobId) },
  );
  return fc
    .tuple(first, fc.array(hostileStep(jobId), { minLength: 1, maxLength: 25 }))
    .map(([begin, more]) => [begin, ...more]);
}

function hostileStep(jobId: JobId): fc.Arbitrary<HostileStep> {
  const header = { seq: NEXT_SEQ, job_id: jobId, first_line: 0, count: 3, raw_size: line.length * 3 };
  const whole = wholeMessages(jobId);
  const chunk = fc.constantFrom(...(Object.keys(CHUNKS) as Chunk[]));
  const text = (texts: fc.Arbitrary<string>) => texts.map((found) => ({ do: "text" as const, text: found }));
  const headers = fc.oneof(
    fc
      .record({ first_line: fc.nat(300), count: fc.integer({ min: 1, max: 256 }) })
      .map((change) => JSON.stringify({ ...header, ...change })),
    mutated(fc.constant(header)),
  );
  return fc.oneof(
    { weight: 2, arbitrary: text(noiseText) },
    { weight: 4, arbitrary: text(mutated(whole)) },
    { weight: 3, arbitrary: text(whole.map((message) => JSON.stringify(message))) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("binary" as const), header: headers, chunk }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant("binary" as const),
        header: headers,
        chunk,
        claimed: fc.oneof(fc.nat(200), fc.constantFrom(2 ** 31, 2 ** 32 - 1)),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => ({ do: "noise" as const, bytes })),
    },
    { weight: 1, arbitrary: fc.constant({ do: "hello" as const }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("redial" as const), hello: fc.boolean() }) },
    { weight: 1, arbitrary: fc.constant({ do: "vanish" as const }) },
  );
}

/** Opens a connection whose socket only remembers. */
export function dial(link: Link, hostId: HostId) {
  const said: ServerMessage[] = [];
  let code: number | undefined;
  const connection = link.opened(
    hostId,
    {
      send: (text) => said.push(JSON.parse(text) as ServerMessage) > 0,
      close: (given) => void (code = given),
    },
    null,
  );
  return {
    connection,
    said,
    code: () => code,
    hello: (change: object = {}) => link.received(connection, JSON.stringify({ ...HELLO, ...change })),
  };
}

/** Does all of `steps` as one host, and hangs up. Gives every connection that was used. */
export async function misbehave(link: Link, hostId: HostId, steps: readonly HostileStep[]) {
  let now = dial(link, hostId);
  const used = [now.connection];
  const again = (hello: boolean) => {
    now = dial(link, hostId);
    used.push(now.connection);
    if (hello) now.hello();
  };
  for (const step of steps) {
    if (now.connection.closed && step.do !== "redial") {
      await link.closed(now.connection);
      again(true);
      await link.settled();
    }
    const next = String((now.connection.greeted?.received ?? 0) + 1);
    const numbered = (text: string) => text.replaceAll(String(NEXT_SEQ), next);
    if (step.do === "text") link.received(now.connection, numbered(step.text));
    else if (step.do === "noise") link.received(now.connection, step.bytes);
    else if (step.do === "binary")
      link.received(now.connection, binaryFrame(numbered(step.header), CHUNKS[step.chunk], step.claimed));
    else if (step.do === "hello") now.hello();
    else if (step.do === "redial") again(step.hello);
    else await link.closed(now.connection);
    if (step.do === "hello" || step.do === "redial") await link.settled();
  }
  await link.settled();
  for (const connection of used) await link.closed(connection);
  await link.settled();
  return used;
}
