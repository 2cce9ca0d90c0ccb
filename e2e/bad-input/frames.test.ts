import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { CLOSE } from "@restic-manager/protocol/close";
import { MALFORMED_PER_MINUTE, MAX_FRAME_BYTES } from "@restic-manager/protocol/limits";
import { Host } from "@restic-manager/protocol/api/hosts";
import { RawAgent } from "../stage/raw-agent.ts";
import { Stage } from "../stage/stage.ts";
import { until } from "../stage/until.ts";

/** What an agent may send that is no frame of ours, over a real socket to a real server. */

let stage: Stage;
let agent: RawAgent;
let seq = 0;
beforeAll(async () => {
  stage = await Stage.open();
  agent = await RawAgent.enroll(stage, "raw");
}, 30_000);
afterAll(() => stage?.strike());
afterEach(() => agent.hangUp());

const heartbeat = () => ({ type: "heartbeat", at: new Date().toISOString() });
const numbers = () => ({ outbox: { lowest: seq + 1, highest: seq } });

/** A hello that fits what was sent before. */
async function greet(): Promise<void> {
  await agent.greet(seq === 0 ? {} : numbers());
  await agent.hears("welcome");
}

test.each([
  { what: "text that is no JSON", frame: "{", says: "the frame is not JSON" },
  { what: "a message of no type", frame: '{"hello":"world"}', says: "type: " },
  { what: "a message of another type", frame: '{"type":"agent.dance"}', says: "type: " },
  { what: "a heartbeat without its time", frame: '{"type":"heartbeat"}', says: "at: " },
  { what: "a list", frame: "[1,2,3]", says: "object" },
  {
    what: "a hello without an epoch",
    frame: '{"type":"hello","protocol_version":1}',
    says: "epoch, outbox or jobs",
  },
  { what: "bytes without a header", frame: new Uint8Array([1, 2]), says: "has no header" },
  { what: "bytes shorter than they say", frame: new Uint8Array([255, 0, 0, 0, 1]), says: "shorter" },
  {
    what: "bytes with a header that is no JSON",
    frame: new Uint8Array([0, 0, 0, 1, 0xff]),
    says: "is not JSON",
  },
])("$what is named in an error, and the connection stays", ({ frame, says }) =>
  stage.tell(async () => {
    await greet();
    agent.say(frame);
    const error = await agent.hears("error");
    expect(error.code).toBe("malformed_frame");
    expect(error.message).toContain(says);
    agent.say(heartbeat());
    await agent.hears("ack");
    expect(agent.open).toBe(true);
  }),
);

test.each([
  { what: "of a type that is not known", message: { type: "job.danced", job_id: "x" }, says: "type: " },
  {
    what: "with a job id that is none",
    message: { type: "job.accepted", job_id: "x", at: "now" },
    says: "job_id: ",
  },
  { what: "without a message", message: null, says: "object" },
])(
  "a durable frame $what is kept aside, named, acknowledged, and the next one goes through",
  ({ message, says }) =>
    stage.tell(async () => {
      await greet();
      agent.say({ type: "durable", seq: (seq += 1), message });
      expect((await agent.hears("error")).message).toContain(says);
      await until("it is acknowledged", async () => (await agent.hears("ack")).seq === seq);
      agent.say({ type: "durable", seq: (seq += 1), message: gap() });
      await until("the next is acknowledged", async () => (await agent.hears("ack")).seq === seq);
      expect(agent.open).toBe(true);
      const kept = await stage.store((db) => db.selectFrom("rejected_frames").selectAll().execute());
      expect(kept.find((row) => row.seq === seq - 1)?.reason).toContain(says);
    }),
);

test("the tenth malformed frame within a minute closes the connection with a reason", () =>
  stage.tell(async () => {
    await greet();
    for (let n = 1; n < MALFORMED_PER_MINUTE; n += 1) agent.say("{");
    await agent.hears("error", MALFORMED_PER_MINUTE - 1);
    agent.say(heartbeat());
    await agent.hears("ack");
    expect(agent.open).toBe(true);
    agent.say("{");
    expect(await agent.closed()).toEqual({
      code: CLOSE.malformed,
      reason: "too many frames could not be read",
    });
  }));

test("a frame over 1 MiB closes the connection with a reason, one of 1 MiB does not", () =>
  stage.tell(async () => {
    await greet();
    agent.say("x".repeat(MAX_FRAME_BYTES));
    expect((await agent.hears("error")).message).toContain("not JSON");
    agent.say("x".repeat(MAX_FRAME_BYTES + 1));
    const { code } = await agent.closed();
    // 1009 is WebSocket's own "message too big"; a client that is still sending may see only the break.
    expect([1006, 1009]).toContain(code);
    await greet();
    expect(agent.open).toBe(true);
  }));

test.each([
  { version: 0, code: "protocol_too_old", says: "update the agent" },
  { version: 99, code: "protocol_too_new", says: "Update the server" },
])(
  "an agent that speaks protocol $version is told $code, where to read on, and the host's page says so",
  (given) =>
    stage.tell(async () => {
      await agent.connect();
      agent.say({ type: "hello", protocol_version: given.version, anything: { else: true } });
      const error = await agent.hears("error");
      expect(error).toMatchObject({ code: given.code, message: expect.stringContaining(given.says) });
      expect((await fetch(error.help_url ?? "")).status).toBe(200);
      expect(await agent.closed()).toMatchObject({ code: CLOSE.protocol, reason: expect.any(String) });
      const problem = async () =>
        (await stage.server.api.call("GET", `/api/hosts/${agent.hostId}`, Host)).link_problem?.code;
      await until("the page says so", async () => (await problem()) === given.code);
      await greet();
      expect(await problem()).toBeUndefined();
    }),
);

test("a hole in the numbers closes the connection, and nothing of it is taken", () =>
  stage.tell(async () => {
    await greet();
    agent.say({ type: "durable", seq: seq + 2, message: gap() });
    expect(await agent.closed()).toMatchObject({
      code: CLOSE.gap,
      reason: expect.stringContaining("missing"),
    });
  }));

test("no bearer at all, and no WebSocket at all, get an answer", () =>
  stage.tell(async () => {
    const plain = await fetch(`${stage.server.origin}/ws/agent`);
    expect(plain.status).toBeGreaterThanOrEqual(400);
    const socket = new WebSocket(`${stage.server.origin.replace("http", "ws")}/ws/agent`);
    const closed = Promise.withResolvers<number>();
    socket.addEventListener("close", ({ code }) => closed.resolve(code));
    expect(await closed.promise).toBe(CLOSE.revoked);
  }));

function gap() {
  return { type: "log.gap", job_id: "01JD0000000000000000000000", first_line: 0, count: 1 };
}
