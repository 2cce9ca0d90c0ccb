import type { RawAgent } from "../../e2e/stage/raw-agent.ts";
import { seeded, type Seeded } from "./seeded.ts";

const HELLO = {
  type: "hello",
  protocol_version: 1,
  machine_id: "m",
  epoch: "0".repeat(32),
  outbox: { lowest: 1, highest: 0 },
  jobs: [],
};
const JOB = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/** Frames that a well-meaning agent might send; the fuzzer spoils them. */
function wellFormed(chance: Seeded): Record<string, unknown> {
  const seq = chance.pick([0, 1, 2, 3, 1_000_000, -1, Number.MAX_SAFE_INTEGER]);
  const at = new Date(chance.whole(0, 2 ** 31 - 1) * 1_000).toISOString();
  const durable = (message: unknown) => ({ type: "durable", seq, message });
  return chance.pick<Record<string, unknown>>([
    { ...HELLO, jobs: [{ id: JOB, state: "running" }] },
    { type: "heartbeat", at },
    { type: "job.progress", job_id: JOB, kind: "backup", at, progress: {} },
    { type: "config.applied", version: chance.whole(-1, 5) },
    durable({ type: "job.accepted", job_id: JOB, at }),
    durable({ type: "job.started", job_id: JOB, at }),
    durable({ type: "log.gap", job_id: JOB, first_line: 0, count: 5 }),
    durable({
      type: "job.finished",
      job_id: JOB,
      kind: "backup",
      started_at: null,
      finished_at: at,
      outcome: { state: "cancelled" },
      log_lines: 0,
    }),
    durable({
      type: "snapshots.report",
      repository_id: "0".repeat(64),
      taken_at: at,
      part: 0,
      parts: chance.whole(0, 3),
      snapshots: [],
    }),
  ]);
}

/** One frame that no agent sends. */
export function fuzzedFrame(chance: Seeded): string | Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(wellFormed(chance));
  const spot = chance.whole(0, text.length - 1);
  switch (chance.whole(0, 8)) {
    case 0:
      return chance.bytes(chance.whole(0, 300));
    case 1:
      return text.slice(0, spot);
    case 2:
      return text.slice(0, spot) + String.fromCharCode(chance.whole(0, 0xd7ff)) + text.slice(spot + 1);
    case 3:
      return "[".repeat(chance.whole(1, 50_000));
    case 4:
      return text.replace(/\d+/, () => chance.pick(["1e999", "-0", "9".repeat(400), "null", '"1"']));
    case 5:
      return text.replace(/"[a-z_]+":/, () => '"__proto__":');
    case 6: {
      // As a log chunk begins: the header's length, the header, then something that is no zstd.
      const header = Buffer.from(
        JSON.stringify({ seq: 1, job_id: JOB, first_line: 0, count: 1, raw_size: 9 }),
      );
      const length = Buffer.alloc(4);
      length.writeUInt32LE(chance.chance(0.5) ? header.length : chance.whole(0, 2 ** 32 - 1));
      return new Uint8Array(Buffer.concat([length, header, chance.bytes(50)]));
    }
    case 7:
      return "x".repeat(chance.pick([1_000, 1_048_576, 1_048_577, 3_000_000]));
    default:
      return text;
  }
}

/** Sends so many of them on `peer`'s socket, which must be open; stops when the server has had enough. */
export function fuzz(peer: RawAgent, frames: number, seed: number): number {
  const chance = seeded(seed);
  let sent = 0;
  for (; sent < frames && peer.open; sent += 1) peer.say(fuzzedFrame(chance));
  return sent;
}

/** Bytes that are no WebSocket at all, on a bare connection: an end that is not answered within a second is cut. */
export async function fuzzBare(port: number, seed: number): Promise<void> {
  const chance = seeded(seed);
  const upgrade = `GET /ws/agent HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${Buffer.from(chance.bytes(16)).toString("base64")}\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer ${Buffer.from(chance.bytes(24)).toString("hex")}\r\n\r\n`;
  const over = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: { data: () => undefined, close: () => over.resolve(), error: () => over.resolve() },
  });
  if (chance.chance(0.7))
    socket.write(upgrade.slice(0, chance.chance(0.5) ? undefined : chance.whole(1, 200)));
  socket.write(chance.bytes(chance.whole(1, 4_000)));
  socket.flush();
  await Promise.race([over.promise, Bun.sleep(300)]);
  socket.terminate();
}
