import { z } from "zod";
import { DownloadChunkHeader } from "./download.ts";
import { Hello, HelloEnvelope } from "./hello.ts";
import { LogChunkHeader } from "./log-chunk.ts";
import { DurableMessage, TransientMessage } from "./messages.ts";

const seq = z.int().positive();

/** A durable thing an agent says, whichever way it travels. */
export type Durable =
  | { type: "message"; seq: number; message: DurableMessage }
  | { type: "log"; header: LogChunkHeader; chunk: Uint8Array };

/** What a frame from an agent turned out to be. */
export type AgentFrame =
  | { type: "hello"; hello: Hello }
  /** A `hello` of a version that is not served; only its number could be read. */
  | { type: "foreign_hello"; protocol_version: number }
  | { type: "durable"; seq: number; durable: Durable }
  | { type: "transient"; message: TransientMessage }
  | { type: "download"; header: DownloadChunkHeader; chunk: Uint8Array }
  /** `seq` is there when the frame had one: such a frame must be accounted for, or it would come again for ever. */
  | { type: "malformed"; reason: string; seq?: number };

const Numbered = z.object({ seq });
const utf8 = new TextDecoder("utf-8", { fatal: true });
const DurableEnvelope = z.object({ type: z.literal("durable"), seq });

/** A heartbeat as every agent writes it. Of 10,000 idle agents nothing else comes, and its shape costs more to ask than to see. */
const HEARTBEAT =
  /^\{"type":"heartbeat","at":"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z)"\}$/;

/** Writes a durable message as the text frame that travels and rests in the outbox. */
export function encodeDurable(at: number, message: DurableMessage): string {
  return JSON.stringify({ type: "durable", seq: at, message });
}

/** Reads any frame an agent may send. Never throws: what cannot be read is `malformed`, with a reason in words. */
export function parseAgentFrame(data: string | Uint8Array): AgentFrame {
  if (typeof data !== "string") return parseBinary(data);
  const beat = HEARTBEAT.exec(data)?.[1];
  if (beat !== undefined) return { type: "transient", message: { type: "heartbeat", at: beat } };
  let json: unknown;
  try {
    json = parseWholeText(data);
  } catch {
    return { type: "malformed", reason: "the frame is not JSON" };
  }
  // Asking a shape that cannot fit costs more than reading the frame: most are heartbeats.
  const type = typeOf(json);
  const envelope = type === "hello" ? HelloEnvelope.safeParse(json) : undefined;
  if (envelope?.success === true) {
    const hello = Hello.safeParse(json);
    if (hello.success) return { type: "hello", hello: hello.data };
    return { type: "foreign_hello", protocol_version: envelope.data.protocol_version };
  }
  const numbered = type === "durable" ? DurableEnvelope.safeParse(json) : undefined;
  if (numbered?.success === true) {
    const message = DurableMessage.safeParse((json as { message?: unknown }).message);
    if (message.success) {
      const { seq: at } = numbered.data;
      return { type: "durable", seq: at, durable: { type: "message", seq: at, message: message.data } };
    }
    return { type: "malformed", reason: describe(message.error), seq: numbered.data.seq };
  }
  const transient = TransientMessage.safeParse(json);
  if (transient.success) return { type: "transient", message: transient.data };
  return { type: "malformed", reason: describe(transient.error) };
}

function typeOf(json: unknown): unknown {
  return typeof json === "object" && json !== null && "type" in json ? json.type : undefined;
}

function parseBinary(data: Uint8Array): AgentFrame {
  if (data.byteLength < 4) return { type: "malformed", reason: "the binary frame has no header" };
  const length = new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(0);
  if (length > data.byteLength - 4) {
    return { type: "malformed", reason: "the binary frame is shorter than its header says" };
  }
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(data.subarray(4, 4 + length)));
  } catch {
    return { type: "malformed", reason: "the header of the binary frame is not JSON" };
  }
  if (typeOf(json) === "download.chunk") {
    const piece = DownloadChunkHeader.safeParse(json);
    if (!piece.success) return { type: "malformed", reason: describe(piece.error) };
    return { type: "download", header: piece.data, chunk: data.subarray(4 + length) };
  }
  const header = LogChunkHeader.safeParse(json);
  if (!header.success) {
    const numbered = Numbered.safeParse(json);
    const reason = describe(header.error);
    return numbered.success
      ? { type: "malformed", reason, seq: numbered.data.seq }
      : { type: "malformed", reason };
  }
  const chunk = data.subarray(4 + length);
  return { type: "durable", seq: header.data.seq, durable: { type: "log", header: header.data, chunk } };
}

/**
 * Reads JSON whose strings may end up in any store: NUL, which PostgreSQL refuses, and halves of characters, which UTF-8 has no bytes
 * for, become U+FFFD. Otherwise one odd name in an outcome would keep the whole outcome out.
 */
function parseWholeText(text: string): unknown {
  // Neither can stand in JSON but as an escape.
  if (!/\\u(?:0000|[dD][89a-fA-F])/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value: unknown) =>
    typeof value === "string" ? value.replaceAll("\0", "\ufffd").toWellFormed() : value,
  );
}

/** Names the first thing that is wrong, as `path: what`. */
function describe(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "the frame does not have the shape of any message";
  const path = issue.path.join(".");
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}
